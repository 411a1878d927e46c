"""The static site of a history in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline.change_points import with_changes
from pytest_ethrex_perf.report import site
from tests.baseline import years

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report import browser

METRICS = ("exec", "prep", "instructions")


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_their_window_and_can_be_walked_by_keyboard(
    page: browser.Page, tmp_path: Path, width: int
) -> None:
    block = with_changes(years.year((90, 5), (270, 8), metrics=METRICS), METRICS)
    for name, content in site.pages(years.history(block), METRICS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    page.show(tmp_path / "index.html", width, dark=width == 390)
    assert page.run("document.documentElement.scrollWidth") == width
    page.run("document.querySelector('tbody a').click()")
    assert page.texts("h1") == ["mainnet/24443168 on bench"]
    assert page.run("document.documentElement.scrollWidth") == width
    assert page.run("[...document.querySelectorAll('.scroll')].every((one) => one.tabIndex === 0)")
    assert page.run("[...document.querySelectorAll('svg')].every((one) => one.getAttribute('aria-label'))")
    assert page.complaints() == []
