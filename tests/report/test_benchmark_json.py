"""pytest-benchmark's JSON: the fields that its readers need (read back by the real command in
tests/options/test_option_benchmark_json.py)."""

from __future__ import annotations

import json
import math
import statistics
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from pytest_benchmark.utils import get_commit_info, load_timer

from pytest_ethrex_perf.records.origin import Job, Origin, Source
from pytest_ethrex_perf.report import benchmark_json
from tests.report import builders

if TYPE_CHECKING:
    from pathlib import Path

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
    assert content["datetime"] == builders.START.isoformat()


def test_the_commit_is_told_as_the_origin_has_it() -> None:
    source = Source(commit="b2" * 20, branch="faster", time="2026-01-02T03:04:05+00:00", dirty=True)
    run = msgspec.structs.replace(builders.one(), origin=Origin(builds={builders.HEAD.sha256: source}))
    info = dumped(run)["commit_info"]
    told = {"id": source.commit, "branch": "faster", "time": source.time, "dirty": True}
    assert info == {**told, "author_time": None}


def test_a_ci_s_commit_stands_in_only_where_head_s_is_not_known() -> None:
    job = Job(commit=Source(commit="c3" * 20, branch="main"))
    run = msgspec.structs.replace(builders.one(), origin=Origin(job=job))
    assert dumped(run)["commit_info"]["id"] == builders.HEAD.commit
    assert dumped(builders.run([], origin=Origin(job=job)))["commit_info"]["id"] == "c3" * 20


def test_a_run_without_a_known_commit_says_so_as_pytest_benchmark_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    info = dumped(builders.run([]))["commit_info"]
    assert info == {name: get_commit_info(project_name="x")[name] for name in info}
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
