"""The table of metrics."""

from __future__ import annotations

from typing import get_args

import pytest

from pytest_ethrex_perf.records.metric import (
    COUNTS,
    DEFAULT,
    INSTRUCTIONS,
    METRICS,
    TASK_CLOCK,
    TIMES,
    Time,
    has_floor,
    limits,
    named,
    unit,
)
from tests.report import builders


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_a_time_or_counted_and_has_limits(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    assert (name in TIMES, name in COUNTS) == (metric.is_time, not metric.is_time)
    assert metric.is_time or metric.perf or metric.callgrind
    for callgrind in (True, False):
        margin, tolerance, floor, drift = limits(name, callgrind=callgrind)
        assert 0 < margin < tolerance
        assert (floor > 0) == has_floor(name) == (unit(name) == "ns")
        assert 0 < drift < tolerance


def test_what_callgrind_counts_has_the_sharpest_limits() -> None:
    assert limits(INSTRUCTIONS, callgrind=True) == (0.003, 0.01, 0, 0.001)
    assert limits(INSTRUCTIONS, callgrind=False) == limits("cycles", callgrind=False)
    assert limits(DEFAULT, callgrind=True) == limits(DEFAULT, callgrind=False)


def test_cpu_time_has_wider_limits_than_latency_and_the_same_floor() -> None:
    assert limits(TASK_CLOCK, callgrind=False) == (0.02, 0.05, 0.2e6, 0.01)
    assert limits(TASK_CLOCK, callgrind=False).floor == limits(DEFAULT, callgrind=False).floor


def test_times_are_in_nanoseconds() -> None:
    assert [unit(name) for name in ("exec", "task-clock", "instructions")] == ["ns", "ns", ""]


def test_an_event_that_is_no_metric_is_a_count() -> None:
    assert not named("dTLB-load-misses").is_time
    assert unit("dTLB-load-misses") == ""


def test_each_time_reads_repeats_of_its_own() -> None:
    assert get_args(Time) == TIMES
    invocation = builders.one().blocks[0].pairs[0].head
    assert [invocation.repeats(name) for name in TIMES] == [invocation.exec_ns, invocation.prep_ns]
    with pytest.raises(KeyError, match="cycles"):
        invocation.repeats("cycles")
