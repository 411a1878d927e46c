"""What every test of the plugin starts from: a directory with a block, and programs of its choice."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

import pytest_ethrex_perf.items  # noqa: F401 - numpy cannot be loaded anew by each run in this process
from tests import cache_file
from tests.faults import fake_replay

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.results import RunResult

BLOCK = 24443168


class Bench:
    """A scratch directory in which pytest is run as a user would; programs take no time at all."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        self.cache(BLOCK)

    def cache(
        self, *numbers: int, network: str = "Mainnet", directory: str = "replay_cache", **header: str
    ) -> None:
        """Write the cache files of these blocks."""
        for number in numbers:
            cache_file.write(self.path / directory, number, network, **header)

    def program(self, name: str, *, exec_ms: float = 60, noise: float = 0.01, **plan: Any) -> str:
        """Write a program that prints repeats around `exec_ms`, each name with noise of its own."""
        plan = {"exec_ms": exec_ms, "prep_ms": 30, "noise": noise, "seed": sum(name.encode()), **plan}
        plan = {"gas": 37_500_000, "txs": 442, **plan}
        return str(fake_replay.write(self.path / "bin", name, plan).relative_to(self.path))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest here, in this process."""
        return self.pytester.runpytest_inprocess(*arguments)

    def gate(self, *arguments: str, block: str = str(BLOCK)) -> pytest.RunResult:
        """Gate `block`."""
        return self.run(f"--ethrex-block={block}", *arguments)

    def compare(self, head: str, base: str, *arguments: str, block: str = str(BLOCK)) -> pytest.RunResult:
        """Gate `head` against `base`, interleaved."""
        return self.gate(f"--ethrex-replay={head}", f"--ethrex-base={base}", *arguments, block=block)

    def calls(self, program: str) -> list[dict[str, Any]]:
        """How `program` was called: `argv` and `environ` of each invocation."""
        return fake_replay.calls(self.path / program)

    def results(self, file: str = "results.json") -> RunResult:
        """What --ethrex-json wrote."""
        from pytest_ethrex_perf.report import results_json

        return results_json.load(self.path / file)

    def json(self, file: str) -> Any:
        """Content of a JSON file."""
        return json.loads((self.path / file).read_text())


@pytest.fixture
def bench(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Bench:
    """A bench, untouched by this machine's environment; its locks are its own."""
    for name in ("ETHREX_REPLAY", "ETHREX_RPC_URL", "CI", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("locks")))
    return Bench(pytester)
