"""Accessibility as axe-core sees it: contrast, headings, tables, regions that scroll."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.report import browser

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


def complaints(page: browser.Page) -> list[str]:
    """What is wrong with the page that is shown, each with its element and what would mend it."""
    axe = resources.files("axe_core_python") / "axe.min.js"
    page.driver.execute_script(axe.read_text(encoding="utf-8") + _MIXED)
    result = page.driver.execute_async_script(_AXE)
    assert {"color-contrast", "heading-order"} <= set(result["checked"])
    violations: list[str] = result["violations"]
    return violations
