"""--ethrex-floor: an absolute change below which nothing is a regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def slower(bench: Bench) -> tuple[str, str]:
    """A head that takes 0.5 ms, a third, longer than its base."""
    return bench.program("head", exec_ms=2), bench.program("base", exec_ms=1.5)


@pytest.mark.parametrize("floor", ["1", "1ms", "1 ms"])
def test_a_smaller_change_is_no_regression_and_the_reason_is_told(
    bench: Bench, slower: tuple[str, str], floor: str
) -> None:
    options = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-json=results.json")
    bench.compare(*slower, f"--ethrex-floor={floor}", *options).assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    decision = block.metric("exec").decision
    assert decision.verdict == "inconclusive"
    assert "less than your floor of 1.000 ms" in decision.reason
    assert block.advice is None  # it is decided
    assert block.metric("exec").rules.floor == 1e6


def test_a_larger_change_is_one(bench: Bench, slower: tuple[str, str]) -> None:
    bench.compare(*slower, "--ethrex-repeat=3").assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("-1", "write a time in ms like 0.2ms, not negative"),
        ("inf", "write a time in ms like 0.2ms, not negative"),
        ("1s", "write a time in ms like 0.2ms"),
        ("", "write a time in ms like 0.2ms"),
    ],
)
def test_what_is_no_time_is_wrong_usage(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-floor={value}")
    assert told == f"--ethrex-floor: {value!r} is not a value of it: {why}"
