import numpy as np
import pytest

from pytest_ethrex_perf.judge import changes

NOISE = np.random.default_rng(7).standard_normal(120) * 0.01
ERRORS = np.full(120, 0.003)


def everywhere(standardised: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    """A library that proposes much too much."""
    return list(range(5, standardised.size - 5, 5))


def with_steps(*steps: tuple[int, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    means = NOISE.copy()
    for start, percent in steps:
        means[start:] += np.log1p(percent / 100)
    return means


def test_nothing_is_found_in_noise() -> None:
    assert changes.find(NOISE, ERRORS, everywhere) == []


def test_a_step_is_found_where_it_fits_best() -> None:
    (step,) = changes.find(with_steps((63, 5)), ERRORS, everywhere)
    assert abs(step.start - 63) <= 1
    assert step.earliest <= 63 <= step.latest
    assert step.change == pytest.approx(np.log1p(0.05), abs=3 * step.se)


def test_too_few_sessions_say_nothing() -> None:
    assert changes.find([0.0] * 4 + [1.0] * 5, [0.01] * 9, everywhere) == []


def test_bad_nights_are_no_level() -> None:
    means = NOISE.copy()
    means[[40, 41, 42, 80, 117, 118, 119]] += 0.5
    assert changes.find(means, ERRORS, lambda _: [35, 40, 45, 80, 85, 115]) == []


def test_a_jump_in_the_last_nights_is_found_after_five() -> None:
    step = with_steps((115, 12))
    assert changes.find(step[:119], ERRORS[:119], lambda _: [114]) == []
    (found,) = changes.find(step, ERRORS, lambda _: [115])
    assert found.start == 115


def test_sessions_with_large_errors_count_less() -> None:
    means, errors = with_steps((60, 4)), ERRORS.copy()
    errors[::3] = 0.5
    means[::3] -= 0.02
    (found,) = changes.find(means, errors, everywhere)
    assert np.expm1(found.change) == pytest.approx(0.04, abs=0.01)


def test_an_unknown_error_is_a_usual_one() -> None:
    errors = ERRORS.copy()
    errors[::2] = np.nan
    assert len(changes.find(with_steps((60, 5)), errors, everywhere)) == 1
    assert len(changes.find(with_steps((60, 5)), np.full(120, np.nan), everywhere)) == 1


def test_equal_counts_have_no_changes_but_those_beyond_the_least_noise() -> None:
    counts = np.array([1.0] * 20 + [1.0001] * 20)
    assert changes.find(counts, [0.0] * 40, everywhere, least=0.001) == []
    (found,) = changes.find([1.0] * 20 + [1.1] * 20, [0.0] * 40, everywhere, least=0.001)
    assert found.start == 20


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        changes.find([np.nan] * 10, [0.1] * 10, everywhere)


def step(start: int, change: float) -> changes.Step:
    return changes.Step(start, start, start, change, 0.003, 0.0)


def test_creep_is_one_change() -> None:
    (creep,) = changes.changes([step(10 * n, 0.008) for n in range(1, 11)], 0.01, 0.03)
    assert creep.change == pytest.approx(0.08)
    assert creep.se == pytest.approx(0.003 * np.sqrt(10))
    assert len(creep.steps) == 10


def test_what_differs_in_direction_or_is_large_and_far_apart_is_not_joined() -> None:
    found = [step(10, 0.05), step(50, 0.05), step(55, 0.04), step(90, -0.02), step(130, 0.02)]
    joined = changes.changes(found, 0.01, 0.03)
    assert [[each.start for each in change.steps] for change in joined] == [[10], [50, 55], [90], [130]]


def test_a_change_within_the_margin_is_none() -> None:
    assert changes.changes([step(10, 0.008), step(20, -0.008)], 0.01, 0.03) == []
