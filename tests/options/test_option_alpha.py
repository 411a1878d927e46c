"""--ethrex-alpha: probability of a false regression, for the whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_percent_and_fraction_are_the_same(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    for name, value in (("percent", "2%"), ("fraction", "0.02")):
        bench.compare(head, base, f"--ethrex-alpha={value}", "--ethrex-looks=6", f"--ethrex-json={name}.json")
        (block,) = bench.results(f"{name}.json").blocks
        assert block.metric("exec").rules.alpha == pytest.approx(0.02)
        assert block.metric("exec").decision.looks[0].alpha == pytest.approx(0.02)


def test_a_stricter_one_finds_less(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=66), bench.program("base")
    options = ("--ethrex-repeat=3", "--ethrex-looks=6")
    bench.compare(head, base, *options).assert_outcomes(failed=1)
    bench.compare(head, base, *options, "--ethrex-alpha=0.0000001%").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1", "write 1% for a percentage, or a fraction below 0.5"),
        ("0.5", "write 0.5% for a percentage, or a fraction below 0.5"),
        ("5", "write 5% for a percentage, or a fraction below 0.5"),
        ("0", "it must be above 0"),
        ("0%", "it must be above 0"),
        ("50%", "it must be below 50%"),
        ("small", "write a percentage like 1% or a fraction like 0.01"),
    ],
)
def test_what_could_be_meant_otherwise_is_refused(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-alpha={value}")
    assert told == f"--ethrex-alpha: {value!r} is not a value of it: {why}"
