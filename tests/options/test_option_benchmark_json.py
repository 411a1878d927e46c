"""--ethrex-benchmark-json: what `pytest-benchmark compare` reads."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.judge import samples
from tests import sampling

if TYPE_CHECKING:
    from tests.conftest import Bench

COMMAND = Path(sys.executable).parent / "pytest-benchmark"


def compare(bench: Bench, *arguments: str) -> str:
    """What the real command prints of our files."""
    done = subprocess.run(
        [COMMAND, "--storage", str(bench.path), "compare", *arguments],
        cwd=bench.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pytest_benchmark_reads_it_back(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-benchmark-json=bench.json")
    told = compare(bench, "bench.json", "--columns=median,rounds", "--sort=name")
    for metric in ("exec", "prep"):  # base and head of a metric side by side
        assert f"benchmark 'mainnet/24443168::{metric}': 2 tests" in told
        assert f"mainnet/24443168::{metric}[base]" in told


def test_two_runs_are_compared_side_by_side(bench: Bench) -> None:
    for name, exec_ms in (("before", 60), ("after", 120)):
        program = bench.program(name, exec_ms=exec_ms, noise=0)
        bench.record(program, f"--ethrex-benchmark-json={name}.json", f"--ethrex-baselines={name}")
    told = compare(bench, "before.json", "after.json", "--group-by=fullname", "--columns=median")
    rows = [" ".join(line.split()) for line in told.splitlines()]
    assert "mainnet/24443168::exec (before) 60.0000 (1.0)" in rows
    assert "mainnet/24443168::exec (after) 120.0000 (2.00)" in rows


def test_a_round_is_one_invocation_reduced_to_its_sample(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(
        program, "--ethrex-benchmark-json=bench.json", "--ethrex-json=r.json", "--ethrex-invocations=3"
    )
    content = bench.json("bench.json")
    (block,) = bench.results("r.json").blocks
    (exec_,) = (one for one in content["benchmarks"] if one["name"] == "mainnet/24443168::exec")
    seconds = sampling.seconds(block.invocations)
    assert exec_["stats"]["data"] == pytest.approx(seconds)
    assert exec_["stats"]["rounds"] == 3
    assert exec_["stats"]["median"] == pytest.approx(statistics.median(seconds))
    assert exec_["stats"]["stddev"] == pytest.approx(statistics.stdev(seconds))
    assert exec_["extra_info"] == {
        "block": "mainnet/24443168",
        "metric": "exec",
        "side": "head",
        "gas": 37_500_000,
        "txs": 442,
    }
    assert content["machine_info"]["node"] == bench.results("r.json").machine
    assert exec_["options"]["warmup"] == samples.DROP


def test_a_block_without_samples_is_left_out(bench: Bench) -> None:
    bench.record(bench.program("head", behaviour="nothing"), "--ethrex-benchmark-json=bench.json")
    assert bench.json("bench.json")["benchmarks"] == []
