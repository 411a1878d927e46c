"""--ethrex-tolerance: proven to be within this is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.mark.parametrize(("tolerance", "verdict"), [("15%", "unchanged"), ("1.5%", "inconclusive")])
def test_what_is_proven_within_it_is_unchanged(bench: Bench, tolerance: str, verdict: str) -> None:
    head, base = bench.program("head", noise=0.03), bench.program("base", noise=0.03)
    options = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-json=results.json")
    bench.compare(head, base, f"--ethrex-tolerance={tolerance}", *options).assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    assert block.metric("exec").decision.verdict == verdict


def test_three_percent_is_the_default_and_is_shown(bench: Bench) -> None:
    result = bench.compare(bench.program("head"), bench.program("base"), "--ethrex-repeat=3")
    result.stdout.fnmatch_lines(["*that it is within 3 %"])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("0", "it must be above 0"),
        ("5", "write 5% for a percentage, or a fraction below 0.5"),
        ("much", "write a percentage like 1% or a fraction like 0.01"),
    ],
)
def test_what_is_no_fraction_is_wrong_usage(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-tolerance={value}")
    assert told == f"--ethrex-tolerance: {value!r} is not a value of it: {why}"
