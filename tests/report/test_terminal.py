"""The terminal's tables: they fit, they are aligned, and nothing that matters is lost in many blocks."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.records.result import Advice
from pytest_ethrex_perf.report import html, markdown, terminal
from tests.report import builders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ethrex_perf.records.result import RunResult
    from pytest_ethrex_perf.report.terminal import Line


def lines_of(lines: Iterable[Line]) -> list[str]:
    return [line.text for line in lines]


# --- width --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("❌", 2),
        ("🚀", 2),
        ("✅", 2),
        ("⚠️", 2),
        ("🔕", 2),
        ("±…–µ", 4),
        ("e\u0301", 1),
        ("中", 2),
    ],
)
def test_emoji_take_two_cells_and_accents_none(value: str, cells: int) -> None:
    assert terminal.width(value) == cells


@given(st.lists(st.text(alphabet="aZ ±µ❌🚀中\u0301", max_size=8), min_size=2, max_size=2).map(tuple))
def test_width_adds_up(parts: tuple[str, str]) -> None:
    assert terminal.width("".join(parts)) == sum(map(terminal.width, parts))


cells = st.text(alphabet="ab ❌±中", max_size=6).map(str.strip)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=6), st.sets(st.integers(0, 2)))
def test_columns_begin_or_end_at_the_same_cell(rows: list[tuple[str, str, str]], right: set[int]) -> None:
    marked = [tuple(f"[{cell}]" for cell in row) for row in rows]
    table = terminal.columns(marked, right)
    for column in range(3):
        edges = set()
        for line in table:
            upto = line.split("[")[: column + 1] if column not in right else None
            if upto is not None:
                edges.add(terminal.width("[".join(upto)))
            else:
                edges.add(terminal.width("]".join(line.split("]")[: column + 1])))
        assert len(edges) == 1
    assert all(line == line.rstrip() for line in table)


# --- room ---------------------------------------------------------------------------------------------------

RUNS = {
    "one": builders.one,
    "every outcome": builders.several,
    "five hundred": builders.many,
}


@pytest.mark.parametrize("room", [80, 160])
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("verbosity", [-2, -1, 0, 1])
def test_lines_fit_where_words_allow_it(name: str, room: int, verbosity: int) -> None:
    for line in lines_of(terminal.summary(RUNS[name](), verbosity=verbosity, room=room)):
        if line.startswith("  reproduce: ") or max(map(len, line.split()), default=0) > room // 2:
            continue  # a command is never wrapped, a path neither
        assert terminal.width(line) <= room, line


def test_at_160_columns_a_cell_is_whole_and_at_80_it_is_short() -> None:
    wide, narrow = (lines_of(terminal.overview(builders.several(), room=room)) for room in (160, 80))
    assert "❌ regression [" in wide[1]
    assert "] (margin 1 %)" in wide[1]
    assert narrow[1].endswith("❌ regression")
    assert "margin" not in "".join(narrow)
    coloured = lines_of(terminal.overview(builders.several(), room=80, words=False))
    assert "❌ [" in coloured[1]


def test_the_table_over_all_blocks_is_the_one_that_engineers_know() -> None:
    heading, row = lines_of(terminal.overview(builders.one()))
    assert heading.split() == ["Block", "Txs", "Gas", "Baseline", "Head", "Delta"]
    assert row.split()[:5] == ["mainnet/24443168", "442", "37.5", "M", "gas"]
    column = terminal.width(heading[: heading.index("Delta")])
    assert terminal.width(row[: row.index("+")]) == column


# --- what is shown ------------------------------------------------------------------------------------------


@pytest.fixture
def several() -> RunResult:
    """Every outcome there is."""
    return builders.several()


def test_every_outcome_has_its_row(several: RunResult) -> None:
    told = "\n".join(lines_of(terminal.overview(several)))
    for block in several.blocks:
        assert block.block in told
    for word in ("❌", "🚀", "✅", "⚠️", "🔕", "error", "skipped", "recorded", "prep +"):
        assert word in told


def test_colour_carries_nothing_that_the_words_do_not(several: RunResult) -> None:
    styles = {line.text: line.style for line in terminal.overview(several)}
    for told, style in styles.items():
        if "❌" in told or told.endswith("error"):
            assert style == "red"
        if "⚠️" in told or "🔕" in told or told.endswith("skipped"):
            assert style == "yellow"
        if "✅" in told:
            assert style == "green"


def test_a_blocks_own_table_has_both_sides_the_verdict_and_how_to_repeat_it() -> None:
    told = lines_of(terminal.block_table(builders.one().blocks[0]))
    assert told[0].startswith("mainnet/24443168 · 442 txs, 37.5 M gas · ")
    assert told[0].endswith("pairs, interleaved · repeat 11")
    assert told[1].split() == ["base", "±", "sd", "head", "±", "sd", "delta"]
    assert [line.split("  ")[1] for line in told[2:15]] == [
        "exec",
        "prep",
        "throughput",
        "CPU time",
        "max RSS",
        "page faults",
        "instructions (window)",
        "cycles (window)",
        "L2 cache-misses (window)",
        "L1-dcache-load-misses (window)",
        "branch-misses (window)",
        "IPC",
        "L2 cache miss rate",
    ]
    assert told[15].startswith("  regression: exec is ")
    assert told[-1] == "  reproduce: pytest --ethrex-block=mainnet/24443168 --ethrex-base=main/ethrex-replay"


def test_a_block_that_passed_needs_no_command() -> None:
    told = lines_of(terminal.block_table(builders.interleaved(1, 0.0)))
    assert not any("reproduce:" in line for line in told)


def test_an_error_is_told_in_the_blocks_table(several: RunResult) -> None:
    (failed,) = (block for block in several.blocks if block.error)
    told = " ".join(" ".join(lines_of(terminal.block_table(failed))).split())
    assert f"error: {failed.error}" in told


def test_earlier_sessions_and_what_others_published_are_shown_beside_it(several: RunResult) -> None:
    (slower,) = (block for block in several.blocks if block.block == "mainnet/24443173")
    told = "\n".join(lines_of(terminal.block_table(slower)))
    assert "since the baseline was last reset (2026-01-09): +2.1 %" in told
    assert "reference of ethrex-office-4, 2026-02-18: 59.75 ms, 0.63 Ggas/s; never gated against" in told


def test_looks_and_phases_are_shown_when_asked_for_twice() -> None:
    block = builders.one().blocks[0]
    plain, verbose = (lines_of(terminal.block_table(block, verbosity=level)) for level in (1, 2))
    assert not any("p slower" in line for line in plain)
    assert any("p slower" in line for line in verbose)
    assert any("merkle" in line for line in verbose)


def test_the_mean_over_blocks_has_its_line(several: RunResult) -> None:
    told = " ".join(lines_of(terminal.summary(several, verbosity=-1)))
    assert f"mean over {len(several.suite[0].blocks)} blocks exec " in told
    assert "rounds" in told


def test_blocks_told_among_the_failures_are_not_told_twice(several: RunResult) -> None:
    titles = [line for line in lines_of(terminal.summary(several, verbosity=1)) if " · 442 txs" in line]
    fewer = terminal.summary(several, verbosity=1, shown={"mainnet/24443168"})
    assert [line for line in lines_of(fewer) if " · 442 txs" in line] == [
        title for title in titles if not title.startswith("mainnet/24443168 ")
    ]


# --- many blocks --------------------------------------------------------------------------------------------


def test_of_many_blocks_the_worst_are_shown_and_the_rest_is_counted() -> None:
    told = lines_of(terminal.summary(builders.many()))
    assert sum(" · 442 txs" in line for line in told) == terminal.MOST_BLOCKS
    assert f"(and {490 - terminal.MOST_BLOCKS} more: -v shows each)" in told
    assert any(line.startswith(f"… and {500 - terminal.MOST_ROWS} more: ") for line in told)
    table = lines_of(terminal.overview(builders.many()))
    kinds = [
        "failed" if "❌" in line else "error" if line.endswith("error") else "other" for line in table[1:-1]
    ]
    assert kinds == sorted(kinds, key=["failed", "error", "other"].index)
    assert kinds[0] == "failed"
    assert not any("✅" in line for line in table)


def test_verbose_shows_every_one_of_them() -> None:
    told = "\n".join(lines_of(terminal.summary(builders.many(), verbosity=1)))
    for block in builders.many().blocks:
        assert told.count(f"{block.block} ") >= 1
    assert "(and " not in told


def test_a_green_run_hides_no_inconclusive_block_however_quiet(several: RunResult) -> None:
    told = " ".join(lines_of(terminal.summary(several, verbosity=-2)))
    assert "inconclusive: " in told
    assert "skipped: base and head are the same program" in told
    assert "Block  " not in told


def test_a_run_of_nothing_is_an_empty_table() -> None:
    assert lines_of(terminal.summary(builders.run([]))) == ["Block  Txs  Gas  Baseline  Head  Delta"]


@pytest.mark.parametrize("verbosity", [0, 2])
def test_a_block_of_which_nothing_is_known_has_a_row(verbosity: int) -> None:
    run = builders.run([builders.block("mainnet/1")])
    told = lines_of(terminal.summary(run, verbosity=verbosity))
    assert told[-1].split() == ["mainnet/1", "–", "–", "not", "measured"]


def test_words_from_outside_cannot_break_the_lines() -> None:
    for line in lines_of(terminal.summary(builders.hostile(), verbosity=2)):
        assert not any(unicodedata.category(char) == "Cc" for char in line), repr(line)


def test_an_empty_block_of_gas_is_told() -> None:
    block = msgspec.structs.replace(builders.interleaved(1, 0.0), gas=0, txs=0)
    told = lines_of(terminal.overview(builders.run([block])))
    assert "0 gas" in told[1]


def test_advice_is_one_command_on_one_line_in_every_form() -> None:
    run = builders.one()
    pinned = "pytest --ethrex-block=mainnet/1 '--ethrex-prefix=taskset -c 4-7'"
    command = f"{pinned} {'--ethrex-aa ' * 9}<b>\x1b[1m"
    advice = Advice(command=command, reason="sd 9.0 %: 81 pairs, about 3 min, tell +3 % from +1 %")
    block = msgspec.structs.replace(run.blocks[0], advice=advice)
    run = msgspec.structs.replace(run, blocks=(block,))
    for verbosity in (-1, 0, 1):
        lines = [line.text for line in terminal.summary(run, verbosity=verbosity, room=80)]
        (at,) = (number for number, line in enumerate(lines) if "--ethrex-prefix" in line)
        assert lines[at].startswith("    pytest --ethrex-block=mainnet/1 '--ethrex-prefix=taskset -c 4-7' --")
        assert "\x1b" not in lines[at]
        assert lines[at - 1].endswith("tell +3 % from +1 %):")
        assert max(map(len, lines[:at])) <= 80
    for dump in (markdown.dump, html.dump):
        page = dump(run)
        assert "tell +3 % from +1 %" in page
        assert "taskset -c 4-7" in page
        assert "<b>" not in page.partition("taskset -c 4-7")[2].partition("\n")[0]
        assert "\x1b" not in page
