"""The comment on a pull request: complete, within GitHub's limits, and free of what others wrote into it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import cmarkgfm
import msgspec
import pytest
from cmarkgfm.cmark import Options

from pytest_ethrex_perf.report import markdown
from pytest_ethrex_perf.report.text import kind
from tests.report import builders

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.result import BlockResult


def rendered(text: str) -> str:
    """As GitHub's own renderer makes it."""
    made: str = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    return made


def test_the_verdict_comes_first_and_a_mark_to_find_the_comment_by() -> None:
    mark, verdict, *_ = markdown.dump(builders.several()).splitlines()
    assert mark == "<!-- ethrex-perf -->"
    assert re.fullmatch(
        r"### ❌ ethrex-perf: 2 of 11 blocks got slower: worst \+12\.\d % \(mainnet/24443173\); "
        r"1 could not be measured; 1 not proven unchanged: a slowdown below \+6\.\d % would not have been "
        r"seen; 1 got faster: -7\.\d % \(mainnet/24443169\); "
        r"1 got slower, as allowed: \+5\.\d % \(mainnet/24443171\); mean over blocks unchanged",
        verdict,
    )


def test_one_block_is_no_worst_of_many() -> None:
    def headline(block: BlockResult) -> str:
        return markdown.dump(builders.run([block])).splitlines()[1]

    slower = builders.interleaved(1, 0.06)
    assert re.fullmatch(
        r"### ❌ ethrex-perf: the block got slower: \+6\.\d % \(mainnet/1\)", headline(slower)
    )
    waived = msgspec.structs.replace(
        slower, metrics=[msgspec.structs.replace(metric, outcome="waived") for metric in slower.metrics]
    )
    assert re.fullmatch(
        r"### ✅ ethrex-perf: the block got slower, as allowed: \+6\.\d % \(mainnet/1\)", headline(waived)
    )
    undecided = next(
        block for block in builders.several().blocks if "inconclusive" in map(kind, block.metrics)
    )
    assert headline(undecided).startswith("### ⚠️ ethrex-perf: the block is not proven unchanged: ")


def test_a_block_that_was_skipped_has_neither_programs_nor_a_command() -> None:
    text = markdown.dump(
        builders.run([builders.block("mainnet/1", skipped="the same program", reproduce="")])
    )
    assert "\nMeasured on `" in text
    assert "reproduce" not in text


def test_facts_of_the_machine_are_no_python() -> None:
    assert not re.search(r": (True|False)$", markdown.dump(builders.one()), re.MULTILINE)


@pytest.mark.parametrize(("change", "symbol"), [(0.0, "✅"), (-0.06, "✅"), (0.06, "❌")])
def test_the_symbol_says_whether_it_passed(change: float, symbol: str) -> None:
    run = builders.run([builders.interleaved(1, change)])
    assert markdown.dump(run).splitlines()[1].startswith(f"### {symbol} ")


def test_a_run_that_could_measure_nothing_is_never_green() -> None:
    skipped = builders.run([builders.block("mainnet/1", skipped="the same program")])
    assert markdown.dump(skipped).splitlines()[1].startswith("### ⚠️ ")
    assert markdown.dump(builders.run([])).splitlines()[1] == "### ⚠️ ethrex-perf: no blocks"


def test_the_change_stands_in_the_second_column() -> None:
    lines = markdown.dump(builders.one()).splitlines()
    at = lines.index("| Block | Change | Base | Head | Metric | Ggas/s | Gas | Txs | Changed most |")
    assert re.fullmatch(
        r"\| mainnet/24443168 \| \+4\.\d % ❌ \[\+\d\.\d, \+\d\.\d\] \| 59\.\d\d ms \| 6\d\.\d\d ms "
        r"\| exec \| 0\.\d\d\d? \| 37\.5 M gas \| 442 \|  \|",
        lines[at + 2],
    )


def test_the_function_that_changed_most_is_in_the_row() -> None:
    row = next(line for line in markdown.dump(builders.profiled()).splitlines() if line.startswith("| main"))
    assert re.search(r"\| \S[^|]+ \+\d+\.\d\d ms \|$", row)


def test_unchanged_rows_are_folded() -> None:
    text = markdown.dump(builders.several())
    open_table, _, folded = text.partition("<details>\n<summary>3 more blocks (4 unchanged")
    assert "| mainnet/24443174 " in folded
    assert "| mainnet/24443174 " not in open_table


def test_rows_are_worst_first_and_why_a_block_was_not_judged_stands_below() -> None:
    lines = markdown.dump(builders.several()).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert ["24443173" in rows[1], "24443168" in rows[2], "24443176" in rows[4]] == [True] * 3
    assert rows[4].startswith("| mainnet/24443176 | error | ")
    assert any(
        line.startswith("- mainnet/24443176: error: mainnet/24443176: Execution Err") for line in lines
    )


@pytest.mark.parametrize("limit", [markdown.COMMENT_LIMIT, markdown.SUMMARY_LIMIT])
def test_500_blocks_fit_and_those_left_out_are_counted(limit: int) -> None:
    text = markdown.dump(builders.many(), limit)
    assert len(text.encode()) <= limit
    shown = len(re.findall(r"^\| mainnet/", text, flags=re.MULTILINE))
    left_out = sum(int(count) for count in re.findall(r"… and (\d+) more blocks? \(", text))
    assert shown + left_out == 500
    assert text.count("<details>") == text.count("</details>") > 10


@pytest.mark.parametrize("limit", [2_000, 5_000, 20_000, 65_536])
def test_hostile_text_breaks_neither_the_page_nor_the_limit(limit: int) -> None:
    text = markdown.dump(builders.hostile(), limit)
    assert len(text.encode()) <= limit
    page = rendered(text)
    tags = set(re.findall(r"<([a-z0-9]+)", page))
    assert tags <= {
        "h3",
        "p",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "pre",
        "ul",
        "li",
    }
    assert "@octocat" not in re.sub(r"<(pre|code)>.*?</\1>", "", page, flags=re.DOTALL)
    assert "\x1b" not in text
    ET.fromstring(f"<r>{page.replace('<!-- ethrex-perf -->', '')}</r>")  # every tag is closed


def test_a_table_keeps_its_columns_whatever_is_in_them() -> None:
    page = rendered(markdown.dump(builders.hostile()))
    assert all(row.count("<td") == 9 for row in re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)[1:])


def test_one_block_that_passed_is_told_in_full() -> None:
    text = markdown.dump(builders.run([builders.interleaved(1, 0.0)]))
    assert "<summary>mainnet/1: unchanged: exec " in text
    assert "reproduce: pytest --ethrex-block=mainnet/1" in text


def test_the_machine_is_told() -> None:
    run = msgspec.structs.replace(builders.one(), settings={"margin": "0.01"})
    assert "governor: performance\n" in markdown.dump(run)
    assert "margin: 0.01</pre>" in markdown.dump(run)
