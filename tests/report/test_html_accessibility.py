"""The page as axe-core reads it: contrast, headings, tables, regions that scroll."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.report import html
from tests.report import accessibility, builders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.result import RunResult
    from tests.report import browser


def _several() -> RunResult:
    """Every outcome, the picture of changes against gas, and links."""
    blocks = [*builders.several().blocks, builders.interleaved(1, 0.0, gas=20_000_000)]
    return builders.run(blocks, origin=builders.ORIGIN)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("run", "width"),
    [(_several, 1280), (builders.profiled, 390)],
    ids=["several, desktop", "profiled, phone"],
)
def test_axe_has_no_complaint(
    page: browser.Page, tmp_path: Path, run: Callable[[], RunResult], width: int, *, dark: bool
) -> None:
    file = tmp_path / "index.html"
    file.write_text(html.dump(run()), encoding="utf-8")
    page.show(file, width, dark=dark)
    page.run("bodies.forEach((one) => open(one, true))")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert accessibility.complaints(page) == []
