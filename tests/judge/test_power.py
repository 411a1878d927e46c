from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.judge import paired, power
from pytest_ethrex_perf.judge.bounds import REGRESSION
from pytest_ethrex_perf.judge.family import spending
from pytest_ethrex_perf.records.decision import Rules

RULES = Rules()
PLAN = spending(RULES, 24)
EFFECT = math.log1p(0.03)


@pytest.mark.parametrize(
    ("sd", "step", "rules"),
    [
        (0.005, 0.0, RULES),
        (0.016, 0.0, RULES),
        (0.016, 0.008, RULES),
        (0.05, 0.0, RULES),
        (0.02, 0.0, replace(RULES, gatings=20)),
        (0.02, 0.0, replace(RULES, looks=(6, 12))),
        (0.01, 0.0, replace(RULES, margin=0.003, tolerance=0.01)),
    ],
)
def test_the_detectable_effect_is_found_nine_times_in_ten(sd: float, step: float, rules: Rules) -> None:
    last = rules.looks[-1]
    effect = power.detectable(spending(rules, last), sd, rules, step=step)
    noise = np.random.default_rng(99).normal(0, sd, (20_000, last))
    caught = [
        (paired.judge_many(noise + true, rules, step=step).codes == REGRESSION).mean()
        for true in (effect, 0.9 * effect)
    ]
    assert caught[0] == pytest.approx(0.9, abs=0.012)
    assert caught[1] < 0.87


def test_a_plan_cut_short_sees_less() -> None:
    short = spending(RULES, 8, final=True)
    assert power.detectable(short, 0.02, RULES) > 1.3 * power.detectable(PLAN, 0.02, RULES)


def test_no_look_sees_nothing() -> None:
    assert power.detectable((), 0.02, RULES) == math.inf


def test_an_absolute_floor_bounds_what_can_be_seen() -> None:
    rules = replace(RULES, floor=0.2e6)
    seen = power.detectable(PLAN, 0.005, rules, level=1e6)
    assert seen > math.log1p(0.2)
    noise = np.random.default_rng(99).normal(0, 0.005, (5000, 24))
    base = np.full((5000, 24), math.log(1e6))
    caught = paired.judge_many(noise + seen, rules, base=base).codes == REGRESSION
    assert caught.mean() == pytest.approx(0.9, abs=0.02)


@given(st.floats(1e-6, 0.3), st.floats(1.1, 3))
def test_more_noise_hides_more(sd: float, factor: float) -> None:
    noisy, quiet = (power.detectable(PLAN, each, RULES) for each in (sd * factor, sd))
    assert noisy >= 0.99 * quiet  # where `unchanged` competes with it, the power is flat within its draws
    assert quiet > math.log1p(0.01)


def test_the_same_question_has_the_same_answer() -> None:
    assert power.detectable(PLAN, 0.0123, RULES) == power.detectable(PLAN, 0.0123, RULES)
    assert power.pairs_needed(EFFECT, 0.0123, RULES) == power.pairs_needed(EFFECT, 0.0123, RULES)


@pytest.mark.parametrize("sd", [0.004, 0.01, 0.02, 0.03])
def test_the_pairs_needed_are_enough_and_hardly_fewer_are(sd: float) -> None:
    pairs = power.pairs_needed(EFFECT, sd, RULES)
    assert pairs is not None
    assert power.plan_power(EFFECT, sd, power.plan_up_to(pairs, RULES)).power >= 0.895
    if pairs > 6:
        assert power.plan_power(EFFECT, sd, power.plan_up_to(pairs - 1, RULES)).power < 0.905


def test_a_quieter_machine_needs_fewer_pairs() -> None:
    needed = [power.pairs_needed(EFFECT, sd, RULES) or math.inf for sd in (0.005, 0.01, 0.02, 0.04)]
    assert needed == sorted(needed)
    assert needed[0] == 6


@pytest.mark.parametrize("effect", [-0.1, 0.0, math.log1p(0.01)])
def test_no_number_of_pairs_proves_an_effect_within_the_margin(effect: float) -> None:
    assert power.pairs_needed(effect, 0.01, RULES) is None


def test_a_hopelessly_noisy_machine_has_no_plan() -> None:
    assert power.pairs_needed(EFFECT, 0.5, RULES) is None


def test_a_power_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="power"):
        power.pairs_needed(EFFECT, 0.01, RULES, power=1.0)


def test_a_longer_plan_goes_on_by_half_as_many_pairs_again() -> None:
    assert power.plan_up_to(60, RULES).looks == (6, 10, 16, 24, 36, 54, 60)
    assert power.plan_up_to(12, RULES).looks == (6, 10, 12)
    assert power.plan_up_to(6, RULES).looks == (6,)
    with pytest.raises(ValueError, match="fewer than 6"):
        power.plan_up_to(5, RULES)


def test_a_clear_effect_stops_the_plan_early() -> None:
    assert power.plan_power(math.log1p(0.2), 0.01, RULES) == (1.0, 6.0)


def test_a_floor_that_hides_the_effect_leaves_no_plan() -> None:
    rules = replace(RULES, floor=0.2e6)
    assert power.pairs_needed(EFFECT, 0.005, rules, level=60e6) == power.pairs_needed(EFFECT, 0.005, RULES)
    assert power.pairs_needed(EFFECT, 0.005, rules, level=5e6) is None


@pytest.mark.parametrize("sd", [0.004, 0.008, 0.016, 0.03, 0.1])
def test_twice_the_supported_margin_is_caught(sd: float) -> None:
    margin = power.supported_margin(power.detectable(PLAN, sd, RULES), RULES.margin)
    assert margin > 0
    rules = replace(RULES, margin=math.expm1(margin))
    assert power.plan_power(2 * margin, sd, rules).power >= 0.89
    if sd >= 0.03:  # less noise, and `unchanged` at the tolerance decides what is seen, not the margin
        assert power.plan_power(1.8 * margin, sd, rules).power < 0.89


def test_a_machine_that_sees_nothing_supports_no_margin() -> None:
    assert power.supported_margin(math.inf, 0.01) == math.inf


# repeats


def test_the_variance_within_and_between_processes_is_recovered() -> None:
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 0.02, (2000, 10)) + rng.normal(0, 0.01, (2000, 1))
    within, between = power.variance_components(samples.tolist())
    assert within == pytest.approx(0.02**2, rel=0.05)
    assert between == pytest.approx(0.01**2, rel=0.1)


def test_processes_that_do_not_differ_have_no_variance_between_them() -> None:
    assert power.variance_components([[1.0, 2.0], [2.0, 1.0]]) == (0.5, 0.0)


@pytest.mark.parametrize("samples", [[], [[1.0, 2.0]], [[1.0], [2.0]]])
def test_a_pilot_too_small_for_a_variance_is_refused(samples: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="two invocations of at least two repeats"):
        power.variance_components(samples)


def test_the_repeats_are_those_of_kalibera_and_jones() -> None:
    # sqrt(c2 / c1 * T1^2 / T2^2) = sqrt(1.5 / 0.06 * 2.25) = 7.5
    assert power.optimal_repeats(0.015**2, 0.01**2, 0.06, 1.5, drop=0) == 8


def test_the_typical_block_gets_about_ten_repeats() -> None:
    assert 8 <= power.optimal_repeats(0.015**2, 0.01**2, 0.06, 1.5) <= 12


@example(within=1.0, between=5e-324, repeat=1.0, invocation=0.0, drop=0)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-3, 1e3), st.floats(0, 1e3), st.integers(0, 3))
def test_the_repeats_stay_within_their_bounds(
    within: float, between: float, repeat: float, invocation: float, drop: int
) -> None:
    repeats = power.optimal_repeats(within, between, repeat, invocation, drop=drop)
    assert 5 <= repeats - drop <= 30


@pytest.mark.parametrize("bad", [(-1.0, 1.0, 1.0, 1.0), (1.0, math.nan, 1.0, 1.0), (1.0, 1.0, 0.0, 1.0)])
def test_variances_and_costs_that_make_no_sense_are_refused(bad: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="repeats cannot be chosen"):
        power.optimal_repeats(*bad)
