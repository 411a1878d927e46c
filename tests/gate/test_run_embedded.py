"""The gate on blocks that are really executed, by the embedded program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

ROOT = Path(__file__).parent.parent.parent
BUNDLED = ("--ethrex-cache-dir=bundled", "--ethrex-repeat=3", "--ethrex-json=results.json")


def test_a_program_that_does_twice_the_work_is_a_regression(bench: Bench) -> None:
    head = "embedded --extra-work 100"
    result = bench.compare(head, "embedded", *BUNDLED, block="hoodi:9000001")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (block,) = bench.results().blocks
    assert block.metrics[0].decision.verdict == "regression"
    (opcodes,) = [row for row in block.rows if row.name == "opcodes"]
    assert opcodes.change == pytest.approx(1.0, abs=0.001)
    assert {block.head.program.kind, block.base.program.kind} == {"embedded"}  # type: ignore[union-attr]
    assert block.head.phases["exec"] > 0  # type: ignore[union-attr]  # measured: there is a head


def test_every_workload_that_it_knows_is_made_replayed_and_recorded(bench: Bench) -> None:
    options = ("--ethrex-json=results.json", "--ethrex-repeat=2")
    result = bench.record("embedded", *options, block="workload:all,gas=60K,seed=2")
    result.assert_outcomes(passed=4)
    folders = [
        f"{name}-gas60K-seed2" for name in ("erc20-transfer", "eth-transfer", "keccak", "sstore-fresh")
    ]
    assert sorted(path.name for path in (bench.path / "baselines/workload").iterdir()) == folders
    assert sorted(path.name for path in (bench.path / "replay_cache").glob("workload-*")) == [
        f"workload-{folder}" for folder in folders
    ]
    for block in bench.results().blocks:
        assert block.error is None
        assert block.gas == pytest.approx(60_000, rel=0.2)


def test_a_workload_that_it_does_not_know_is_an_error(bench: Bench) -> None:
    result = bench.compare("embedded --extra-work 1", "embedded", *BUNDLED[1:], block="workload:mulmod")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the embedded program knows no mulmod: it knows eth-transfer, erc20-*"])


def test_a_block_that_does_not_execute_is_an_error_and_no_verdict(bench: Bench) -> None:
    bundled = ROOT / "pytest_ethrex_perf/embedded/blocks/cache_hoodi_9000001.json"
    text = bundled.read_text()
    at = text.index('"stateRoot"') + len('"stateRoot": "0x')
    (bench.path / "replay_cache" / bundled.name).write_text(text[:at] + "00" + text[at + 2 :])
    result = bench.compare("embedded --extra-work 1", "embedded", block="hoodi:9000001")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["hoodi/9000001: *World State Root does not match the one in the header*"])


def test_the_examples_run_as_they_are(tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "ETHREX_REPLAY"):
        environ.pop(name, None)
    options = (
        "--ethrex-aa",
        "--ethrex-time-budget=5s",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path / 'base'}",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "examples", *options],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "interleaved, A/A" in done.stdout
