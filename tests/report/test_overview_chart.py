"""The change of every block against its gas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.report import html
from pytest_ethrex_perf.report.overview_chart import Mark, by_gas
from tests.report import browser, builders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def mark(gas: int, estimate: float, kind: str = "unchanged") -> Mark:
    return Mark(f"row-{gas}", kind, gas, estimate, (estimate - 0.01, estimate + 0.01), f"block of {gas}")


def blocks(gas: Sequence[int]) -> str:
    return html.dump(
        builders.run([builders.interleaved(n, 0.05 * (n == 1), gas=gas) for n, gas in enumerate(gas, 1)])
    )


@pytest.mark.parametrize(
    ("gas", "drawn"),
    [
        ((10_000_000, 20_000_000, 30_000_000), True),
        ((10_000_000, 20_000_000), False),
        ((10_000_000, 10_000_000, 10_000_000), False),
    ],
    ids=["three blocks", "two blocks", "all alike"],
)
def test_it_is_drawn_of_three_blocks_that_differ(gas: Sequence[int], *, drawn: bool) -> None:
    assert ("exec: change of each block against its gas" in blocks(gas)) == drawn


def test_marks_stand_at_their_gas_and_change_and_intervals_may_reach_beyond() -> None:
    marks = [mark(30_000_000, 0.06, "regression"), mark(10_000_000, 0.0), mark(20_000_000, -0.08)]
    drawn = by_gas(marks, "exec", 0.01, 0.03)
    places = [
        (float(x), float(y)) for x, y in re.findall(r'data-of="\S+" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    ]
    assert places[0][0] < places[1][0]  # more gas is further to the right
    assert places[0][1] < places[1][1]  # faster is further down
    assert drawn.count('<path class="sign regression"') == 2  # and in the legend
    assert "bands: margin 1 %, tolerance 3 %" in drawn
    assert 'aria-label="exec: 1 regression: +6.2 %; 2 unchanged: -7.7 % to +0.0 %"' in drawn


def test_a_click_on_a_mark_opens_its_block(page: browser.Page, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(blocks((10_000_000, 20_000_000, 30_000_000)), encoding="utf-8")
    page.show(file)
    mark = page.one("svg .sign[data-of^=mainnet-2-]")
    mark.click()
    page.run("new Promise((done) => setTimeout(done, 50))")
    assert [article.get_attribute("aria-label") for article in page.all("article")] == ["mainnet/2"]
