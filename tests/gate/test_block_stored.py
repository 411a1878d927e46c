"""Record a baseline, gate against it: what is compared, and what is refused before anything is measured.

The baseline's own program is not at hand here (`--ethrex-archive-size=0`): the stored sessions decide alone.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests import cache_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Bench

ALONE = ("--ethrex-repeat=3", "--ethrex-invocations=6", "--ethrex-archive-size=0")


@pytest.fixture
def program(bench: Bench) -> str:
    """A program whose baseline is recorded."""
    name = bench.program("head")
    bench.record(name, *ALONE).assert_outcomes(passed=1)
    return name


def gate(bench: Bench, program: str, *arguments: str) -> pytest.RunResult:
    return bench.gate(f"--ethrex-replay={program}", *ALONE, *arguments)


def words(result: pytest.RunResult) -> str:
    """What a run printed, however it was wrapped."""
    return " ".join(result.stdout.str().split())


def file_of(bench: Bench) -> Path:
    (file,) = (bench.path / "baselines" / "mainnet" / "24443168").glob("*.json")
    return file


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


# --- decided ------------------------------------------------------------------------------------------------


def test_an_equal_program_passes(bench: Bench, program: str) -> None:
    other = bench.program("rebuilt")
    result = gate(bench, other, "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    assert block.mode == "stored"
    assert len(block.invocations) == 6
    assert [len(session.invocations) for session in block.baseline] == [6]
    assert len(bench.calls(program)) == 6, "only recorded, never run again"


@pytest.mark.usefixtures("program")
def test_a_much_slower_one_fails_with_the_verdict_first(bench: Bench) -> None:
    result = gate(bench, bench.program("slow", exec_ms=90))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "regression: mainnet/24443168 exec is * % slower (* to *): 6*.?? ms → * after 6 invocations *",
            "*6 invocations against 1 stored sessions*",
            "*reproduce: pytest --ethrex-block=mainnet/24443168 *--ethrex-replay=bin/slow*",
        ]
    )


@pytest.mark.usefixtures("program")
def test_a_much_faster_one_is_an_improvement(bench: Bench) -> None:
    result = gate(bench, bench.program("fast", exec_ms=40))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*ethrex-perf: 1 improvement*"])


def test_what_may_go_unseen_is_printed_of_what_is_inconclusive(bench: Bench, program: str) -> None:
    gate(bench, program).stdout.fnmatch_lines(
        ["*inconclusive: exec * Not sure after 6 invocations: *", "* may go unseen*"]
    )


def test_the_baselines_own_program_is_allowed_and_labelled(bench: Bench, program: str) -> None:
    result = gate(bench, program)
    result.assert_outcomes(passed=1)
    assert "note: head is the stored baseline's own program: no change is expected" in words(result)
    other = gate(bench, bench.program("rebuilt"))
    assert "own program" not in words(other)


def test_fewer_than_five_sessions_say_so_with_the_command(bench: Bench, program: str) -> None:
    told = words(gate(bench, program))
    assert "note: 1 of 5 baseline sessions: record more sessions on different days" in told
    assert "--ethrex-replay=PATH-OF-THE-MAIN-BUILD --ethrex-update-baseline" in told  # never of head
    for _ in range(4):
        bench.record(program, *ALONE)
    assert "baseline sessions" not in words(gate(bench, program))


def test_with_a_base_the_stored_comparison_is_shown_as_context(bench: Bench, program: str) -> None:
    head = bench.program("rebuilt")
    result = bench.compare(head, program, "--ethrex-repeat=3", "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  (stored baseline, for information: *%)", "*own program*"])
    context = bench.results().blocks[0].metric("exec").context
    assert context is not None
    assert context.pairs == len(bench.results().blocks[0].pairs)


def test_with_a_base_a_baseline_that_cannot_be_compared_with_is_a_note(bench: Bench, program: str) -> None:
    head = bench.program("rebuilt")
    result = bench.compare(head, program, "--ethrex-repeat=4")
    result.assert_outcomes(passed=1)
    assert "note: no stored comparison: it was recorded with 3 repeats, and this run takes 4" in words(result)


# --- missing ------------------------------------------------------------------------------------------------


def test_a_missing_baseline_is_found_before_anything_is_measured(bench: Bench) -> None:
    bench.cache(1)
    head = bench.program("head")
    bench.record(head, *ALONE)
    before = len(bench.calls(head))
    result = bench.gate(
        f"--ethrex-replay={head}",
        *ALONE,
        block="1",
    )
    result.assert_outcomes(errors=1)
    assert len(bench.calls(head)) == before


def test_the_commands_for_what_has_no_baseline_never_record_the_program_under_test(bench: Bench) -> None:
    head, main = bench.program("my head"), bench.program("main")
    result = bench.gate(f"--ethrex-replay='{head}'", "--ethrex-repeat=4", "--ethrex-invocations=6")
    result.assert_outcomes(errors=1)
    told = words(result).replace("PATH-OF-THE-MAIN-BUILD", str(main))
    beside, recorded = (
        shlex.split(told[told.index(start) + len(start) :].partition(end)[0])
        for start, end in (("beside this one: pytest ", " (or record"), ("to compare with: pytest ", " )"))
    )
    assert [word for word in recorded if "my head" in word] == []
    bench.run(*beside).assert_outcomes(passed=1)
    result = bench.run(*recorded)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*the level to compare with is now that of *main (binary *, of no known commit)*"]
    )
    bench.gate(f"--ethrex-replay='{head}'", "--ethrex-repeat=4", "--ethrex-invocations=6").assert_outcomes(
        passed=1
    )


def test_a_run_without_the_flag_never_writes(bench: Bench, program: str) -> None:
    before = file_of(bench).read_bytes()
    gate(bench, program)
    gate(bench, bench.program("fast", exec_ms=40))
    bench.compare(bench.program("other"), program, "--ethrex-looks=6")
    assert file_of(bench).read_bytes() == before
    bench.gate(f"--ethrex-replay={program}", *ALONE, "--ethrex-baselines=empty")
    assert not (bench.path / "empty").exists()


# --- refused ------------------------------------------------------------------------------------------------


def refused(bench: Bench, program: str, *arguments: str) -> str:
    """Gate; nothing may be measured. Returns what was told."""
    before = len(bench.calls(program))
    result = gate(bench, program, *arguments)
    result.assert_outcomes(errors=1)
    assert len(bench.calls(program)) == before
    return words(result)


def test_another_machine_has_no_baseline_and_hears_of_those_that_have(bench: Bench, program: str) -> None:
    key = file_of(bench).stem.removeprefix("ethrex-")
    told = refused(bench, program, "--ethrex-machine=elsewhere")
    assert f"there is one of this block for {key}; this machine is elsewhere" in told or key in told
    assert "there is no baseline of mainnet/24443168 for ethrex on elsewhere" in told


def test_another_machines_file_is_refused(bench: Bench, program: str) -> None:
    file = file_of(bench)
    file.rename(file.with_name("ethrex-elsewhere.json"))
    told = refused(bench, program, "--ethrex-machine=elsewhere")
    assert "ethrex-elsewhere.json: this is a baseline of machine" in told
    assert "and this is elsewhere: record one here with --ethrex-update-baseline" in told


def test_another_block_under_the_same_number_is_refused(bench: Bench, program: str) -> None:
    bench.cache(24443168, gasUsed="0x1")
    told = refused(bench, program)
    assert "it was recorded with block hash 0x" in told
    assert "the cache file now holds 0x" in told


def test_another_witness_of_the_block_is_refused(bench: Bench, program: str) -> None:
    edit(
        bench.path / "replay_cache" / "cache_mainnet_24443168.json",
        lambda content: content["witness"]["state"].append("0x81"),
    )
    assert "it was recorded with another witness (sha256" in refused(bench, program)


def test_the_witness_in_another_order_is_the_same_work(bench: Bench) -> None:
    cache = cache_file.write(bench.path / "replay_cache", 24443168)
    edit(cache, lambda content: content["witness"]["state"].extend(["0x82", "0x81"]))
    program = bench.program("head")
    bench.record(program, *ALONE)
    edit(cache, lambda content: content["witness"]["state"].reverse())
    gate(bench, program).assert_outcomes(passed=1)


def test_another_number_of_repeats_is_refused_with_the_option_that_fits(bench: Bench, program: str) -> None:
    told = refused(bench, program, "--ethrex-repeat=4")
    assert "it was recorded with 3 repeats, and this run takes 4: use --ethrex-repeat 3" in told


def test_another_prefix_is_refused(bench: Bench, program: str) -> None:
    told = refused(bench, program, "--ethrex-prefix=env A=1")
    assert "it was recorded without a prefix, and this run is under 'env A=1'" in told


def test_another_kind_of_program_is_refused(bench: Bench, program: str) -> None:
    def change(content: dict[str, Any]) -> None:
        content["kind"] = "embedded"
        for session in content["epochs"][0]["sessions"]:
            session["program"]["kind"] = "embedded"

    edit(file_of(bench), change)
    told = refused(bench, program)
    assert "this is a baseline of the embedded program, and ethrex was measured" in told


def test_a_baseline_of_another_kind_only_is_a_missing_one_that_says_so(bench: Bench, program: str) -> None:
    file = file_of(bench)
    file.rename(file.with_name(file.name.replace("ethrex-", "embedded-", 1)))
    told = refused(bench, program)
    assert "what is stored of this block is of another kind of program: embedded" in told


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[: len(text) // 2], "truncated ("),
        (lambda text: text.replace('"exec_ns": [', '"exec_ns": [9'), "its times are not those that were rec"),
        (lambda text: text.replace('"schema": 1', '"schema": 99'), "written by a newer pytest-ethrex-perf"),
        (lambda _: "", "truncated ("),
    ],
)
def test_a_damaged_file_is_refused_with_its_name(
    bench: Bench, program: str, damage: Callable[[str], str], told: str
) -> None:
    file = file_of(bench)
    file.write_text(damage(file.read_text()))
    found = refused(bench, program)
    assert told in found
    assert str(file) in found
