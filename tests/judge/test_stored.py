from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_ethrex_perf.judge import stored
from pytest_ethrex_perf.judge.bounds import VERDICTS
from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RULES = Rules()
LEVEL = math.log(60e6)
SWAPPED = {Verdict.REGRESSION: Verdict.IMPROVEMENT, Verdict.IMPROVEMENT: Verdict.REGRESSION}


def sessions(
    number: int, *, effect: float = 0.0, session_sd: float = 0.005, sd: float = 0.01, seed: int = 1
) -> tuple[Floats, Floats]:
    """Baseline (sessions x invocations) and a new session."""
    rng = np.random.default_rng(seed)
    levels = LEVEL + rng.normal(0, session_sd, (number + 1, 1)) + rng.normal(0, sd, (number + 1, 10))
    return levels[:-1], levels[-1] + math.log1p(effect)


@st.composite
def measured(draw: st.DrawFn) -> tuple[Floats, Floats]:
    return sessions(
        draw(st.integers(1, 8)),
        effect=draw(st.floats(-0.3, 0.3)),
        session_sd=draw(st.sampled_from([0.0, 0.003, 0.03])),
        sd=draw(st.sampled_from([0.0, 0.01, 0.05])),
        seed=draw(st.integers(0, 2**32)),
    )


def test_the_outlook_is_what_such_a_session_sees() -> None:
    baseline, _ = sessions(8)
    outlook = stored.outlook(baseline.tolist(), RULES)
    assert outlook.sessions == 8
    assert outlook.invocations == stored.invocations(baseline.tolist(), RULES)
    within = math.sqrt(stored.pooled_variance(list(baseline)))
    values = np.linspace(-1, 1, outlook.invocations)
    alike = LEVEL + values * within / values.std(ddof=1)
    detectable = stored.judge(baseline, alike, RULES).detectable
    assert outlook.detectable == pytest.approx(detectable)
    assert stored.outlook(baseline.tolist(), RULES, sessions=8).detectable == pytest.approx(detectable)


def test_more_sessions_will_see_more() -> None:
    baseline, _ = sessions(1)
    seen = [stored.outlook(baseline.tolist(), RULES, sessions=number).detectable for number in (1, 2, 5, 8)]
    assert seen[0] == pytest.approx(stored.outlook(baseline.tolist(), RULES).detectable)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < 0.75 * seen[0]


def test_there_is_no_outlook_on_unknown_noise() -> None:
    with pytest.raises(ValueError, match="no session of the baseline has two invocations"):
        stored.outlook([[1.0], [2.0]], RULES)


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [(0.15, Verdict.REGRESSION), (-0.15, Verdict.IMPROVEMENT), (0.0, Verdict.UNCHANGED)],
)
def test_a_clear_case_is_decided(effect: float, verdict: Verdict) -> None:
    decision = stored.judge(*sessions(8, effect=effect), RULES)
    assert decision.verdict is verdict
    assert decision.pairs == 10


def test_one_session_cannot_tell_a_small_slowdown_from_a_drifted_machine() -> None:
    decision = stored.judge(*sessions(1, effect=0.03), RULES)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "after 10 invocations against 1 session:" in decision.reason
    assert decision.detectable is not None
    assert decision.detectable > math.log1p(0.06)


def test_the_numbers_are_those_of_the_formula() -> None:
    baseline = [[1.00, 1.02, 1.04], [1.10, 1.06], [1.03]]
    session = [1.20, 1.24, 1.22, 1.19, 1.25, 1.21]
    m = [1.02, 1.08, 1.03]
    within = (2 * float(np.var(baseline[0], ddof=1)) + float(np.var(baseline[1], ddof=1))) / 3
    s2 = (4 * max(0.01**2, within) + 2 * np.var(m, ddof=1)) / 6
    a, b = s2 * (1 + 1 / 3), np.var(session, ddof=1) / 6
    df = (a + b) ** 2 / (a**2 / 6 + b**2 / 5)
    estimate = float(np.mean(session) - np.mean(m))
    decision = stored.judge(baseline, session, RULES)
    assert decision.estimate == pytest.approx(estimate)
    assert decision.se == pytest.approx(math.sqrt(a + b))
    assert decision.df == pytest.approx(df)
    assert decision.p == pytest.approx(stats.t.sf((estimate - math.log1p(0.01)) / math.sqrt(a + b), df))
    reach = stats.t.ppf(0.975, df) * math.sqrt(a + b)
    assert decision.ci95 == pytest.approx((estimate - reach, estimate + reach))


def test_without_noise_the_prior_of_one_percent_stands_for_drift() -> None:
    decision = stored.judge([[LEVEL] * 6], [LEVEL] * 6, RULES)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.se == pytest.approx(0.01 * math.sqrt(2))
    assert decision.df == pytest.approx(4)


def test_noise_within_sessions_stands_for_drift_where_it_is_larger_times_its_factor() -> None:
    noisy = [LEVEL - 0.05, LEVEL + 0.05] * 3
    within = float(np.var(noisy, ddof=1))
    for factor in (1.0, stored.WITHIN):
        decision = stored.judge([noisy], noisy, Rules(within=factor))
        assert decision.se == pytest.approx(math.sqrt(2 * factor * within + within / 6))


@given(measured())
def test_the_batch_judges_exactly_as_one_by_one(data: tuple[Floats, Floats]) -> None:
    baseline, session = data
    code = stored.judge_many(baseline[None], session[None], RULES)[0]
    assert VERDICTS[code] is stored.judge(baseline.tolist(), session.tolist(), RULES).verdict


@given(measured(), st.floats(-20, 20))
def test_a_unit_changes_no_verdict(data: tuple[Floats, Floats], offset: float) -> None:
    baseline, session = data
    there = stored.judge(baseline.tolist(), session.tolist(), RULES)
    moved = stored.judge((baseline + offset).tolist(), (session + offset).tolist(), RULES)
    assert moved.verdict is there.verdict


@given(measured())
def test_mirrored_data_swaps_regression_and_improvement(data: tuple[Floats, Floats]) -> None:
    baseline, session = data
    there = stored.judge(baseline.tolist(), session.tolist(), RULES).verdict
    back = stored.judge((-baseline).tolist(), (-session).tolist(), RULES).verdict
    assert there is not None
    assert back is SWAPPED.get(there, there)


@given(measured(), st.floats(0, 0.3))
def test_it_is_monotone_in_the_effect(data: tuple[Floats, Floats], more: float) -> None:
    baseline, session = data
    order = {Verdict.IMPROVEMENT: -1, Verdict.REGRESSION: 1}
    less, slower = (
        stored.judge(baseline.tolist(), (session + effect).tolist(), RULES).verdict for effect in (0.0, more)
    )
    assert order.get(slower or Verdict.UNCHANGED, 0) >= order.get(less or Verdict.UNCHANGED, 0)


@pytest.mark.parametrize(("number", "sd"), [(1, 0.01), (5, 0.01), (8, 0.003)])
def test_the_detectable_effect_is_found_nine_times_in_ten(number: int, sd: float) -> None:
    known_sd = math.sqrt(0.0125**2 * (1 + 1 / number) + sd**2 / 10)
    df = 3.0 + number
    effect = stored.detectable(known_sd, df, RULES)
    rng = np.random.default_rng(4)
    estimates = effect + rng.normal(0, known_sd, 100_000)
    estimated_se = known_sd * np.sqrt(rng.chisquare(df, 100_000) / df)
    caught = stats.t.sf((estimates - math.log1p(0.01)) / estimated_se, df) <= RULES.alpha
    assert caught.mean() == pytest.approx(0.9, abs=0.005)


def test_a_change_below_the_absolute_floor_is_inconclusive() -> None:
    baseline, session = sessions(8, effect=0.1)
    rules = replace(RULES, floor=0.2 * 60e6)
    decision = stored.judge(baseline.tolist(), session.tolist(), rules)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "less than your floor of 12.00 ms" in decision.reason
    assert decision.detectable is not None
    assert decision.detectable > math.log1p(0.2)


def test_a_large_family_asks_for_more_proof() -> None:
    baseline, session = sessions(5, effect=0.07)
    alone, shared = (
        stored.judge(baseline.tolist(), session.tolist(), replace(RULES, gatings=m)) for m in (1, 1000)
    )
    assert (alone.verdict, shared.verdict) == (Verdict.REGRESSION, Verdict.INCONCLUSIVE)


def test_fewer_than_six_new_invocations_are_never_a_verdict() -> None:
    decision = stored.judge([[LEVEL] * 6] * 5, [LEVEL + 1] * 5, RULES)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "only 5 invocations" in decision.reason


def test_a_baseline_whose_noise_is_unknown_is_inconclusive() -> None:
    decision = stored.judge([[LEVEL]] * 5, [LEVEL + 1] * 6, RULES)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "no session of the baseline has two invocations" in decision.reason


@pytest.mark.parametrize("baseline", [[], [[LEVEL] * 6, []]])
def test_an_empty_baseline_is_refused(baseline: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="no sessions, or one without invocations"):
        stored.judge(baseline, [LEVEL] * 6, RULES)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_no_samples_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="a session of the baseline holds"):
        stored.judge([[LEVEL] * 5 + [bad]], [LEVEL] * 6, RULES)
    with pytest.raises(ValueError, match="the session holds"):
        stored.judge([[LEVEL] * 6], [LEVEL] * 5 + [bad], RULES)


@given(st.lists(st.lists(st.floats(-200, 200), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_huge_spread_gets_a_decision_not_a_traceback(values: list[list[float]]) -> None:
    decision = stored.judge(values, [0.0, -200.0, 200.0, 1.0, 2.0, 3.0], RULES)
    assert decision.verdict is not None
    assert len(decision.reason) < 200


# how many invocations


def test_a_steady_machine_asks_for_the_fewest_invocations() -> None:
    assert stored.invocations(sessions(8, sd=0.001)[0].tolist(), RULES) == stored.MIN_INVOCATIONS


def test_noise_within_sessions_asks_for_more_invocations() -> None:
    quiet, noisy = (sessions(30, session_sd=0.0, sd=sd)[0].tolist() for sd in (0.001, 0.05))
    assert stored.invocations(noisy, RULES) > stored.invocations(quiet, RULES)
    assert stored.invocations(noisy, RULES, maximum=8) <= 8


def test_more_invocations_than_chosen_hardly_lower_the_detectable_effect() -> None:
    baseline = sessions(30, session_sd=0.0, sd=0.05)[0]
    within = baseline.var(axis=1, ddof=1).mean()
    known = stored.predict(baseline.mean(axis=1), within, RULES)

    def seen(number: int) -> float:
        se, df = stored.standard_error(known, within, number)
        return stored.detectable(float(se), float(df), RULES)

    chosen = stored.invocations(baseline.tolist(), RULES)
    assert seen(chosen) <= 1.05 * seen(stored.MAX_INVOCATIONS) < seen(chosen - 1)


def test_a_baseline_of_unknown_noise_asks_for_the_minimum() -> None:
    assert stored.invocations([[LEVEL]], RULES) == stored.MIN_INVOCATIONS


# sessions and epochs


def test_sessions_less_than_six_hours_apart_count_as_one() -> None:
    starts = ["2026-02-18T08:00:00Z", "2026-02-18T20:00:00Z", "2026-02-18T13:59:00Z"]
    assert stored.merge_sessions(starts, [[1.0], [3.0], [2.0]]) == [[1.0, 2.0], [3.0]]
    assert stored.merge_sessions(starts, [[1.0], [3.0], [2.0]], gap_hours=1) == [[1.0], [2.0], [3.0]]


def test_exactly_six_hours_apart_are_two_sessions() -> None:
    starts = [datetime(2026, 2, 18, 8, tzinfo=UTC), datetime(2026, 2, 18, 14, tzinfo=UTC)]
    assert stored.merge_sessions(starts, [[1.0], [2.0]]) == [[1.0], [2.0]]


def test_starts_and_sessions_must_match() -> None:
    with pytest.raises(ValueError, match="1 starts for 2 sessions"):
        stored.merge_sessions(["2026-02-18T08:00:00Z"], [[1.0], [2.0]])


def test_a_session_at_another_level_contradicts_its_epoch_in_either_direction() -> None:
    for effect, verdict in ((0.2, Verdict.REGRESSION), (-0.2, Verdict.IMPROVEMENT)):
        baseline, session = sessions(5, effect=effect)
        decision = stored.contradicts(baseline.tolist(), session.tolist(), RULES)
        assert decision is not None
        assert decision.verdict is verdict


def test_a_session_that_is_merely_not_proven_equal_belongs_to_its_epoch() -> None:
    baseline, session = sessions(1, effect=0.03)
    assert stored.contradicts(baseline.tolist(), session.tolist(), RULES) is None
