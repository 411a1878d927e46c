"""--ethrex-repeat: repeats per invocation, given or chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.gate import pilot
from tests.report import builders

if TYPE_CHECKING:
    from tests.conftest import Bench


def asked(bench: Bench, program: str) -> list[int]:
    """Repeats that each invocation was asked for."""
    argvs = [call["argv"] for call in bench.calls(program)]
    return [int(argv[argv.index("--repeat") + 1]) for argv in argvs]


def test_it_is_given_to_every_invocation(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, "--ethrex-repeat=7", "--ethrex-json=results.json").assert_outcomes(passed=1)
    assert asked(bench, program) == [7, 7]
    (block,) = bench.results().blocks
    assert block.repeat == 7
    assert {len(invocation.exec_ns) for invocation in block.invocations} == {7}


def test_eleven_is_the_default(bench: Bench) -> None:
    program = bench.program("head")
    bench.gate(f"--ethrex-replay={program}", "--ethrex-update-baseline", "--ethrex-invocations=2")
    assert asked(bench, program) == [11, 11]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1", "it must be at least 2"),
        ("0", "it must be at least 2"),
        ("-3", "it must be at least 2"),
        ("2.5", "write a whole number"),
        ("many", "write a whole number"),
        ("", "write a whole number"),
    ],
)
def test_what_leaves_nothing_to_measure_is_refused(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-repeat={value}")
    assert told == f"--ethrex-repeat: {value!r} is not a value of it: {why}"


def test_auto_runs_a_pilot_that_is_no_part_of_the_result(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    bench.compare(head, base, "--ethrex-repeat=auto", "--ethrex-looks=6", "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    assert block.repeat is not None
    assert block.repeat >= 2
    assert asked(bench, head) == [11] * 4 + [block.repeat] * 6
    assert asked(bench, base) == [block.repeat] * 6


def test_auto_says_in_a_line_why_it_chose(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    options = ("--ethrex-repeat=auto", "--ethrex-looks=6", "--ethrex-json=results.json")
    result = bench.compare(head, base, *options)
    (block,) = bench.results().blocks
    why = f"mainnet/24443168: repeat {block.repeat}: one repeat * ms, start-up *, sd within a process * %, *"
    result.stdout.fnmatch_lines([f"*ethrex-perf: {why}"])
    assert result.stdout.str().count("start-up") == 1


def test_the_numbers_of_auto_are_those_of_its_pilot() -> None:
    noise = [0.98, 1.0, 1.02, 0.99, 1.01]
    starts_ns, level_ns = (1_000_000_000, 1_400_000_000, 1_800_000_000), (49e6, 50e6, 51e6)
    times = [[70_000_000, *(round(level * each) for each in noise)] for level in level_ns]
    invocations = [
        msgspec.structs.replace(
            builders.one().blocks[0].pairs[0].head,
            exec_ns=tuple(exec_ns),
            prep_ns=(10_000_000,) * 6,
            wall_ns=sum(exec_ns) + 60_000_000 + start_ns,
        )
        for exec_ns, start_ns in zip(times, starts_ns, strict=True)
    ]
    chosen = pilot.choose(invocations, drop=1)
    assert chosen.startup_ns == 1.4e9
    assert chosen.repeat_ns == pytest.approx((70e6 + 5 * 50e6) / 6 + 10e6)
    assert str(chosen) == (
        f"repeat {chosen.repeats}: one repeat 63.33 ms, start-up 1.400 s, "
        "sd within a process 1.6 %, between processes 1.9 %"
    )


def test_auto_is_the_stored_baselines_where_there_is_one(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, "--ethrex-repeat=5", "--ethrex-invocations=6")
    bench.gate(f"--ethrex-replay={program}", "--ethrex-repeat=auto", "--ethrex-invocations=6")
    assert asked(bench, program) == [5] * 12


def test_auto_finds_a_missing_baseline_before_the_pilot(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.gate(f"--ethrex-replay={program}", "--ethrex-repeat=auto")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["there is no baseline *--ethrex-repeat=auto *--ethrex-update-baseline*"],
    )
    assert bench.calls(program) == []


def test_auto_finds_the_same_program_twice_before_the_pilot(bench: Bench) -> None:
    program = bench.program("head")
    bench.compare(program, program, "--ethrex-repeat=auto").assert_outcomes(skipped=1)
    assert bench.calls(program) == []


def test_auto_is_the_default_for_a_test_that_only_replays(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_it(ethrex_replay): assert len(ethrex_replay(24443168).exec_ns) == 11")
    program = bench.program("head")
    bench.run(f"--ethrex-replay={program}", "--ethrex-repeat=auto").assert_outcomes(passed=1)
    assert asked(bench, program) == [11]


def test_the_command_that_repeats_it_holds_against_the_settings_file(bench: Bench) -> None:
    bench.configure("repeat = 5\n")
    program = bench.program("head")
    result = bench.gate(f"--ethrex-replay={program}", "--ethrex-repeat=11")
    result.stdout.fnmatch_lines(["*pytest --ethrex-block=mainnet/24443168 *--ethrex-repeat=11 *"])
    result = bench.gate(f"--ethrex-replay={program}")
    result.stdout.fnmatch_lines(["*pytest --ethrex-block=mainnet/24443168 *"])
    result.stdout.no_fnmatch_line("*--ethrex-repeat*")
