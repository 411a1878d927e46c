"""--ethrex-time-budget: the run ends with what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_what_was_measured_is_decided_and_what_was_not_is_an_error(bench: Bench) -> None:
    bench.cache(1)
    head, base = bench.program("head"), bench.program("base")
    options = ("--ethrex-time-budget=1ms", "--ethrex-repeat=3")
    result = bench.compare(head, base, *options, block="24443168,1")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "mainnet/1: the time budget was spent before it was measured: raise --ethrex-time-budget",
            "mainnet/24443168: inconclusive: exec: only 1 pairs: fewer than 6 are never a verdict; *",
        ]
    )
    result.stdout.fnmatch_lines(
        [
            "  to decide it here (6 pairs, the fewest that decide anything, take about *):",
            "    pytest --ethrex-block=* --ethrex-replay=bin/head --ethrex-base=bin/base --ethrex-repeat=3",
        ]
    )
    assert len(bench.calls(head)) == len(bench.calls(base)) == 1


def test_half_a_session_is_not_recorded(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.record(program, "--ethrex-time-budget=1ms", "--ethrex-invocations=3")
    result.assert_outcomes(errors=1)
    told = (
        "mainnet/24443168: the time budget was spent after 1 of 3 invocations, nothing was recorded: "
        "raise --ethrex-time-budget"
    )
    result.stdout.fnmatch_lines([told])
    assert not (bench.path / "baselines").exists()


def test_a_budget_that_lasts_changes_nothing(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=90), bench.program("base")
    bench.compare(head, base, "--ethrex-time-budget=1h", "--ethrex-repeat=3").assert_outcomes(failed=1)


@pytest.mark.parametrize("value", ["0", "0m", "ten", "-5m", ""])
def test_what_is_no_duration_is_wrong_usage(bench: Bench, value: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-time-budget={value}")
    assert told == (
        f"--ethrex-time-budget: {value!r} is not a value of it: write a duration above 0 like 90s, 10m or 1h"
    )
