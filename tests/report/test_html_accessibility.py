"""The page as axe-core reads it: contrast, headings, tables, regions that scroll."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.report import html
from tests.report import browser, builders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.result import RunResult

_MIXED = r"""
for (const element of document.querySelectorAll("*")) {
  const mixed = getComputedStyle(element).backgroundColor.match(/^color\(srgb (\S+) (\S+) (\S+) \/ (\S+)\)$/);
  if (!mixed) continue;
  const [red, green, blue] = mixed.slice(1, 4).map((part) => 255 * part);
  element.style.backgroundColor = `rgba(${red}, ${green}, ${blue}, ${mixed[4]})`;
}
"""  # axe-core 4.4 does not read color()
_AXE = """
const done = arguments[0];
const rules = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] };
axe.run(document, rules).then((result) => done({
  checked: result.passes.map((rule) => rule.id),
  violations: result.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.html}: ${node.failureSummary}`)),
}));
"""


def _several() -> RunResult:
    """Every outcome, and the picture of changes against gas."""
    return builders.run([*builders.several().blocks, builders.interleaved(1, 0.0, gas=20_000_000)])


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
    axe = resources.files("axe_core_python") / "axe.min.js"
    page.driver.execute_script(axe.read_text(encoding="utf-8") + _MIXED)
    result = page.driver.execute_async_script(_AXE)
    assert result["violations"] == []
    assert {"color-contrast", "heading-order"} <= set(result["checked"])
