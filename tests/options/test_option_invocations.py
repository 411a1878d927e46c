"""--ethrex-invocations: how many make a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_ten_are_recorded_unless_it_says_otherwise(bench: Bench) -> None:
    program = bench.program("head")
    bench.gate(f"--ethrex-replay={program}", "--ethrex-update-baseline", "--ethrex-repeat=3")
    assert len(bench.calls(program)) == 10
    bench.record(program, "--ethrex-invocations=3")
    assert len(bench.calls(program)) == 13


def test_a_comparison_takes_as_many_as_the_noise_asks_for_unless_it_says_otherwise(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, "--ethrex-invocations=6", "--ethrex-json=r.json")
    bench.gate(f"--ethrex-replay={program}", "--ethrex-repeat=3", "--ethrex-json=r.json")
    (block,) = bench.results("r.json").blocks
    assert 6 <= len(block.invocations) <= 30
    bench.gate(
        f"--ethrex-replay={program}", "--ethrex-repeat=3", "--ethrex-json=r.json", "--ethrex-invocations=7"
    )
    (block,) = bench.results("r.json").blocks
    assert len(block.invocations) == 7


def test_fewer_than_six_never_decide(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, "--ethrex-invocations=6")
    slow = bench.program("slow", exec_ms=300)
    result = bench.gate(
        f"--ethrex-replay={slow}", "--ethrex-repeat=3", "--ethrex-invocations=5", "--ethrex-archive-size=0"
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*inconclusive: exec: only 5 invocations: fewer than 6 are never a verdict*"]
    )


@pytest.mark.parametrize(("value", "why"), [("1", "it must be at least 2"), ("x", "write a whole number")])
def test_one_is_no_session(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-invocations={value}")
    assert told == f"--ethrex-invocations: {value!r} is not a value of it: {why}"
