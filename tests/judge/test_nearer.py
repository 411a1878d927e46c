from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.judge import nearer
from pytest_ethrex_perf.judge.nearer import ERROR, LOOKS, Spent, places_of

Rounds = tuple[list[float], list[float], list[float]]
ROUNDS = 60
STEPS = 8
MARGIN = 0.01
EDGE = 1e-9  # so near to the middle that chance alone tells the side, yet one of them is wrong


def rounds(position: float, gap: float, sd: float, number: int, seed: int = 0) -> Rounds:
    """Samples of good, step and bad that share what a round does to all of them."""
    noise = np.random.default_rng(seed)
    drift = noise.normal(0, 0.2, number)
    good, step, bad = (
        (math.log(60e6) + at * gap + drift + noise.normal(0, sd, number)).tolist() for at in (0, position, 1)
    )
    return good, step, bad


@pytest.mark.parametrize(("position", "side"), [(0.0, "good"), (0.3, "good"), (0.7, "bad"), (1.0, "bad")])
def test_a_step_goes_to_the_end_that_it_is_nearer_to(position: float, side: str) -> None:
    nearness = nearer.nearer(*rounds(position, 0.08, 0.005, 24), 0.01, margin=MARGIN)
    assert nearness.place == side
    assert nearness.gap == pytest.approx(0.08, abs=0.01)
    assert nearness.low <= nearness.mean <= nearness.high
    assert (nearness.low > 0) if side == "bad" else (nearness.high < 0)


def test_a_step_in_the_middle_is_between_where_both_halves_hold_a_slowdown() -> None:
    measured = rounds(0.5, 0.08, 0.001, 24)
    nearness = nearer.nearer(*measured, 0.01, margin=MARGIN)
    assert (nearness.place, nearness.rounds) == ("between", 24)
    assert nearness.low < 0 < nearness.high
    good, step, bad = measured
    assert nearer.nearer(good[:23], step[:23], bad[:23], 0.01, margin=MARGIN).place is None
    assert nearer.nearer(*measured, 0.01, margin=0.05).place is None


def test_counts_that_repeat_themselves_are_told_at_the_first_look() -> None:
    good, step, bad = ([math.log(count)] * 6 for count in (1_000_000, 1_080_000, 1_080_000))
    assert nearer.nearer(good, step, bad, 0.001, margin=MARGIN, resolution=1e-6).place == "bad"
    assert nearer.nearer(good, good, bad, 0.001, margin=MARGIN, resolution=1e-6).place == "good"


def test_a_difference_within_the_resolution_tells_nothing() -> None:
    good, step, bad = ([value] * 24 for value in (0.0, 0.0, 0.019))
    assert nearer.nearer(good, step, bad, 0.01, margin=MARGIN, resolution=0.01).place is None


def test_fewer_than_six_rounds_tell_nothing() -> None:
    nearness = nearer.nearer(*rounds(1, 0.08, 0.0, 5), 0.01, margin=MARGIN)
    assert (nearness.place, nearness.half_width) == (None, math.inf)
    assert nearer.nearer([], [], [], 0.01, margin=MARGIN).rounds == 0


@given(st.integers(0, 30), st.integers(1, 200))
def test_the_steps_of_a_search_spend_less_than_its_error(expected: int, steps: int) -> None:
    spent = list(itertools.islice(nearer.errors(expected), steps))
    assert all(error > 0 for error in spent)
    assert sum(spent) < ERROR


@given(st.floats(1e-6, 0.5))
def test_the_looks_of_a_step_spend_its_error(error: float) -> None:
    assert len(nearer.spending(error)) == len(LOOKS)
    assert sum(map(sum, nearer.spending(error))) == pytest.approx(error)


@given(st.integers(1, 5000))
def test_halving_takes_so_many_steps(commits: int) -> None:
    steps = nearer.steps_expected(commits)
    assert 2**steps >= commits
    assert steps == 0 or 2 ** (steps - 1) < commits


@given(
    st.lists(st.tuples(*[st.floats(-1, 1)] * 3), min_size=6, max_size=60),
    st.floats(1e-4, 0.1),
    st.floats(0, 0.01),
)
def test_swapping_the_ends_swaps_the_sides(
    measured: list[tuple[float, float, float]], error: float, resolution: float
) -> None:
    good, step, bad = zip(*measured, strict=True)
    one = nearer.nearer(good, step, bad, error, margin=0.01, resolution=resolution)
    mirrored = nearer.nearer(
        [-x for x in good], [-x for x in step], [-x for x in bad], error, margin=0.01, resolution=resolution
    )
    assert {one.place, mirrored.place} in ({None}, {"good", "bad"})
    assert one.rounds == mirrored.rounds


@given(st.integers(6, 60), st.integers(0, 1000))
def test_more_rounds_never_turn_a_told_step_back(first: int, seed: int) -> None:
    good, step, bad = rounds(0.65, 0.06, 0.01, 90, seed)
    early = nearer.nearer(good[:first], step[:first], bad[:first], 0.02, margin=MARGIN)
    late = nearer.nearer(good, step, bad, 0.02, margin=MARGIN)
    assert early.place is None or (early.place, early.rounds) == (late.place, late.rounds)


def wrong_searches(plans: list[tuple[Spent, ...]], searches: int = 1500, *, skewed: bool = False) -> float:
    """Share of searches that go wrong where every step is hard to tell and yet belongs to good.

    It lies just on good's side of the middle and just within good's margin: every other answer is wrong.
    """
    noise = np.random.default_rng(24443168)
    wrong = np.zeros(searches, dtype=bool)
    shape = (3, searches, ROUNDS)
    for plan in plans:
        good, step, bad = noise.lognormal(-4.5, 0.8, shape) if skewed else noise.normal(0, 0.01, shape)
        bound = math.log1p(MARGIN)
        places = places_of(good, step + bound - EDGE, bad + 2 * bound, plan, margin=MARGIN)
        wrong |= places.codes > 0
    return float(wrong.mean())


def plans(errors: list[float]) -> list[tuple[Spent, ...]]:
    return [nearer.spending(error) for error in errors]


def test_searches_go_wrong_no_more_often_than_they_may_and_without_splitting_they_do() -> None:
    errors = list(itertools.islice(nearer.errors(STEPS), STEPS))
    assert wrong_searches(plans(errors)) <= ERROR
    # what an undivided error would do: over the looks of a step, over the steps, over neither
    assert wrong_searches([(Spent(error, error),) * len(LOOKS) for error in errors]) > ERROR
    assert wrong_searches(plans([ERROR] * STEPS)) > ERROR
    assert wrong_searches([(Spent(ERROR, ERROR),) * len(LOOKS)] * STEPS) > 4 * ERROR


def test_skewed_noise_keeps_the_error() -> None:
    """What disturbs a process only ever makes it slower: the samples of all three lean to one side."""
    assert wrong_searches(plans(list(itertools.islice(nearer.errors(STEPS), STEPS))), skewed=True) <= ERROR


@pytest.mark.parametrize(
    ("good", "step", "bad", "error", "message"),
    [
        ([0.0] * 6, [0.0] * 6, [0.0] * 5, 0.01, "6, 6 and 5 samples make no rounds"),
        ([0.0] * 6, [math.nan] * 6, [0.0] * 6, 0.01, "step holds nan"),
        ([0.0] * 6, [0.0] * 6, [0.0] * 6, 0.0, "error is 0.0"),
    ],
)
def test_what_is_no_measurement_is_refused(
    good: list[float], step: list[float], bad: list[float], error: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nearer.nearer(good, step, bad, error, margin=MARGIN)
    with pytest.raises(ValueError, match="not to be expected"):
        next(nearer.errors(-1))
