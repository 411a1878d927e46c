"""Text from outside lands as text, in every format."""

from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree as ET

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.report import escape
from tests.report.builders import HOSTILE

TEXT = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["1. a", "- a", "+ a", "# a", "=", "a | b", "`", HOSTILE]
)


def rendered(markdown: str) -> str:
    """As GitHub's own renderer makes it, raw HTML let through."""
    made: str = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return made


def words(html: str) -> str:
    """The text of a page, as its readers see it."""
    return "".join(ET.fromstring(f"<r>{html}</r>").itertext()).replace("\u200b", "").strip()


@given(TEXT)
def test_markdown_shows_the_text_as_it_is_and_nothing_else(text: str) -> None:
    told = rendered(escape.markdown(text))
    assert words(told) == escape.line(text)
    assert set(re.findall(r"<(\w+)", told)) <= {"p"}


@given(TEXT)
def test_a_table_keeps_its_cells(text: str) -> None:
    told = rendered(f"| a | b |\n|---|---|\n| {escape.markdown(text)} | x |")
    assert told.count("<td>") == 2
    assert words(told).endswith("x")


@pytest.mark.parametrize(
    "reference", ["@octocat", "@ethrex/core", "#12", "a#12", "https://a.invalid", "www.a.invalid"]
)
def test_markdown_tells_nobody_and_links_nowhere(reference: str) -> None:
    told = rendered(escape.markdown(f"see {reference}"))
    assert "<a" not in told
    assert reference not in told


@given(TEXT)
def test_code_holds_any_backticks(text: str) -> None:
    told = rendered(f"a {escape.code(text)} b")
    assert told.startswith("<p>a <code>")
    assert words(told) == f"a {escape.line(text) or ' ' * 2} b"


@given(st.text())
def test_plain_text_can_stand_in_xml(text: str) -> None:
    assert ET.fromstring(ET.tostring(_element(escape.plain(text)))).text is not None or not text.strip(
        "\r\n\t "
    )


def _element(text: str) -> ET.Element:
    element = ET.Element("a")
    element.text = text
    return element


def test_control_characters_and_turned_writing_are_shown_as_codes() -> None:
    assert escape.plain("\x1b[31mred\x00 \u202ecba") == "#x1B[31mred#x00 #x202Ecba"


@given(st.text())
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escape.csv(text), "next"])
    ((cell, after),) = csv.reader(io.StringIO(file.getvalue()))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert after == "next"


def test_long_text_is_cut() -> None:
    assert escape.line("abcdef", 4) == "abc…"
    assert escape.line("abcd", 4) == "abcd"
