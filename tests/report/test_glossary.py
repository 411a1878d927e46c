"""The words of reports: one source for the page of the documentation and for what HTML explains on hover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.report import html
from pytest_ethrex_perf.report.glossary import GLOSSARY, explained
from tests.report import builders
from tools import docs_site
from tools.docs_reference import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report import browser

MARGIN = "margin: a slowdown smaller than this is never a regression: 1 % unless you say otherwise"


def _shown(page: browser.Page, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(html.dump(builders.one()), encoding="utf-8")
    page.show(file, 390)


def test_words_are_in_order_and_each_form_has_one_meaning() -> None:
    names = [term.name.lower() for term in GLOSSARY]
    assert names == sorted(names)
    forms = [form.lower() for _, each, _ in explained() for form in each.split("|")]
    assert len(forms) == len(set(forms))


def test_the_documentation_has_all_of_them() -> None:
    page = docs_site.site_markdown((ROOT / "docs/glossary.md").read_text(), "glossary.md")
    for term in GLOSSARY:
        assert f"| {term.name} | {term.meaning.replace('|', '')}" in page
        assert not term.see or (ROOT / "docs" / term.see).is_file()


def test_a_word_is_explained_once_in_a_section_by_key_pointer_and_touch(
    page: browser.Page, tmp_path: Path
) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    _shown(page, tmp_path)
    words = [word.lower() for word in page.texts("article dfn")]
    assert {"margin", "pairs", "ggas/s", "phase"} <= set(words)
    assert len(words) == len(set(words))
    assert page.all("#tip") == []
    (margin,) = [word for word in page.all("article dfn") if word.text == "margin"]
    page.run(f"document.querySelectorAll('article dfn')[{words.index('margin')}].focus()")
    assert page.texts("#tip") == [MARGIN]
    assert margin.get_attribute("aria-describedby") == "tip"
    assert page.run("document.getElementById('tip').getBoundingClientRect().right <= innerWidth")
    margin.send_keys(Keys.ESCAPE)
    assert page.all("#tip") == []
    page.run("document.activeElement.blur()")
    ActionChains(page.driver).move_to_element(margin).perform()
    assert page.texts("#tip") == [MARGIN]
    ActionChains(page.driver).move_to_element(page.one("#tip")).pause(0.3).perform()
    assert page.texts("#tip") == [MARGIN]  # it stays for whoever reads or copies it
    assert page.complaints() == []


def test_without_scripts_the_words_stand_at_the_end(page: browser.Page, tmp_path: Path) -> None:
    with page.without_scripts():
        _shown(page, tmp_path)
        page.all("summary h2")[-1].click()
        assert MARGIN.partition(": ")[2] in page.one("#glossary").text
