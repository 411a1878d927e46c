from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.judge import sample

REPEATS = st.lists(st.integers(1, 10**12), min_size=2, max_size=30)


def test_a_sample_is_the_log_of_the_median_without_the_first_repeat() -> None:
    assert sample.log_median([90.0, 61.0, 60.0, 59.0]) == math.log(60.0)


def test_the_number_of_dropped_repeats_can_be_raised() -> None:
    assert sample.log_median([90.0, 80.0, 60.0, 58.0], drop=2) == math.log(59.0)


@given(REPEATS)
def test_ten_identical_copies_of_every_repeat_leave_the_sample_as_it_is(repeats: list[int]) -> None:
    copies = [value for value in repeats for _ in range(10)]
    assert sample.log_median(copies, drop=10) == sample.log_median(repeats)


@given(REPEATS, st.floats(1e-6, 1e6))
def test_a_unit_only_moves_the_sample(repeats: list[int], unit: float) -> None:
    scaled = sample.log_median([value * unit for value in repeats])
    assert scaled == pytest.approx(sample.log_median(repeats) + math.log(unit), abs=1e-9)


@pytest.mark.parametrize("repeats", [[], [60.0]])
def test_too_few_repeats_are_refused(repeats: list[float]) -> None:
    with pytest.raises(ValueError, match="leave nothing to measure"):
        sample.log_median(repeats)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_repeat_that_is_no_duration_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match=r"repeat 3 is .*: a repeat is a positive, finite number"):
        sample.log_median([60.0, 60.0, bad])


def test_a_negative_drop_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot drop -1 repeats"):
        sample.log_median([60.0, 60.0], drop=-1)


@pytest.mark.parametrize(
    ("duration", "step"),
    [(832.0, 1.0), (832_110.0, 10.0), (59_230_000.0, 10_000.0), (1.2e9, 1e7), (61.23e9, 1e7), (999.0, 1.0)],
)
def test_the_resolution_is_a_hundredth_of_the_unit_that_is_printed(duration: float, step: float) -> None:
    assert sample.resolution(duration) == step


def test_a_block_above_one_second_has_a_coarse_step() -> None:
    assert sample.step([1_200_000_000] * 11) == pytest.approx(0.01 / 1.2, rel=0.01)
    assert sample.step([59_230_000] * 11) == pytest.approx(0.01 / 59.23, rel=0.01)
