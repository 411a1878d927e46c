"""What perf hides of the program that it counts: the program's end is its own, whoever started it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.counters import probe
from pytest_ethrex_perf.counters.events import event_sets
from pytest_ethrex_perf.counters.perf_stat import Perf
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host.perf_tool import PerfTool
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import failure
from pytest_ethrex_perf.replay.invocation import invoke
from pytest_ethrex_perf.replay.program import resolve
from tests.counters import fake_perf
from tests.faults import fake_replay

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Invocation

SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGTERM)


@pytest.fixture(autouse=True)
def believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake program takes no time at all, whatever it says."""
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)


@pytest.fixture
def real_perf() -> Perf:
    """The perf of this machine."""
    try:
        return Perf(probe.find(os.environ), ())
    except MeasurementError as error:
        pytest.skip(str(error))


def of_plan(directory: Path, **plan: object) -> Perf:
    return Perf(PerfTool(str(fake_perf.write(directory / "bin", **plan)), "6.8.12"), event_sets())


def replay(tmp_path: Path, perf: Perf, *, repeat: int = 3, **plan: object) -> Invocation:
    program = fake_replay.write(tmp_path / "program", plan=plan)
    return invoke(
        resolve(str(program), cwd=tmp_path, environ=os.environ),
        BlockId("mainnet", 24443168),
        cache_dir=tmp_path,
        repeat=repeat,
        timeout=60,
        environ=os.environ,
        log_dir=tmp_path / "logs",
        label="head-001",
        instrument=perf,
    )


def error_of(tmp_path: Path, perf: Perf, **arguments: object) -> str:
    with pytest.raises(MeasurementError) as caught:
        replay(tmp_path, perf, **arguments)  # type: ignore[arg-type] # `repeat` or the plan
    return str(caught.value)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("repeat", [1, 3])
def test_a_program_that_dies_after_its_report_is_no_measurement(
    tmp_path: Path, number: signal.Signals, repeat: int
) -> None:
    error = error_of(
        tmp_path, of_plan(tmp_path), repeat=repeat, behaviour="killed late", returncode=int(number)
    )
    assert f"the program was killed by {number.name}" in error


@pytest.mark.parametrize("number", SIGNALS)
def test_nor_is_it_beside_the_real_perf(tmp_path: Path, real_perf: Perf, number: signal.Signals) -> None:
    error = error_of(tmp_path, real_perf, behaviour="killed late", returncode=int(number))
    assert f"the program was killed by {number.name}" in error


def test_the_exit_code_and_the_last_words_are_the_programs(tmp_path: Path) -> None:
    error = error_of(tmp_path, of_plan(tmp_path), behaviour="panic", says="index out of bounds")
    assert "the program failed with exit code 101: index out of bounds (panicked at src/main.rs" in error


def test_a_program_that_vanished_is_named(tmp_path: Path) -> None:
    program = fake_replay.write(tmp_path / "program")
    found = resolve(str(program), cwd=tmp_path, environ=os.environ)
    program.unlink()
    with pytest.raises(MeasurementError, match=r"ethrex-replay: .*not found.*exit code 127"):
        invoke(
            found,
            BlockId("mainnet", 24443168),
            cache_dir=tmp_path,
            repeat=3,
            timeout=60,
            environ=os.environ,
            log_dir=tmp_path / "logs",
            label="head-001",
            instrument=of_plan(tmp_path),
        )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_death_of_perf_is_not_the_programs(tmp_path: Path, number: signal.Signals) -> None:
    error = error_of(tmp_path, of_plan(tmp_path, killed=int(number)), behaviour="hang")
    assert f"perf was killed by {number.name}" in error
    assert "the program was killed" not in error


def test_a_program_that_ends_well_is_a_measurement(tmp_path: Path, real_perf: Perf) -> None:
    assert len(replay(tmp_path, real_perf).exec_ns) == 3
