"""The program whose hotspots are known, profiled once, and the tools that are installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.commands import doctor
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import perf as perf_tool
from pytest_ethrex_perf.profile import record
from pytest_ethrex_perf.profile.sampling import Sampling
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import program

if TYPE_CHECKING:
    from pytest_ethrex_perf.profile.perf import Perf
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.records.measurement import Program, Side

BLOCK = BlockId("mainnet", 24443168)
SOURCE = Path(__file__).with_name("toy.cpp")


@pytest.fixture(scope="session")
def perf() -> Perf:
    """The perf of this machine."""
    try:
        return perf_tool.find(os.environ)
    except MeasurementError as error:
        pytest.skip(f"perf is not installed: {error}")


@pytest.fixture(scope="session")
def interpreter() -> set[str]:
    """What may take most of CPython's time: its loop, or what has no name in a stripped Python."""
    python = Path(sys.executable).resolve()
    stripped = ".symtab" not in (doctor.elf_sections(python) or {".symtab"})
    return {"_PyEval_EvalFrameDefault", *([f"[{python.name}]"] if stripped else [])}


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multi-threaded replay program with ethrex's frame names; see toy.cpp."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    built = tmp_path_factory.mktemp("toy") / "toy"
    flags = ["-std=c++17", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
    subprocess.run([compiler, *flags, "-o", built, SOURCE], check=True)
    return built


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay program with a stack as deep as it is told; see deep.c."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc is not installed")
    built = tmp_path_factory.mktemp("deep") / "deep"
    flags = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", built, SOURCE.with_name("deep.c")], check=True)
    return built


@pytest.fixture(scope="session")
def profiles(perf: Perf, toy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Side, list[Profile]]:
    """The toy against itself with `ethrex_trie::Node::encode` 30 % slower, profiled for real."""
    where = tmp_path_factory.mktemp("profiles")

    def resolve(spec: str) -> Program:
        return program.resolve(spec, cwd=where, environ=os.environ)

    sides: dict[Side, Program] = {"base": resolve(str(toy)), "head": resolve(f"{toy} --slow 30")}
    recorder = record.Recorder(perf, BLOCK, cache_dir=where, environ=os.environ, log_dir=where, repeat=8)
    profiles: dict[Side, list[Profile]] = {"base": [], "head": []}
    for side, profile in recorder.in_turns(sides, 3, lambda frequency: Sampling(frequency=frequency)):
        profiles[side].append(profile)
    return profiles
