"""What every test of the plugin starts from: a directory with a block, and programs of its choice."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

# what is loaded here is not loaded anew by each run in this process: numpy could not be, the others are slow
import filelock  # noqa: F401
import hypothesis  # its plugin loads half of it at the end of a run
import pytest
from Crypto.Hash import keccak  # noqa: F401

import pytest_ethrex_perf.pytest_run.fixtures
import pytest_ethrex_perf.pytest_run.session  # noqa: F401
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.counters import probe
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host.perf_tool import PerfTool
from tests import cache_file, forced_machine, whole_programs
from tests.counters import fake_perf
from tests.faults import fake_replay
from tests.profile.programs import deep, interpreter, perf, profiles, toy

__all__ = ["deep", "interpreter", "perf", "profiles", "toy"]  # fixtures of more than one room

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.result import RunResult

if importlib.util.find_spec("ethereum") is None:  # the extra [embedded] is not to be had for every Python
    collect_ignore_glob = ["embedded/*", "*embedded*", "commands/test_devblock.py", "records/test_rlp.py"]

BLOCK = 24443168
hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine's pause is no failure
hypothesis.settings.load_profile("patient")
CI_VARIABLES = ("CI_", "GITHUB_", "GITLAB_", "GH_", "RUNNER_", "ETHREX_")
PROFILE, PATIENCE = OPTIONS["profile"], OPTIONS["patience"]


def pytest_configure() -> None:
    """Forget what the CI says of its job, and take Ctrl-C, SIGHUP and SIGQUIT as a terminal would.

    Runs of the gate would write into the job's summary, and name its commits. A run in the background ignores
    the signals, and so would the programs that the tests start and stop.
    """
    for name in [name for name in os.environ if name.startswith(CI_VARIABLES) or name == "CI"]:
        del os.environ[name]
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def no_perf(*_: object, **__: object) -> PerfTool:
    """Where a test does not bring one, there is none: the programs take no time, perf would."""
    raise MeasurementError("the tests bring their own")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped, and how to have it run."""
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ").partition(": ")[0]
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        each = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
        terminalreporter.line(f"skipped ({each}); install what is missing: make tools")


class Bench:
    """A scratch directory in which pytest is run as a user would; programs take no time at all."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(probe, "find", no_perf)
        self.path: Path = pytester.path
        self.cache(BLOCK)

    def cache(
        self, *numbers: int, network: str = "Mainnet", directory: str = "replay_cache", **header: str
    ) -> None:
        """Write the cache files of these blocks."""
        for number in numbers:
            cache_file.write(self.path / directory, number, network, **header)

    def program(
        self, name: str, *, exec_ms: float | list[float] = 60, noise: float = 0.01, **plan: Any
    ) -> str:
        """Write a program that prints repeats around `exec_ms`, each name with noise of its own."""
        plan = {"exec_ms": exec_ms, "prep_ms": 30, "noise": noise, "seed": sum(name.encode()), **plan}
        plan = {"gas": 37_500_000, "txs": 442, **plan}
        return str(fake_replay.write(self.path / "bin", name, plan).relative_to(self.path))

    def perf(self, version: str = "6.8.12", **plan: Any) -> Path:
        """Bring a perf that counts by this plan (tests/counters/fake_perf)."""
        path = fake_perf.write(self.path / "tools", **plan)
        self._monkeypatch.setattr(probe, "find", lambda *_, **__: PerfTool(str(path), version))
        return path

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest here, in this process."""
        return self.pytester.runpytest_inprocess(*arguments)

    def gate(self, *arguments: str, block: str = str(BLOCK)) -> pytest.RunResult:
        """Gate `block`."""
        return self.run(f"--ethrex-block={block}", *arguments)

    def compare(self, head: str, base: str, *arguments: str, block: str = str(BLOCK)) -> pytest.RunResult:
        """Gate `head` against `base`, interleaved."""
        return self.gate(f"--ethrex-replay={head}", f"--ethrex-base={base}", *arguments, block=block)

    def record(self, program: str, *arguments: str, block: str = str(BLOCK)) -> pytest.RunResult:
        """Record a session of `program` as a baseline: the shortest run there is, but for `arguments`."""
        short = ("--ethrex-update-baseline", "--ethrex-invocations=2", "--ethrex-repeat=3")
        return self.gate(f"--ethrex-replay={program}", *short, *arguments, block=block)

    def refuse(self, *arguments: str) -> str:
        """Run pytest with wrong usage; return the one line that says so."""
        result = self.run(*arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR, result.stdout.str()
        (line,) = (line for line in result.errlines if line)
        return line.removeprefix("ERROR: ")

    def configure(self, toml: str) -> None:
        """Write ethrex-perf.toml."""
        (self.path / "ethrex-perf.toml").write_text(toml, encoding="utf-8")

    def calls(self, program: str) -> list[dict[str, Any]]:
        """How `program` was called: `argv` and `environ` of each invocation."""
        return fake_replay.calls(self.path / program)

    def results(self, file: str = "results.json") -> RunResult:
        """What --ethrex-json wrote."""
        from pytest_ethrex_perf.records import results_file

        return results_file.load(self.path / file)

    def json(self, file: str) -> Any:
        """Content of a JSON file."""
        return json.loads((self.path / file).read_text())


@pytest.fixture
def locks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that holds the directory of locks: those of a test stay among themselves."""
    directory = tmp_path_factory.mktemp("locks")
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@pytest.fixture
def bench(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Bench:
    """A bench, untouched by this machine's environment; its locks and its program archive are its own.

    Nothing is profiled and no plan goes on unless it is asked for: it would take longer than all else.
    """
    # codspeed is what one test alone wants, and each would load
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:codspeed -p tests.instant_programs -p tests.whole_programs")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    whole_programs.believe(monkeypatch)
    forced_machine.force(monkeypatch)
    monkeypatch.setenv("COLUMNS", "160")
    locks = str(tmp_path_factory.mktemp("locks"))
    monkeypatch.setattr(tempfile, "tempdir", locks)
    monkeypatch.setenv("TMPDIR", locks)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setitem(OPTIONS, "profile", PROFILE._replace(default="off"))
    monkeypatch.setitem(OPTIONS, "patience", PATIENCE._replace(default="0"))
    return Bench(pytester, monkeypatch)
