from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.judge import nearer
from pytest_ethrex_perf.judge.nearer import ERROR, LOOKS, told_apart

Rounds = tuple[list[float], list[float], list[float]]
ROUNDS = 120
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
    told = nearer.nearer(*rounds(position, 0.08, 0.005, 24), 0.01)
    assert told.side == side
    assert told.gap == pytest.approx(0.08, abs=0.01)
    assert told.low <= told.mean <= told.high
    assert (told.low > 0) if side == "bad" else (told.high < 0)


def test_a_step_in_the_middle_is_not_told() -> None:
    told = nearer.nearer(*rounds(0.5, 0.08, 0.001, 24), 0.01)
    assert told.side is None
    assert told.rounds == 24
    assert told.low < 0 < told.high


def test_counts_that_repeat_themselves_are_told_at_the_first_look() -> None:
    good, step, bad = ([math.log(count)] * 6 for count in (1_000_000, 1_080_000, 1_080_000))
    assert nearer.nearer(good, step, bad, 0.001, 1e-6).side == "bad"
    assert nearer.nearer(good, good, bad, 0.001, 1e-6).side == "good"


def test_a_difference_within_the_resolution_tells_nothing() -> None:
    good, step, bad = ([value] * 24 for value in (0.0, 0.0, 0.019))
    assert nearer.nearer(good, step, bad, 0.01, 0.01).side is None


def test_fewer_than_six_rounds_tell_nothing() -> None:
    told = nearer.nearer(*rounds(1, 0.08, 0.0, 5), 0.01)
    assert (told.side, told.half_width) == (None, math.inf)
    assert nearer.nearer([], [], [], 0.01).rounds == 0


@given(st.integers(0, 30), st.integers(1, 200))
def test_the_steps_of_a_search_spend_less_than_its_error(expected: int, steps: int) -> None:
    spent = list(itertools.islice(nearer.errors(expected), steps))
    assert all(error > 0 for error in spent)
    assert sum(spent) < ERROR


@given(st.floats(1e-6, 0.5))
def test_the_looks_of_a_step_spend_its_error(error: float) -> None:
    assert len(nearer.spent(error)) == len(LOOKS)
    assert sum(nearer.spent(error)) == pytest.approx(error)


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
    one = nearer.nearer(good, step, bad, error, resolution)
    mirrored = nearer.nearer([-x for x in good], [-x for x in step], [-x for x in bad], error, resolution)
    assert {one.side, mirrored.side} in ({None}, {"good", "bad"})
    assert one.rounds == mirrored.rounds


@given(st.integers(6, 60), st.integers(0, 1000))
def test_more_rounds_never_turn_a_told_step_back(first: int, seed: int) -> None:
    good, step, bad = rounds(0.65, 0.06, 0.01, 90, seed)
    early = nearer.nearer(good[:first], step[:first], bad[:first], 0.02)
    late = nearer.nearer(good, step, bad, 0.02)
    assert early.side is None or (early.side, early.rounds) == (late.side, late.rounds)


def wrong_searches(steps: int, spending: list[tuple[float, ...]], searches: int = 4000) -> float:
    """Share of searches that go wrong where every step lies just on good's side of the middle."""
    noise = np.random.default_rng(24443168)
    wrong = np.zeros(searches, dtype=bool)
    for spent in spending[:steps]:
        z = noise.normal(-EDGE, 0.012, (searches, ROUNDS))
        wrong |= told_apart(z, spent).signs > 0
    return float(wrong.mean())


def test_searches_go_wrong_no_more_often_than_they_may_and_without_splitting_they_do() -> None:
    steps = 4
    errors = list(itertools.islice(nearer.errors(steps), steps))
    honest = [nearer.spent(error) for error in errors]
    assert wrong_searches(steps, honest) <= ERROR
    # what an undivided error would do: over the looks of a step, over the steps, over neither
    assert wrong_searches(steps, [(error,) * len(LOOKS) for error in errors]) > ERROR
    assert wrong_searches(steps, [nearer.spent(ERROR)] * steps) > ERROR
    assert wrong_searches(steps, [(ERROR,) * len(LOOKS)] * steps) > 4 * ERROR


def test_skewed_noise_keeps_the_error() -> None:
    """What disturbs a process only ever makes it slower: the samples of all three lean to one side."""
    noise = np.random.default_rng(7)
    searches, errors = 4000, list(itertools.islice(nearer.errors(4), 4))
    wrong = np.zeros(searches, dtype=bool)
    for error in errors:
        good, step, bad = noise.lognormal(-4.5, 0.8, (3, searches, ROUNDS))
        z = step - (good + bad) / 2
        wrong |= told_apart(z - EDGE, nearer.spent(error)).signs > 0
    assert wrong.mean() <= ERROR


@pytest.mark.parametrize(
    ("good", "step", "bad", "error", "message"),
    [
        ([0.0] * 6, [0.0] * 6, [0.0] * 5, 0.01, "6, 6 and 5 samples make no rounds"),
        ([0.0] * 6, [math.nan] * 6, [0.0] * 6, 0.01, "z holds nan"),
        ([0.0] * 6, [0.0] * 6, [0.0] * 6, 0.0, "error is 0.0"),
    ],
)
def test_what_is_no_measurement_is_refused(
    good: list[float], step: list[float], bad: list[float], error: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nearer.nearer(good, step, bad, error)
    with pytest.raises(ValueError, match="not to be expected"):
        next(nearer.errors(-1))
