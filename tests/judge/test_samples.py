"""One number an invocation, whether it is a time or a count."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge.samples import comparable, first_counts, identity, sample, step, stored, usual
from pytest_ethrex_perf.records.measurement import Count, StoredSession
from pytest_ethrex_perf.records.metric import COUNTS, METRICS, TIMES, limits, unit
from tests.baseline.builders import make_invocation

BY_CALLGRIND = "instructions:u by callgrind (function, exec)"


def count(*values: float, **fields: Any) -> Count:
    given = {"instrument": "callgrind", "method": "function", "covers": "exec", "user_only": True, **fields}
    return Count(event="instructions", values=values, **given)


def invocation(*values: float, **fields: Any) -> Any:
    return make_invocation(60, counts={"instructions": count(*values, **fields)})


def test_a_time_is_the_median_of_its_repeats_after_the_drop() -> None:
    given = make_invocation(exec_ns=(90, 60, 50, 70), prep_ns=(9, 6, 5, 7))
    assert sample(given, "exec", 1) == math.log(60)
    assert sample(given, "prep", 2) == math.log(6)
    assert step([given], "exec") == pytest.approx(math.log1p(1 / 65))


def test_a_count_is_the_median_of_the_repeats_that_were_told_apart() -> None:
    assert sample(invocation(4_000, 4_400, 4_100), "instructions", 1) == math.log(4_100)
    assert sample(invocation(4_000), "instructions", 3) == math.log(4_000), "the first is left out already"
    assert step([invocation(4_000)], "instructions") == math.log1p(1 / 4_000)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (make_invocation(), "instructions was not counted: see --ethrex-counters"),
        (invocation(missing="this machine does not support it"), "this machine does not support it"),
        (invocation(4_000, running=93), "counted 93 % of the time only, and extrapolated"),
        (invocation(0), "0 in a repeat is too few"),
        (invocation(-3), "-3 in a repeat is too few"),
    ],
)
def test_what_was_not_counted_exactly_is_never_judged(given: Any, told: str) -> None:
    with pytest.raises(MeasurementError, match=told):
        sample(given, "instructions", 1)
    with pytest.raises(MeasurementError, match=told):
        step([given], "instructions")


def test_counts_that_came_about_differently_are_never_compared() -> None:
    alike = [invocation(4_000), invocation(4_001), invocation(missing="not now"), make_invocation()]
    assert identity(alike, "instructions") == BY_CALLGRIND
    with pytest.raises(
        MeasurementError, match=r"by callgrind \(difference, repeat\); .*never|never compared"
    ):
        identity([*alike, invocation(6_000, method="difference", covers="repeat")], "instructions")
    assert identity(alike, "exec") is None
    assert identity([make_invocation()], "instructions") is None


def session(*invocations: Any, day: int = 1, times: bool = True) -> StoredSession:
    return StoredSession(
        id="",
        started=f"2026-01-0{day}T08:00:00+00:00",
        program_sha256="",
        times=times,
        invocations=invocations,
    )


def test_of_a_stored_session_only_what_was_counted_alike_is_compared() -> None:
    by_perf = invocation(3_900, instrument="perf", method="window", covers="repeat")
    perf = "instructions:u by perf (window, repeat)"
    here = session(by_perf, make_invocation(), invocation(4_000), invocation(missing="not now"))
    assert comparable(here, "exec", None) == list(here.invocations)
    assert comparable(here, "instructions", perf) == [by_perf]
    assert comparable(here, "instructions", None) == []
    assert usual([here], "instructions") == perf


def test_what_callgrind_counts_is_at_home_where_times_are_not_compared() -> None:
    counted = invocation(4_000)
    assert comparable(session(counted), "instructions", BY_CALLGRIND) == []
    apart = session(counted, times=False)
    assert comparable(apart, "instructions", BY_CALLGRIND) == [counted]
    assert comparable(apart, "exec", None) == []
    recorded = [session(counted), apart, session(invocation(4_100), day=2, times=False)]
    assert stored(recorded, "instructions", 1, BY_CALLGRIND) == [[math.log(4_000)], [math.log(4_100)]]
    assert usual(recorded, "instructions") == BY_CALLGRIND


def test_every_metric_is_one_of_times_and_counts_and_has_limits() -> None:
    assert set(METRICS) == set(TIMES) | set(COUNTS)
    for metric in METRICS:
        for callgrind in (True, False):
            margin, tolerance, floor, drift = limits(metric, callgrind=callgrind)
            assert 0 < margin < tolerance
            assert (floor > 0) == (metric in TIMES)
            assert 0 < drift < tolerance
    assert limits("instructions", callgrind=True) == (0.003, 0.01, 0, 0.001)
    assert [unit(metric) for metric in ("exec", "task-clock", "instructions")] == ["ns", "ns", ""]


def test_one_count_of_each_name_stands_for_all() -> None:
    given = [invocation(missing="not now"), invocation(4_000), invocation(4_001)]
    assert first_counts(given)["instructions"].values == (4_000,)
