"""--ethrex-on-inconclusive: said loudly, or a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

UNDECIDED = ("--ethrex-time-budget=1ms", "--ethrex-repeat=3")


def test_by_default_it_passes_and_is_said_loudly_but_is_no_pytest_warning(bench: Bench) -> None:
    result = bench.compare(bench.program("head"), bench.program("base"), *UNDECIDED, "-q", "-W", "error")
    result.assert_outcomes(passed=1, warnings=0)
    result.stdout.fnmatch_lines(
        ["*ethrex-perf: 1 inconclusive*", "mainnet/24443168: inconclusive: exec: only 1 pairs*"]
    )


def test_fail_fails(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    result = bench.compare(head, base, *UNDECIDED, "--ethrex-on-inconclusive=fail")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["inconclusive: mainnet/24443168 exec* – --ethrex-on-inconclusive fail"])


@pytest.mark.parametrize("value", ["", "pass", "FAIL"])
def test_anything_else_is_wrong_usage(bench: Bench, value: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-on-inconclusive={value}")
    assert told == f"--ethrex-on-inconclusive: {value!r} is not a value of it: choose from warn, fail"
