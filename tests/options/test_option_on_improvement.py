"""--ethrex-on-improvement: some teams want a red build to tell them to record anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_by_default_it_passes(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=50), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=3")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*ethrex-perf: 1 improvement*"])


def test_fail_fails_and_says_what_to_do(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=50), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-on-improvement=fail")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "improvement: mainnet/24443168 exec is * – --ethrex-on-improvement fail: record a new baseline",
            "*reproduce: pytest *--ethrex-on-improvement=fail*",
        ]
    )


def test_anything_else_is_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-on-improvement=warn")
    assert told == "--ethrex-on-improvement: 'warn' is not a value of it: choose from pass, fail"
