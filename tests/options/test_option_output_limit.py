"""--ethrex-output-limit: how much one invocation may print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config import readers

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.mark.parametrize(("told", "size"), [("256MiB", 2**28), ("1.5kib", 1536), ("7B", 7)])
def test_sizes_have_a_unit(told: str, size: int) -> None:
    assert readers.output_limit(told) == size


@pytest.mark.parametrize("told", ["0", "0B", "5", "-1GB", "much", ""])
def test_what_is_no_size_is_wrong_usage(bench: Bench, told: str) -> None:
    message = bench.refuse("--ethrex-block=1", f"--ethrex-output-limit={told}")
    assert message == (
        f"--ethrex-output-limit: {told!r} is not a value of it: write a size like 256MiB or 1GB"
    )


def test_who_prints_more_is_killed_and_told_so(bench: Bench) -> None:
    result = bench.record(bench.program("head", behaviour="flood"), "--ethrex-output-limit=8MiB")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["mainnet/24443168: the program printed more than 8.0 MiB and was killed; --ethrex-output-limit *"]
    )


def test_who_prints_less_is_not(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-output-limit=8MiB").assert_outcomes(passed=1)
