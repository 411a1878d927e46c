"""OpenMetrics text, as Prometheus's own parser reads it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pytest_ethrex_perf.report import openmetrics
from tests.report import builders

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.result import RunResult

RUNS = {"one": builders.one, "every outcome": builders.several, "hostile": builders.hostile}


def read(run: RunResult) -> dict[str, list[Any]]:
    """Labels and value of each sample, by name."""
    found: dict[str, list[Any]] = {}
    families = text_string_to_metric_families(openmetrics.dump(run))  # type: ignore[no-untyped-call] # its own
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


@pytest.mark.parametrize("name", RUNS)
def test_it_is_read_by_prometheus(name: str) -> None:
    assert "ethrex_perf_started_timestamp_seconds" in read(RUNS[name]())


def test_levels_are_in_seconds_and_changes_are_ratios() -> None:
    run = builders.one()
    metric, found = run.blocks[0].metric("exec"), read(run)
    labels = {"block": "mainnet/24443168", "metric": "exec"}
    assert found["ethrex_perf_time_seconds"] == [
        ({**labels, "side": "base"}, pytest.approx(metric.base / 1e9)),
        ({**labels, "side": "head"}, pytest.approx(metric.head / 1e9)),
    ]
    assert metric.decision.estimate is not None
    assert found["ethrex_perf_change_ratio"] == [
        (labels, pytest.approx(math.expm1(metric.decision.estimate)))
    ]
    ((_, low),), ((_, high),) = found["ethrex_perf_change_low_ratio"], found["ethrex_perf_change_high_ratio"]
    assert 0 < low < found["ethrex_perf_change_ratio"][0][1] < high


def test_each_verdict_is_one_state() -> None:
    states = read(builders.several())["ethrex_perf_verdict"]
    judged = {(labels["block"], labels["metric"]) for labels, _ in states}
    assert sum(value for _, value in states) == len(judged)
    blocks = read(builders.several())["ethrex_perf_block"]
    assert {labels["ethrex_perf_block"] for labels, value in blocks if value} == {
        "error",
        "recorded",
        "skipped",
    }


def test_a_run_without_blocks_is_still_a_text() -> None:
    assert list(read(builders.run([]))) == ["ethrex_perf_started_timestamp_seconds"]


def test_the_run_s_labels_say_which_commits_were_compared() -> None:
    ((labels, _),) = read(builders.one())["ethrex_perf_started_timestamp_seconds"]
    assert (labels["head_commit"], labels["base_commit"]) == (builders.HEAD.commit, "")
    assert labels["head"] == builders.HEAD.label
