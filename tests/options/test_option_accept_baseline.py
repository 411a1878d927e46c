"""--ethrex-accept-baseline: another level is accepted, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def slower(bench: Bench) -> str:
    """A program that contradicts the baseline that is stored."""
    bench.record(bench.program("head"), "--ethrex-invocations=6")
    return bench.program("slow", exec_ms=120)


def accept(bench: Bench, program: str, reason: str) -> pytest.RunResult:
    """Without --ethrex-update-baseline: accepting is recording."""
    return bench.gate(
        f"--ethrex-replay={program}",
        f"--ethrex-accept-baseline={reason}",
        "--ethrex-invocations=6",
        "--ethrex-repeat=3",
    )


def test_it_begins_an_epoch_with_the_reason(bench: Bench, slower: str) -> None:
    result = accept(bench, slower, "Prague is more work")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*recorded: epoch 2 begun (Prague is more work): session *"])
    (file,) = (bench.path / "baselines").rglob("*.json")
    assert [epoch["reason"] for epoch in bench.json(str(file))["epochs"]] == [
        "first recording",
        "Prague is more work",
    ]


def test_from_then_on_the_new_level_is_compared_with(bench: Bench, slower: str) -> None:
    accept(bench, slower, "Prague is more work")
    options = ("--ethrex-repeat=3", "--ethrex-invocations=6")
    bench.gate(f"--ethrex-replay={slower}", *options).assert_outcomes(passed=1)
    result = bench.gate("--ethrex-replay=bin/head", *options)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*1 improvement*"])


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_needed(bench: Bench, reason: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-accept-baseline={reason}")
    assert told == f"--ethrex-accept-baseline: {reason!r} is not a value of it: it is empty"
