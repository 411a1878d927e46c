"""--ethrex-update-baseline-new-only: records what is missing, and leaves the rest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench

NEW_ONLY = ("--ethrex-update-baseline-new-only", "--ethrex-invocations=2", "--ethrex-repeat=3")


def test_only_blocks_without_a_baseline_are_measured_and_recorded(bench: Bench) -> None:
    bench.cache(1)
    program = bench.program("head")
    bench.record(program, block="1")
    (file,) = (bench.path / "baselines").rglob("*.json")
    before, calls = file.read_bytes(), len(bench.calls(program))
    result = bench.gate(f"--ethrex-replay={program}", *NEW_ONLY, block="1,24443168")
    result.assert_outcomes(passed=1, skipped=1)
    assert f"mainnet/1: skipped: it has a baseline already: {file}" in " ".join(result.stdout.str().split())
    assert file.read_bytes() == before
    assert len(bench.calls(program)) == calls + 2
    assert len(list((bench.path / "baselines").rglob("*.json"))) == 2


def test_auto_repeats_need_no_pilot_of_a_block_that_is_skipped(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program)
    calls = len(bench.calls(program))
    options = (f"--ethrex-replay={program}", *NEW_ONLY[:2], "--ethrex-repeat=auto")
    bench.gate(*options).assert_outcomes(skipped=1)
    assert len(bench.calls(program)) == calls


def test_a_broken_baseline_is_an_error_and_not_taken_for_one(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program)
    (file,) = (bench.path / "baselines").rglob("*.json")
    file.write_text("{")
    bench.gate(f"--ethrex-replay={program}", *NEW_ONLY).assert_outcomes(errors=1)
    assert file.read_text() == "{"


def test_it_records_as_update_baseline_does(bench: Bench) -> None:
    base = bench.program("base")
    told = bench.refuse("--ethrex-block=1", NEW_ONLY[0], f"--ethrex-base={base}")
    assert "records and compares nothing" in told
    result = bench.gate("--co", "-q", f"--ethrex-replay={base}", NEW_ONLY[0], block="1..4")
    assert "ethrex-block::all::exec" not in result.outlines


def test_it_contradicts_accepting_a_change(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", NEW_ONLY[0], "--ethrex-accept-baseline=because")
    assert told.endswith("--ethrex-update-baseline-new-only leaves it alone: drop one of them")


def test_it_is_done_once_and_cannot_stand_in_a_file(bench: Bench) -> None:
    bench.configure("update_baseline_new_only = true")
    assert "unknown name 'update_baseline_new_only'" in bench.refuse("--ethrex-block=1")
