"""--ethrex-drop: repeats left out at the start of each invocation."""

from __future__ import annotations

from statistics import geometric_mean
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.mark.parametrize(("drop", "lowest_ms"), [(1, (50, 70, 100)), (2, (50, 70)), (3, (50,))])
def test_the_sample_is_of_what_is_left(bench: Bench, drop: int, lowest_ms: tuple[float, ...]) -> None:
    program = bench.program("head", exec_ms=[600, 100, 70, 50], noise=0)
    bench.record(program, "--ethrex-repeat=4", f"--ethrex-drop={drop}", "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    assert block.drop == drop
    assert block.head is not None
    assert block.head.exec_ns == pytest.approx(1e6 * geometric_mean(lowest_ms))


def test_one_is_the_default_and_the_raw_repeats_are_kept_whole(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    assert block.drop == 1
    assert {len(invocation.exec_ns) for invocation in block.invocations} == {3}


def test_dropping_everything_is_refused_before_anything_runs(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.record(program, "--ethrex-repeat=3", "--ethrex-drop=3")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: mainnet/24443168: 3 repeats, the first 3 dropped, leave nothing: raise --ethrex-repeat"]
    )
    assert bench.calls(program) == []


@pytest.mark.parametrize(("value", "why"), [("0", "it must be at least 1"), ("x", "write a whole number")])
def test_the_first_repeat_is_never_counted(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-drop={value}")
    assert told == f"--ethrex-drop: {value!r} is not a value of it: {why}"
