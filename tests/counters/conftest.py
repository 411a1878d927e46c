"""The program with known work, built once, and the instruments that are installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.counters import callgrind, probe
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay.invocation import invoke
from pytest_ethrex_perf.replay.program import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.host.perf_tool import PerfTool
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.replay.instrument import Instrument

SOURCE = Path(__file__).with_name("program.c")
BLOCK = BlockId("hoodi", 9000001)


def build(source: Path, program: Path, *options: str) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc is not installed")
    subprocess.run(
        [compiler, "-O1", "-Wall", "-Wextra", "-Werror", *options, "-pthread", "-o", program, source],
        check=True,
    )
    return program


@pytest.fixture(scope="session")
def known_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program whose work is known; see program.c."""
    return build(SOURCE, tmp_path_factory.mktemp("known") / "known-work")


@pytest.fixture(scope="session")
def stripped(known_work: Path) -> Path:
    """The same without symbols."""
    return build(SOURCE, known_work.with_name("stripped"), "-s")


@pytest.fixture(scope="session")
def perf() -> PerfTool:
    """The perf of this machine."""
    try:
        return probe.find(os.environ)
    except MeasurementError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def valgrind() -> callgrind.Tool:
    """The valgrind of this machine."""
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    return callgrind.find(os.environ)


@pytest.fixture
def invoked(tmp_path: Path) -> Callable[..., Invocation]:
    """Run one invocation of a program under an instrument."""

    def run(
        program: Path, *options: str, instrument: Instrument, repeat: int = 3, turn: int = 0
    ) -> Invocation:
        words = " ".join([str(program), *options])
        found = resolve(words, cwd=tmp_path, environ=os.environ)
        return invoke(
            found,
            BLOCK,
            cache_dir=tmp_path,
            repeat=repeat,
            timeout=600,
            environ=os.environ,
            log_dir=tmp_path / "logs",
            label="head-001",
            instrument=instrument,
            turn=turn,
        )

    return run
