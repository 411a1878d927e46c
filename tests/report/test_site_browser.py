"""The static site of a history in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.report import site
from tests.report import accessibility, made_history

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report import browser


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its pages."""
    folder = tmp_path_factory.mktemp("site")
    for name, content in site.pages(made_history.year(), made_history.METRICS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize("width", [390, 1920])
def test_pages_fit_their_window_and_can_be_walked_by_keyboard(
    page: browser.Page, written: Path, width: int
) -> None:
    page.show(written / "index.html", width, dark=width == 390)
    assert page.run("document.documentElement.scrollWidth") == width
    page.run("document.querySelector('tbody a').click()")
    assert page.texts("h1") == ["mainnet/24443168 on bench"]
    assert page.run("document.documentElement.scrollWidth") == width
    assert page.run("[...document.querySelectorAll('.scroll')].every((one) => one.tabIndex === 0)")
    assert page.run("[...document.querySelectorAll('svg:not(.key)')].every((one) => one.ariaLabel)")
    assert page.complaints() == []


def test_what_a_click_on_a_command_selects_can_be_pasted(page: browser.Page, written: Path) -> None:
    page.show(written / "index.html", 390)
    page.one("code.command").click()
    selected = page.run("getSelection().toString()")
    assert selected == page.run("document.querySelector('code.command').textContent")
    assert str(selected).startswith("ethrex-perf bisect 006300630063 006400640064 --block mainnet/24443168")


def test_a_phone_shows_every_change(page: browser.Page, written: Path) -> None:
    page.show(written / "index.html", 390)
    ends = page.run("[...document.querySelectorAll('.size')].map(size => size.getBoundingClientRect().right)")
    assert isinstance(ends, list)
    assert ends
    assert max(ends) < 390


def test_a_narrow_window_shows_the_newest_sessions(page: browser.Page, written: Path) -> None:
    page.show(written / made_history.PAGE, 390)
    hidden = page.run("(({ left }) => left)(document.querySelector('svg.chart').getBoundingClientRect())")
    assert isinstance(hidden, float | int)
    assert hidden < 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "width"),
    [("index.html", 1280), (made_history.PAGE, 390)],
)
def test_axe_has_no_complaint(
    page: browser.Page, written: Path, name: str, width: int, *, dark: bool
) -> None:
    page.show(written / name, width, dark=dark)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert accessibility.complaints(page) == []
