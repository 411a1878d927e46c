"""What our being installed costs a run that has nothing to do with us: two hooks, no libraries, no files.

Looked at from outside, in a process of its own: what was imported and which files were opened. How long it
takes is measured by `benchmarks/`; a time limit decides no test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_ethrex_perf
from pytest_ethrex_perf.config.options import CONFIG_NAME

if TYPE_CHECKING:
    from tests.conftest import Bench

HEAVY = ("numpy", "scipy", "msgspec", "junitparser", "tomli", "filelock", "Crypto", "ethereum", "jinja2")
PACKAGE = Path(pytest_ethrex_perf.__file__).parent
ALLOWED = {"__init__", "plugin", "config", "config.options"}
WATCH = """
import json, sys
opened, started = [], []
def by_us():
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("pytest_ethrex_perf"):
            return True
        frame = frame.f_back
    return False
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
    elif event in ("subprocess.Popen", "os.posix_spawn", "os.exec") and by_us():
        started.append(str(arguments[0]))
sys.addaudithook(watch)
import pytest
code = pytest.main(sys.argv[2:])
with open(sys.argv[1], "w") as report:
    modules = sorted(sys.modules)
    json.dump({"code": int(code), "modules": modules, "opened": opened, "started": started}, report)
"""


class Run:
    """What one run of pytest in its own process did."""

    def __init__(self, bench: Bench, *arguments: str) -> None:
        bench.pytester.makepyfile(test_other="def test_other(): pass")
        bench.configure("this is not TOML, but nobody reads it")
        report = bench.path / "report.json"
        subprocess.run(
            [sys.executable, "-c", WATCH, str(report), "-p", "no:benchmark", *arguments],
            cwd=bench.path,
            env={**os.environ, "PYTEST_ADDOPTS": ""},  # what helps our own tests is no part of it
            check=True,
            capture_output=True,
        )
        done = json.loads(report.read_text())
        self.code: int = done["code"]
        self.modules: set[str] = set(done["modules"])
        self.opened = [Path(name) for name in done["opened"]]
        self.started: list[str] = done["started"]

    def ours(self) -> set[str]:
        """Our modules that were imported, without the package's name."""
        return {
            name.partition(".")[2] or "__init__"
            for name in self.modules
            if name.partition(".")[0] == PACKAGE.name
        }


def module(file: Path) -> str:
    """Name of our module that `file` is the source or the bytecode of, without the package's name."""
    folders = [name for name in file.relative_to(PACKAGE).parent.parts if name != "__pycache__"]
    stem = file.name.partition(".")[0]
    return ".".join(folders if folders and stem == "__init__" else [*folders, stem])


@pytest.fixture(
    params=[(), ("--co", "-q"), ("--help",), ("--markers",), ("--fixtures", "-q"), ("-p", "no:terminal")],
    ids=lambda arguments: " ".join(arguments) or "plain",
)
def unrelated(bench: Bench, request: pytest.FixtureRequest) -> Run:
    """A run in which no block is asked for."""
    return Run(bench, *request.param)


def test_an_unrelated_run_imports_reads_and_starts_nothing(unrelated: Run) -> None:
    assert unrelated.code == pytest.ExitCode.OK
    assert "pytest_ethrex_perf.plugin" in unrelated.modules, "or this test would say nothing"
    assert unrelated.modules.isdisjoint(HEAVY)
    assert unrelated.ours() <= ALLOWED
    assert {module(path) for path in unrelated.opened if PACKAGE in path.parents} <= ALLOWED
    assert not [path for path in unrelated.opened if CONFIG_NAME in path.name]
    assert unrelated.started == []


def test_the_watch_would_notice(bench: Bench) -> None:
    run = Run(bench, "--ethrex-block=1", "--co")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert {"tomli", "numpy"} <= run.modules
    assert [path for path in run.opened if path.name == CONFIG_NAME]


def test_an_unrelated_run_leaves_nothing_behind(bench: Bench) -> None:
    before = set(bench.path.rglob("*"))
    bench.pytester.makepyfile(test_other="def test_other(): pass")
    bench.run("-p", "no:cacheprovider", "-p", "no:benchmark").assert_outcomes(passed=1)
    left = {path.name for path in set(bench.path.rglob("*")) - before if "pycache" not in str(path)}
    assert left == {"test_other.py"}
