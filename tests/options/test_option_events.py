"""--ethrex-events: events of the user's own, counted and shown like the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config.parsers import events

if TYPE_CHECKING:
    from tests.conftest import Bench

COUNTED = {"instructions:u": 900, "cycles:u": 300, "LLC-loads:u": 123_456, "task-clock:u": 5}


def test_they_are_counted_in_their_turn_and_shown(bench: Bench) -> None:
    bench.perf(per_repeat=COUNTED)
    options = ("--ethrex-events=LLC-loads", "--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-json=r.json")
    result = bench.compare(bench.program("head"), bench.program("base"), *options)
    result.stdout.fnmatch_lines(["  LLC-loads (window) * 123.5 k *"])
    counted = ["LLC-loads" in pair.head.counts for pair in bench.results("r.json").blocks[0].pairs]
    assert counted == [False, False, True] * 2


def test_one_that_perf_does_not_know_is_wrong_usage(bench: Bench) -> None:
    bench.perf(per_repeat=COUNTED, unknown="nosuch")
    told = bench.refuse("--ethrex-block=1", "--ethrex-events=nosuch,LLC-loads")
    assert (
        told == "--ethrex-events: perf 6.8 does not know nosuch: `perf list` shows the events of this machine"
    )


def test_without_a_pmu_it_says_which_are_not_counted(bench: Bench) -> None:
    bench.perf(per_repeat={"task-clock:u": 5, "page-faults:u": 7})
    options = ("--ethrex-events=LLC-loads,major-faults", "--ethrex-repeat=3", "--ethrex-looks=6")
    result = bench.compare(bench.program("head"), bench.program("base"), *options)
    result.stdout.fnmatch_lines(
        ["counters: no PMU: *; task-clock, major-faults are counted, LLC-loads can't be"]
    )


@pytest.mark.parametrize("mode", ["off", "callgrind"])
def test_only_perf_counts_them(bench: Bench, mode: str) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-events=LLC-loads", f"--ethrex-counters={mode}")
    assert told == f"--ethrex-events LLC-loads: perf counts them, not --ethrex-counters {mode}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("LLC-loads", ("LLC-loads",)),
        ("LLC-loads, dTLB-loads,LLC-loads", ("LLC-loads", "dTLB-loads")),
        (["LLC-loads", "cache-misses:u"], ("LLC-loads", "cache-misses:u")),
        (
            "cpu/event=0x3c,umask=1/u,LLC-loads,syscalls:sys_enter_futex",
            ("cpu/event=0x3c,umask=1/u", "LLC-loads", "syscalls:sys_enter_futex"),
        ),
    ],
)
def test_names_are_split_but_not_within_a_pmus_terms(text: object, names: tuple[str, ...]) -> None:
    assert events(text) == names


@pytest.mark.parametrize("text", ["", ",", "LLC-loads,", "a b", "-x", "LLC-loads;rm", "cpu/event=1"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write events as `perf list` does"):
        events(text)
