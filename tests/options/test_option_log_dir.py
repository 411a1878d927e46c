"""--ethrex-log-dir: where the output of failed invocations is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_the_whole_output_of_a_failure_is_kept_there_and_named(bench: Bench) -> None:
    program = bench.program("head", behaviour={"2": "panic"}, says="index out of bounds")
    result = bench.record(program, "--ethrex-log-dir=logs/of/this")
    result.assert_outcomes(errors=1)
    kept = bench.path / "logs" / "of" / "this" / "mainnet-24443168-head-002.log"
    result.stdout.fnmatch_lines([f"mainnet/24443168: *the whole output is in {kept}"])
    assert "thread 'main' (4711) panicked" in kept.read_text()


def test_without_a_failure_there_is_none(bench: Bench) -> None:
    bench.record(bench.program("head")).assert_outcomes(passed=1)
    assert not (bench.path / "ethrex-perf-logs").exists()
