"""The pictures of the README and the pages: `python -m tests.report.pictures docs` takes them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from pytest_ethrex_perf.report import html, site
from tests.report import builders, made_history
from tests.report.browser import Page, browser

_SETTLED = "new Promise((done) => setTimeout(done, 500))"
"""What was opened has turned its arrow, and has been drawn."""


def report(page: Page, scratch: Path) -> bytes:
    """The table of a run with every verdict, and an open block."""
    file = scratch / "report.html"
    run = msgspec.structs.replace(builders.several(), origin=builders.ORIGIN)
    file.write_text(html.dump(run), encoding="utf-8")
    page.show(file, 1180, 1240)
    page.run("open(bodies.find((one) => one.dataset.block === 'mainnet/24443172'), true)")
    page.run(_SETTLED)
    return page.picture()


def why_slower(page: Page, scratch: Path) -> bytes:
    """What changed in a profiled block, function by function, and as a flamegraph."""
    file = scratch / "profiled.html"
    file.write_text(html.dump(builders.profiled()), encoding="utf-8")
    page.show(file, 1180, 720)
    page.run(
        "[...document.querySelectorAll('h3')].find((one) => /Where/.test(one.textContent)).scrollIntoView()"
    )
    page.run("scrollBy(0, -50)")  # the table's head sticks to the top
    page.run(_SETTLED)
    return page.picture()


def history(page: Page, scratch: Path) -> bytes:
    """A block's year, with its changes, an epoch and a release."""
    for name, content in site.pages(made_history.year(), made_history.METRICS):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_text(content, encoding="utf-8")
    page.show(scratch / made_history.PAGE, 1180, 900)
    return page.picture()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        for take in (report, why_slower, history):
            (Path(sys.argv[1]) / f"{take.__name__.replace('_', '-')}.png").write_bytes(
                take(chromium, Path(folder))
            )
