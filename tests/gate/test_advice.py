"""The one command that an inconclusive block ends with, over made-up measurements and in a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.counters import callgrind
from pytest_ethrex_perf.gate.advice import LONGEST_S, Situation, callgrind_seconds, choose, rounded_up
from pytest_ethrex_perf.judge.prospect import Noise
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.measurement import Usage
from tests.baseline.builders import make_invocation

if TYPE_CHECKING:
    from tests.conftest import Bench

CPU_TIME = Rules(margin=0.02, tolerance=0.05)


def situation(sd: float = 0.04, **fields: Any) -> Situation:
    made = Situation(Noise("exec", Rules(), sd, 23), pairs=24, pair_s=2.0, metrics=("exec",))
    return replace(made, **fields)


def test_patience_where_half_an_hour_suffices_with_the_minutes_from_the_sd() -> None:
    chosen = choose(situation())
    assert chosen.options == ("--ethrex-patience=4m",)
    assert chosen.reason == "sd 4.1 %: 100 pairs, about 3 min 20 s, tell +3 % from +1 %"
    assert {"looks", "patience", "time_budget"} == set(chosen.without)


def test_patience_is_never_less_than_the_run_had() -> None:
    assert choose(situation(patience_s=60.0)).options == ("--ethrex-patience=4m",)
    chosen = choose(situation(patience_s=600.0))
    assert chosen.options == ("--ethrex-looks=6,10,16,24,36,54,81,100",)
    assert chosen.reason == choose(situation()).reason


def test_more_noise_takes_more_patience() -> None:
    minutes = [
        int(choose(situation(sd)).options[0].removeprefix("--ethrex-patience=").removesuffix("m"))
        for sd in (0.04, 0.06, 0.08)
    ]
    assert minutes == sorted(minutes)
    assert minutes[-1] > 2 * minutes[0]


def test_patience_is_preferred_to_all_else() -> None:
    beside = (Noise("task-clock", CPU_TIME, 0.01, 23),)
    chosen = choose(situation(pin="4-7", switches=400, beside=beside, callgrind_s=60.0))
    assert chosen.options == ("--ethrex-patience=4m",)


def test_a_plan_that_came_to_its_end_looks_longer_not_again() -> None:
    chosen = choose(situation(pairs=120))
    assert chosen.options[0].startswith("--ethrex-looks=6,")
    assert chosen.options[0].endswith(",480")
    assert "looks" in chosen.without


def test_threads_that_move_are_pinned_where_patience_does_not_suffice() -> None:
    chosen = choose(situation(0.3, pin="4-7", switches=230.0, callgrind_s=60.0))
    assert chosen.options == ("--ethrex-prefix=taskset -c 4-7",)
    assert (
        chosen.reason == "threads were taken off a CPU 230 times a second: pinned, they stay where they are"
    )
    hybrid = choose(situation(0.3, pin="0-15"))
    assert hybrid.reason.startswith("this CPU has several kinds of core")


def test_cpu_time_that_varied_less_in_the_same_pairs_comes_before_callgrind() -> None:
    quiet, loud = (Noise("task-clock", CPU_TIME, sd, 23) for sd in (0.04, 0.4))
    chosen = choose(situation(0.3, beside=(quiet,), callgrind_s=60.0))
    assert chosen.options == ("--ethrex-metrics=exec,task-clock",)
    assert "the sd of exec is 35.0 %, that of task-clock 4.1 %" in chosen.reason
    assert (
        choose(situation(0.3, beside=(loud,), callgrind_s=60.0)).options[0] == "--ethrex-counters=callgrind"
    )


def test_callgrind_says_what_it_costs() -> None:
    chosen = choose(situation(0.3, callgrind_s=250.0))
    assert chosen.options == ("--ethrex-counters=callgrind", "--ethrex-metrics=exec,instructions")
    assert chosen.reason.endswith("about 4 min 10 s for 6 pairs")
    assert "not time" in chosen.reason
    assert "too much for 900 pairs; " in chosen.reason


def test_callgrind_for_a_block_of_which_too_few_pairs_fit_into_half_an_hour() -> None:
    chosen = choose(situation(0.1, pair_s=60.0, callgrind_s=250.0))
    assert "too much for half an hour; callgrind" in chosen.reason


@pytest.mark.parametrize(("cpu_s", "wall_s", "expected"), [(2.0, 0.5, 2.0), (0.5, 2.0, 2.0), (1.0, 1.0, 1.0)])
def test_callgrind_takes_50_times_the_cpu_time_or_what_a_loaded_machine_makes_of_it(
    cpu_s: float, wall_s: float, expected: float
) -> None:
    usage = Usage(
        user_ns=int(cpu_s * 1e9),
        system_ns=0,
        max_rss_kib=None,
        voluntary_switches=0,
        involuntary_switches=0,
    )
    timed = make_invocation(repeat=4, wall_ns=int(wall_s * 1e9), usage=usage)
    assert callgrind_seconds([timed]) == pytest.approx(50 * expected / 4 * (callgrind.REPEATS + 1))


def test_a_tolerance_that_the_machine_supports_where_nothing_else_is_there() -> None:
    for seconds in (None, LONGEST_S + 1):
        chosen = choose(situation(0.3, callgrind_s=seconds))
        tolerance, patience = chosen.options
        assert tolerance == "--ethrex-tolerance=6%"
        assert patience == "--ethrex-patience=30m"
        assert "tolerance" in chosen.without


def test_one_pair_that_takes_an_hour_still_gets_a_command() -> None:
    chosen = choose(situation(0.3, pair_s=3600.0))
    assert chosen.options[0].startswith("--ethrex-tolerance=")


@pytest.mark.parametrize(("tolerance", "percent"), [(0.05, 5), (0.0501, 5.5), (0.0549, 5.5), (0.03, 3)])
def test_tolerances_are_rounded_up_to_halves(tolerance: float, percent: float) -> None:
    assert rounded_up(tolerance) == percent


@pytest.mark.parametrize("columns", ["80", "160"])
def test_an_inconclusive_block_ends_with_one_command_on_one_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    programs = bench.program("head", noise=0.05), bench.program("base", noise=0.05)
    options = ("--ethrex-looks=6", "--ethrex-repeat=3", "--ethrex-json=results.json")
    result = bench.compare(*programs, *options, "--ethrex-time-budget=10m")
    (block,) = bench.results().blocks
    assert block.metric("exec").decision.verdict == "inconclusive"
    assert block.advice is not None
    command = (
        "pytest --ethrex-block=mainnet/24443168 --ethrex-replay=bin/head --ethrex-base=bin/base "
        "--ethrex-repeat=3 --ethrex-patience="
    )
    assert block.advice.command.startswith(command), "without the looks and the budget that ended it"
    lines = [line for line in result.outlines if "--ethrex-patience=" in line]
    assert [line.strip() for line in lines] == [block.advice.command]
    result.stdout.fnmatch_lines(["  to decide it here (sd *: * pairs, *", f"    {command}*"])
    result.stdout.no_fnmatch_line("*stop other work on it, pin the program*")


def test_quiet_runs_end_with_it_too_and_decided_blocks_do_not(bench: Bench) -> None:
    loud = bench.program("head", noise=0.05), bench.program("base", noise=0.05)
    result = bench.compare(*loud, "--ethrex-looks=6", "--ethrex-repeat=3", "-q", "-q")
    result.stdout.fnmatch_lines(
        ["*inconclusive*", "  to decide it here (*", "    pytest *--ethrex-patience=*"]
    )
    slow = bench.program("slow", exec_ms=90), bench.program("base2")
    result = bench.compare(*slow, "--ethrex-repeat=3", "--ethrex-json=results.json")
    assert bench.results().blocks[0].advice is None
    result.stdout.no_fnmatch_line("*to decide it here*")


def test_what_varied_less_in_the_same_pairs_is_read_from_the_run(bench: Bench) -> None:
    bench.perf(per_repeat={"task-clock:u": 90}, noise=0.005)
    loud = bench.program("head", noise=0.9), bench.program("base", noise=0.9)
    bench.compare(*loud, "--ethrex-looks=6", "--ethrex-repeat=3", "--ethrex-json=results.json")
    advice = bench.results().blocks[0].advice
    assert advice is not None
    assert "--ethrex-metrics=exec,task-clock" in advice.command
    assert "--ethrex-looks" not in advice.command
