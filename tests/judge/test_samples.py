"""One number an invocation, whether it is a time or a count."""

from __future__ import annotations

import math
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge.samples import (
    comparable,
    first_counts,
    identity,
    of,
    of_repeats,
    resolution,
    sample,
    step,
    step_of_repeats,
    stored,
    usual,
    while_counted,
)
from pytest_ethrex_perf.records.measurement import Count, StoredSession
from tests.baseline.builders import make_invocation

REPEATS = st.lists(st.integers(1, 10**12), min_size=2, max_size=30)
BY_CALLGRIND = "instructions:u by callgrind (function, exec)"


def count(*values: float, **fields: Any) -> Count:
    chosen = {"instrument": "callgrind", "method": "function", "covers": "exec", "user_only": True, **fields}
    return Count(event="instructions", values=values, **chosen)


def invocation(*values: float, **fields: Any) -> Any:
    return make_invocation(60, counts={"instructions": count(*values, **fields)})


def test_a_time_is_the_mean_of_the_lowest_logs_of_its_repeats_after_the_drop() -> None:
    given = make_invocation(exec_ns=(90, 60, 50, 70, 80), prep_ns=(9, 6, 5, 7, 1))
    assert sample(given, "exec", 1) == pytest.approx(math.log(50 * 60 * 70) / 3)
    assert sample(given, "prep", 2) == pytest.approx(math.log(5 * 1 * 7) / 3)


def test_a_time_of_an_older_file_is_the_median_of_its_repeats() -> None:
    given = make_invocation(exec_ns=(90, 60, 50, 70, 80), prep_ns=(9, 6, 5, 7, 1))
    assert sample(given, "exec", 1, "median") == math.log(65)
    assert sample(given, "prep", 2, "median") == math.log(5)
    assert of([given, given], "exec", 2, "median") == [math.log(70)] * 2


def test_the_resolution_is_that_of_all_repeats() -> None:
    given = make_invocation(exec_ns=(90, 60, 50, 70))
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


def test_what_callgrind_counts_belongs_where_times_are_not_compared() -> None:
    counted = invocation(4_000)
    assert comparable(session(counted), "instructions", BY_CALLGRIND) == []
    apart = session(counted, times=False)
    assert comparable(apart, "instructions", BY_CALLGRIND) == [counted]
    assert comparable(apart, "exec", None) == []
    recorded = [session(counted), apart, session(invocation(4_100), day=2, times=False)]
    assert stored(recorded, "instructions", 1, BY_CALLGRIND) == [[math.log(4_000)], [math.log(4_100)]]
    assert usual(recorded, "instructions") == BY_CALLGRIND


def test_one_count_of_each_name_stands_for_all() -> None:
    given = [invocation(missing="not now"), invocation(4_000), invocation(4_001)]
    assert first_counts(given)["instructions"].values == (4_000,)


def test_counts_are_taken_up_to_the_last_for_they_end_with_their_decision() -> None:
    counted, not_counted = invocation(4_000), make_invocation()
    assert while_counted([counted, not_counted, counted, not_counted], "instructions") == [
        counted,
        not_counted,
        counted,
    ]
    assert while_counted([counted, not_counted], "exec") == [counted, not_counted]
    assert while_counted([not_counted], "instructions") == [not_counted]
    assert while_counted([], "instructions") == []


# --- the repeats of a time ----------------------------------------------------------------------------------


def test_a_sample_is_the_mean_log_of_the_seven_lowest_of_ten() -> None:
    assert of_repeats([1.0, *(float(n) for n in range(69, 59, -1))]) == pytest.approx(
        sum(math.log(n) for n in range(60, 67)) / 7
    )


@pytest.mark.parametrize(
    ("counted", "kept"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (9, 7), (10, 7), (20, 14)]
)
def test_seventy_per_cent_are_kept_rounded_up(counted: int, kept: int) -> None:
    slowest_kept = [9.0, *([1.0] * (kept - 1)), math.e, *([100.0] * (counted - kept))]
    assert of_repeats(slowest_kept) == pytest.approx(1 / kept)


def test_the_number_of_dropped_repeats_can_be_raised() -> None:
    assert of_repeats([90.0, 40.0, 60.0, 58.0], drop=2) == pytest.approx(math.log(60 * 58) / 2)


@hypothesis.given(REPEATS)
def test_ten_identical_copies_of_ten_repeats_leave_the_sample_as_it_is(repeats: list[int]) -> None:
    ten = (repeats[1:] * 10)[:10]
    assert of_repeats([1, *ten * 10]) == pytest.approx(of_repeats([1, *ten]), abs=1e-9)


@hypothesis.given(REPEATS, st.floats(1.0, 1e3))
def test_a_disturbed_repeat_hardly_moves_the_sample(repeats: list[int], factor: float) -> None:
    slowest = max(repeats[1:])
    ten = [1, *[min(repeats[1:])] * 9, slowest]
    assert of_repeats([*ten[:-1], slowest * factor]) == of_repeats(ten)


@hypothesis.given(REPEATS, st.floats(1e-6, 1e6))
def test_a_unit_only_moves_the_sample(repeats: list[int], unit: float) -> None:
    scaled = of_repeats([value * unit for value in repeats])
    assert scaled == pytest.approx(of_repeats(repeats) + math.log(unit), abs=1e-9)


@pytest.mark.parametrize("repeats", [[], [60.0]])
def test_too_few_repeats_are_refused(repeats: list[float]) -> None:
    with pytest.raises(ValueError, match="leave nothing to measure"):
        of_repeats(repeats)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_repeat_that_is_no_duration_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match=r"repeat 3 is .*: a repeat is a positive, finite number"):
        of_repeats([60.0, 60.0, bad])


def test_a_negative_drop_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot drop -1 repeats"):
        of_repeats([60.0, 60.0], drop=-1)


@pytest.mark.parametrize(
    ("duration", "step"),
    [(832.0, 1.0), (832_110.0, 10.0), (59_230_000.0, 10_000.0), (1.2e9, 1e7), (61.23e9, 1e7), (999.0, 1.0)],
)
def test_the_resolution_is_a_hundredth_of_the_unit_that_is_printed(duration: float, step: float) -> None:
    assert resolution(duration) == step


def test_a_block_above_one_second_has_a_coarse_step() -> None:
    assert step_of_repeats([1_200_000_000] * 11) == pytest.approx(0.01 / 1.2, rel=0.01)
    assert step_of_repeats([59_230_000] * 11) == pytest.approx(0.01 / 59.23, rel=0.01)
