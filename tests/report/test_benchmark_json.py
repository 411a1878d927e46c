"""pytest-benchmark's JSON: the fields that its readers need (read back by the real command in
tests/options/test_option_benchmark_json.py)."""

from __future__ import annotations

import json
import math
import statistics
from typing import Any

import pytest
from pytest_benchmark.utils import load_timer

from pytest_ethrex_perf.report import benchmark_json
from tests.report import builders

STATS = {
    "min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers",
    "stddev_outliers", "outliers", "ld15iqr", "hd15iqr", "ops", "total", "data", "iterations",
}  # fmt: skip


def dumped(run: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(benchmark_json.dump(run))
    return content


def test_there_is_one_benchmark_for_each_side_and_time_metric() -> None:
    names = [one["name"] for one in dumped(builders.one())["benchmarks"]]
    assert sorted(names) == sorted(
        f"mainnet/24443168::{metric}{side}" for metric in ("exec", "prep") for side in ("", "[base]")
    )


def test_names_are_unique_over_every_kind_of_block() -> None:
    benchmarks = dumped(builders.several())["benchmarks"]
    fullnames = [one["fullname"] for one in benchmarks]
    assert len(fullnames) == len(set(fullnames))
    assert all(name.startswith("ethrex-block::") for name in fullnames)
    measured = [block for block in builders.several().blocks if block.pairs or block.invocations]
    assert {one["extra_info"]["block"] for one in benchmarks} == {block.block for block in measured}


def test_statistics_are_those_of_the_samples() -> None:
    (block,) = builders.one().blocks
    (head,) = (one for one in dumped(builders.one())["benchmarks"] if one["name"] == f"{block.block}::exec")
    samples = [math.exp(builders.logs(pair.head, "exec")) / 1e9 for pair in block.pairs]
    stats = head["stats"]
    assert set(stats) == STATS
    assert stats["data"] == pytest.approx(samples)
    assert stats["rounds"] == len(samples)
    assert stats["mean"] == pytest.approx(statistics.fmean(samples))
    assert stats["median"] == pytest.approx(statistics.median(samples))
    assert stats["stddev"] == pytest.approx(statistics.stdev(samples))
    assert stats["ops"] == pytest.approx(1 / statistics.fmean(samples))
    assert (stats["min"], stats["max"]) == pytest.approx((min(samples), max(samples)))


def test_the_machine_and_the_commit_are_told() -> None:
    content = dumped(builders.one())
    assert content["machine_info"]["node"] == builders.MACHINE.key
    assert content["machine_info"]["cpus"] == "32"
    assert content["commit_info"]["id"] == builders.HEAD.commit
    assert content["datetime"] == content["commit_info"]["time"] == builders.START.isoformat()


def test_a_run_without_a_known_commit_says_so() -> None:
    assert dumped(builders.run([]))["commit_info"]["id"] == "unknown"
    assert dumped(builders.run([]))["benchmarks"] == []


def test_the_top_level_is_what_pytest_benchmark_writes() -> None:
    assert set(dumped(builders.one())) == {
        "machine_info",
        "commit_info",
        "benchmarks",
        "datetime",
        "version",
    }
    assert load_timer is not None
