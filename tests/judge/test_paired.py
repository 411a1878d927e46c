from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from pytest_ethrex_perf.judge import paired, power, samples
from pytest_ethrex_perf.judge.family import shares, spending
from pytest_ethrex_perf.records.decision import Decision, Rules, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RULES = Rules()
LEVEL = math.log(60e6)
ORDER = {Verdict.IMPROVEMENT: -1, Verdict.REGRESSION: 1}
SWAPPED = {Verdict.REGRESSION: Verdict.IMPROVEMENT, Verdict.IMPROVEMENT: Verdict.REGRESSION}
SHARE = shares(RULES.looks)


@st.composite
def pairs(draw: st.DrawFn, least: int = 6, most: int = 26) -> tuple[Floats, Floats]:
    """Sides with a change of up to 10 % and noise from far below to far above the margin."""
    number = draw(st.integers(least, most))
    effect = draw(st.floats(-0.1, 0.1))
    noise = draw(st.sampled_from([1e-4, 0.003, 0.01, 0.03, 0.2]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    base = LEVEL + rng.normal(0, 0.02, number)
    return base, base + effect + rng.standard_t(4, number) * noise


def typical(effect: float, number: int = 24, seed: int = 1) -> tuple[Floats, Floats]:
    base, head = LEVEL + np.random.default_rng(seed).normal(0, 0.01, (2, number))
    return base, head + math.log1p(effect)


# what is decided


@pytest.mark.parametrize(
    ("effect", "verdict", "reason"),
    [
        (0.06, Verdict.REGRESSION, "proven slower than the 1 % margin in"),
        (-0.06, Verdict.IMPROVEMENT, "proven faster than the 1 % margin in"),
        (0.0, Verdict.UNCHANGED, "below the 3 % tolerance"),
    ],
)
def test_a_clear_case_is_decided_before_the_plan_ends(effect: float, verdict: Verdict, reason: str) -> None:
    decision = paired.judge(*typical(effect), RULES)
    assert decision.verdict is verdict
    assert decision.pairs in {6, 10, 16}
    assert reason in decision.reason


def test_an_open_block_goes_on_and_is_inconclusive_when_the_plan_is_over() -> None:
    base, head = typical(0.0)
    head = base + (head - base) * 10
    assert paired.judge(base[:23], head[:23], RULES).verdict is None
    decision = paired.judge(base, head, RULES)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "neither proven beyond the 1 % margin nor within the 3 % tolerance" in decision.reason


def test_the_end_of_the_time_budget_is_one_last_look() -> None:
    base = np.full(8, LEVEL)
    head = base + math.log1p(0.05) + np.tile([0.025, -0.025], 4)
    assert paired.judge(base, head, RULES).verdict is None
    decision = paired.judge(base, head, RULES, final=True)
    assert decision.verdict is Verdict.REGRESSION
    assert [look.pairs for look in decision.looks] == [6, 8]
    assert sum(look.alpha for look in decision.looks) == pytest.approx(RULES.alpha)


@pytest.mark.parametrize("number", range(6))
def test_fewer_than_six_pairs_are_never_a_verdict(number: int) -> None:
    base, head = typical(0.5, number)
    assert paired.judge(base, head, RULES).verdict is None
    decision = paired.judge(base, head, RULES, final=True)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert f"only {number} pairs: fewer than 6" in decision.reason


def test_pairs_after_the_last_look_are_left_out() -> None:
    base, head = typical(0.02, 30)
    assert paired.judge(base, head, RULES).verdict == paired.judge(base[:24], head[:24], RULES).verdict


def test_a_change_below_the_absolute_floor_is_neither_regression_nor_improvement() -> None:
    base, head = typical(0.05)
    rules = replace(RULES, floor=0.1 * 60e6)
    for sides in ((base, head), (head, base)):
        decision = paired.judge(*sides, rules)
        assert decision.verdict is Verdict.INCONCLUSIVE
        assert "less than your floor of 6.000 ms" in decision.reason
    assert paired.judge(base, head + 0.1, rules).verdict is Verdict.REGRESSION


def test_the_share_of_a_large_family_is_smaller() -> None:
    base, head = typical(0.03)
    alone = paired.judge(base, head, RULES).looks[0]
    shared = paired.judge(base, head, replace(RULES, gatings=50)).looks[0]
    assert shared.alpha == alone.alpha / 50
    assert shared.beta == alone.beta
    assert shared.low < alone.low


# the numbers are scipy's


@given(pairs())
def test_every_look_is_scipys_one_sample_t_test(sides: tuple[Floats, Floats]) -> None:
    base, head = sides
    margin, tolerance = math.log1p(0.01), math.log1p(0.03)
    for look, share in zip(paired.judge(base, head, RULES).looks, SHARE, strict=False):
        d = (head - base)[: look.pairs]
        slower = stats.ttest_1samp(d, margin, alternative="greater")
        faster = stats.ttest_1samp(d, -margin, alternative="less")
        below = stats.ttest_1samp(d, tolerance, alternative="less")
        above = stats.ttest_1samp(d, -tolerance, alternative="greater")
        assert look.p_slower == pytest.approx(slower.pvalue, rel=1e-9)
        assert look.p_faster == pytest.approx(faster.pvalue, rel=1e-9)
        assert look.p_equivalent == pytest.approx(max(below.pvalue, above.pvalue), rel=1e-9)
        assert look.sd == pytest.approx(d.std(ddof=1))
        low = slower.confidence_interval(1 - look.alpha).low
        assert look.low == pytest.approx(low, rel=1e-6, abs=1e-9)
        proven = slower.pvalue <= RULES.alpha * share
        assert (look.verdict is Verdict.REGRESSION) == proven


def test_the_decision_shows_the_test_that_decided() -> None:
    base, head = typical(0.06)
    decision = paired.judge(base, head, RULES)
    d = (head - base)[: decision.pairs]
    nominal = stats.ttest_1samp(d, 0.0).confidence_interval(0.95)
    crossed = stats.wilcoxon(d - math.log1p(0.01), alternative="greater", method="exact")
    assert decision.ci95 == pytest.approx((nominal.low, nominal.high))
    assert decision.p == decision.looks[-1].p_slower
    assert decision.interval == (decision.looks[-1].low, decision.looks[-1].high)
    assert decision.interval[0] > math.log1p(0.01)
    assert decision.wilcoxon_p == pytest.approx(crossed.pvalue)
    assert decision.df == decision.pairs - 1
    assert decision.se == pytest.approx(stats.sem(d))


def test_the_interval_that_proves_unchanged_is_at_betas_share_and_within_the_tolerance() -> None:
    base, head = typical(0.0)
    decision = paired.judge(base, head, RULES)
    look = decision.looks[-1]
    d = (head - base)[: look.pairs]
    expected = stats.ttest_1samp(d, 0.0).confidence_interval(1 - 2 * look.beta)
    assert decision.p == look.p_equivalent
    assert decision.interval == pytest.approx((expected.low, expected.high))
    assert max(map(abs, decision.interval or ())) < math.log1p(0.03)


def test_the_detectable_effect_is_that_of_the_plan_the_block_had() -> None:
    base, head = typical(0.0, 10)
    wild = base + (head - base) * 10
    going_on = paired.judge(base, wild, RULES)
    cut_short = paired.judge(base, wild, RULES, final=True)
    assert cut_short.verdict is Verdict.INCONCLUSIVE
    assert cut_short.detectable == power.detectable(spending(RULES, 10, final=True), cut_short.sd or 0, RULES)
    assert going_on.detectable == power.detectable(spending(RULES, 24), going_on.sd or 0, RULES)
    assert (cut_short.detectable or 0) > 1.2 * (going_on.detectable or 0)
    decided = paired.judge(base, head + 0.1, RULES)
    assert decided == paired.judge(base, head + 0.1, RULES, final=True)


@given(
    sides=pairs(most=30),
    final=st.booleans(),
    step=st.sampled_from([0.0, 0.004]),
    floor=st.sampled_from([0.0, 1e6]),
)
def test_the_batch_judges_exactly_as_one_by_one(
    *, sides: tuple[Floats, Floats], final: bool, step: float, floor: float
) -> None:
    base, head = sides
    rules = replace(RULES, floor=floor)
    decision = paired.judge(base, head, rules, step=step, final=final)
    many = paired.judge_many((head - base)[None], rules, step=step, base=base[None], final=final)
    assert paired.VERDICTS[many.codes[0]] is decision.verdict
    assert many.pairs[0] == decision.pairs


# properties


@given(pairs(), st.floats(-20, 20))
def test_a_unit_or_a_common_offset_changes_no_verdict(sides: tuple[Floats, Floats], offset: float) -> None:
    base, head = sides
    decision, moved = (paired.judge(base + o, head + o, RULES) for o in (0.0, offset))
    assert (moved.verdict, moved.pairs) == (decision.verdict, decision.pairs)
    assert moved.p == pytest.approx(decision.p, rel=1e-6)


@given(pairs(), st.sampled_from([1e-9, 1e-6, 1e-3]))
def test_a_unit_that_scales_the_floor_too_changes_no_verdict(
    sides: tuple[Floats, Floats], unit: float
) -> None:
    base, head = sides
    decision = paired.judge(base, head, replace(RULES, floor=1.3e6))
    scaled = paired.judge(base + math.log(unit), head + math.log(unit), replace(RULES, floor=1.3e6 * unit))
    assert scaled.verdict is decision.verdict


@given(
    sides=pairs(),
    step=st.sampled_from([0.0, 0.005]),
    floor=st.sampled_from([0.0, 1.3e6]),
    final=st.booleans(),
)
def test_swapped_sides_swap_regression_and_improvement(
    *, sides: tuple[Floats, Floats], step: float, floor: float, final: bool
) -> None:
    base, head = sides
    rules = replace(RULES, floor=floor)
    there = paired.judge(base, head, rules, step=step, final=final)
    back = paired.judge(head, base, rules, step=step, final=final)
    assert back.pairs == there.pairs
    expected = there.verdict and SWAPPED.get(there.verdict, there.verdict)
    assert back.verdict is expected


@given(pairs(most=24), st.floats(0, 0.2))
def test_a_look_is_monotone_in_the_effect(sides: tuple[Floats, Floats], more: float) -> None:
    base, head = sides
    rules = replace(RULES, looks=(base.size,))
    less = paired.judge(base, head, rules)
    slower = paired.judge(base, head + more, rules)
    assert rank(slower) >= rank(less)
    assert slower.looks[0].p_slower <= less.looks[0].p_slower * (1 + 1e-9)


@given(pairs(most=24), st.floats(0, 0.2))
def test_no_larger_effect_turns_a_regression_into_an_improvement(
    sides: tuple[Floats, Floats], more: float
) -> None:
    base, head = sides
    verdicts = paired.judge(base, head, RULES).verdict, paired.judge(base, head + more, RULES).verdict
    assert verdicts != (Verdict.REGRESSION, Verdict.IMPROVEMENT)


@given(pairs(most=24))
def test_more_data_never_turns_a_decided_block_back(sides: tuple[Floats, Floats]) -> None:
    base, head = sides
    decided: Decision | None = None
    for number in range(base.size + 1):
        now = paired.judge(base[:number], head[:number], RULES)
        if decided is not None:
            assert now == decided
        elif now.verdict is not None:
            decided = now


def rank(decision: Decision) -> int:
    return ORDER.get(decision.verdict, 0) if decision.verdict else 0


def test_ten_identical_copies_of_every_repeat_leave_every_p_unchanged() -> None:
    rng = np.random.default_rng(3)
    repeats = 60e6 * np.exp(rng.normal(0, 0.02, (2, 24, 11)) + rng.normal(0, 0.01, (2, 24, 1)))
    once = [[samples.of_repeats(one) for one in side] for side in repeats.tolist()]
    copies = [[samples.of_repeats([one[0], *(one[1:] * 10)]) for one in side] for side in repeats.tolist()]
    of_copies, of_each = paired.judge(copies[0], copies[1], RULES), paired.judge(once[0], once[1], RULES)
    assert of_copies.p == pytest.approx(of_each.p, rel=1e-9)
    assert (of_copies.verdict, of_copies.pairs) == (of_each.verdict, of_each.pairs)


# coarse, equal and degenerate input


def test_equal_values_are_decided_unchanged_without_dividing_by_zero() -> None:
    decision = paired.judge([LEVEL] * 6, [LEVEL] * 6, RULES)
    assert (decision.verdict, decision.pairs, decision.estimate) == (Verdict.UNCHANGED, 6, 0.0)


def test_the_very_same_slowdown_every_time_is_a_regression() -> None:
    decision = paired.judge([LEVEL] * 6, [LEVEL + math.log1p(0.05)] * 6, RULES)
    assert decision.verdict is Verdict.REGRESSION


def test_a_slowdown_of_exactly_the_margin_is_no_regression() -> None:
    decision = paired.judge([LEVEL] * 24, [LEVEL + math.log1p(0.01)] * 24, RULES)
    assert decision.verdict is Verdict.UNCHANGED


def test_values_that_tie_at_a_coarse_resolution_have_its_sd() -> None:
    level, step = math.log(1.2e9), samples.step_of_repeats([1_200_000_000] * 11)
    decision = paired.judge([level] * 6, [level] * 6, RULES, step=step)
    assert decision.verdict is Verdict.UNCHANGED
    assert decision.sd == pytest.approx(step)


def test_the_margin_is_widened_by_one_step_of_resolution() -> None:
    level, step = math.log(1.2e9), samples.step_of_repeats([1_200_000_000] * 11)
    base = np.full(24, level)
    look = paired.judge(base, base + 0.02, RULES, step=step).looks[0]
    t = (0.02 - math.log1p(0.01) - step) / (step / math.sqrt(6))
    assert look.p_slower == pytest.approx(stats.t.sf(t, 5), rel=1e-6)
    assert paired.judge(base, base + 0.015, RULES, step=step).verdict is not Verdict.REGRESSION


@given(pairs(most=24), st.floats(1e-4, 0.05))
def test_a_coarser_resolution_makes_nothing_easier_to_prove(
    sides: tuple[Floats, Floats], step: float
) -> None:
    base, head = sides
    rules = replace(RULES, looks=(base.size,))
    fine, coarse = (paired.judge(base, head, rules, step=s) for s in (0.0, step))
    assume(fine.verdict is not Verdict.REGRESSION)
    assert coarse.verdict is not Verdict.REGRESSION


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e6])
def test_a_value_that_is_no_sample_is_refused_by_side(bad: float) -> None:
    with pytest.raises(ValueError, match=r"head holds .*: a sample is the logarithm"):
        paired.judge([LEVEL] * 6, [LEVEL] * 5 + [bad], RULES)


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="6 samples of base and 5 of head"):
        paired.judge([LEVEL] * 6, [LEVEL] * 5, RULES)


def test_a_shape_that_is_no_row_of_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="base must have the axes"):
        paired.judge(np.zeros((6, 2)), np.zeros((6, 2)), RULES)


@pytest.mark.parametrize("step", [-0.1, math.nan, math.inf])
def test_a_resolution_that_is_none_is_refused(step: float) -> None:
    with pytest.raises(ValueError, match="step"):
        paired.judge([LEVEL] * 6, [LEVEL] * 6, RULES, step=step)


@given(values=st.lists(st.tuples(*[st.floats(-200, 200)] * 2), min_size=6, max_size=24), final=st.booleans())
def test_a_huge_spread_gets_a_decision_not_a_traceback(
    *, values: list[tuple[float, float]], final: bool
) -> None:
    base, head = zip(*values, strict=True)
    decision = paired.judge(base, head, RULES, final=final)
    assert decision.reason
    assert len(decision.reason) < 200
    if final or len(base) == 24:
        assert decision.verdict is not None


def test_a_batch_with_a_floor_needs_the_level() -> None:
    with pytest.raises(ValueError, match="give the samples of base"):
        paired.judge_many(np.zeros((2, 6)), replace(RULES, floor=1.0))
    with pytest.raises(ValueError, match="axes"):
        paired.judge_many(np.zeros(6), RULES)
