from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from pytest_ethrex_perf.judge import looks, paired
from pytest_ethrex_perf.judge.batch import judge_many
from pytest_ethrex_perf.judge.bounds import VERDICTS
from pytest_ethrex_perf.judge.family import spending
from pytest_ethrex_perf.records.decision import Rules, Verdict

GOING_ON = looks.standard(Rules())
SD = st.floats(0.0, 0.5)


def row(sd: float, pairs: int = 6, mean: float = 0.0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Differences of just this sd."""
    values = np.arange(pairs) - (pairs - 1) / 2
    return np.array([mean + sd * values / values.std(ddof=1)])


@pytest.mark.parametrize(
    ("sd", "last"), [(0.0, 24), (0.005, 24), (0.0168, 24), (0.03, 54), (0.047, 150), (0.09, 490), (0.5, 900)]
)
def test_the_noise_at_the_first_look_says_how_long_the_plan_is(sd: float, last: int) -> None:
    assert looks.last_looks(row(sd), GOING_ON).tolist() == [last]


def test_the_pairs_wanted_tell_the_tolerance_from_the_margin() -> None:
    z = ndtri(1 - 0.4 * 0.01 / 20) + ndtri(0.9)
    n = 1.45 * (z * 0.05 / (math.log1p(0.03) - math.log1p(0.01) - 0.001)) ** 2
    assert looks.pairs_wanted(0.05, Rules(gatings=20), 0.001) == pytest.approx(n)


@given(sd=SD, gatings=st.integers(1, 1000), most=st.integers(24, looks.MOST), step=st.floats(0, 0.01))
def test_a_plan_goes_on_to_the_first_look_that_has_the_pairs(
    sd: float, gatings: int, most: int, step: float
) -> None:
    rules = looks.standard(Rules(gatings=gatings), most)
    (last,) = looks.last_looks(row(sd), rules, step)
    plan = looks.planned(rules, int(last)).looks
    wanted = looks.pairs_wanted(float(row(sd).std(ddof=1)), rules, step)
    assert plan[: len(looks.ORDINARY)] == looks.ORDINARY
    assert plan[-1] == last <= most
    assert last == most or last >= wanted
    assert last == 24 or plan[-2] < wanted
    assert set(plan[:-1]) <= {*looks.ORDINARY, *looks.FURTHER}
    spending(looks.planned(rules, int(last)), int(last))  # makes sense


@given(sd=st.sampled_from([0.0, 0.01, 0.033, 0.1]), mean=st.floats(-0.5, 0.5))
def test_the_mean_never_says_how_long_a_plan_is(sd: float, mean: float) -> None:
    assert looks.last_looks(row(sd, mean=mean), GOING_ON) == looks.last_looks(row(sd), GOING_ON)


def test_only_the_pairs_of_the_first_look_say_how_long_a_plan_is() -> None:
    later = np.concatenate([row(0.03), row(0.3, pairs=30)], axis=1)
    assert looks.last_looks(later, GOING_ON) == looks.last_looks(row(0.03), GOING_ON)


@pytest.mark.parametrize("rules", [Rules(), looks.standard(Rules(), 0)], ids=["by hand", "no patience"])
def test_a_plan_that_may_not_go_on_ends_with_its_looks(rules: Rules) -> None:
    assert looks.last_looks(row(0.3), rules).tolist() == [24]
    assert looks.planned(rules, 24) == rules


def test_a_tolerance_within_the_margin_asks_for_no_pairs() -> None:
    rules = looks.standard(Rules(margin=0.03, tolerance=0.02))
    assert looks.last_looks(row(0.1), rules).tolist() == [24]


@pytest.mark.parametrize("most", [-1, 5, 23, looks.MOST + 1])
def test_no_plan_goes_on_for_ever_nor_backwards(most: int) -> None:
    with pytest.raises(ValueError, match="most is"):
        looks.standard(Rules(), most)


@pytest.mark.parametrize("most", [0, 900])
def test_larger_families_spend_less(most: int) -> None:
    spends = [looks.standard(Rules(gatings=m), most).alpha_spend for m in (1, 2, 20, 200, 1e4, 1e9)]
    assert spends == sorted(spends, reverse=True)
    assert all(cut <= 1 for _, cut in spends)


@given(sd=st.floats(0.001, 0.3), cut=st.integers(6, 900), gatings=st.integers(1, 1000))
def test_going_on_spends_nothing_anew(sd: float, cut: int, gatings: int) -> None:
    rules = looks.standard(Rules(gatings=gatings))
    plan = looks.planned(rules, int(looks.last_looks(row(sd), rules)[0]))
    whole, short = rules.alpha_spend
    spent = [look.alpha for look in spending(plan, min(cut, plan.looks[-1]), final=True)]
    assert math.fsum(spent) * gatings <= rules.alpha * max(whole, short) * (1 + 1e-9)
    # before a cut: what the looks would have spent of the whole plan, whenever it comes
    taken = spending(plan, min(cut, plan.looks[-1]))
    assert math.fsum(look.alpha for look in taken) * gatings <= rules.alpha * whole * (1 + 1e-9)


@pytest.mark.parametrize("final", [False, True])
def test_many_are_judged_as_one_is(final: bool) -> None:  # noqa: FBT001 - pytest hands it in by name
    rng = np.random.default_rng(1)
    sds = rng.uniform(0.003, 0.08, 200)[:, None]
    differences = rng.normal(0.02, sds, (200, 70))
    codes, pairs = judge_many(differences, GOING_ON, final=final)
    for line, code, used in zip(differences, codes, pairs, strict=True):
        decision = paired.judge(np.zeros(70), line, GOING_ON, final=final)
        assert decision.verdict == VERDICTS[code]
        assert decision.pairs == used
        assert decision.plan[-1] == looks.last_looks(line[None], GOING_ON)[0]


def test_an_open_plan_says_how_far_it_goes() -> None:
    line = row(0.09, mean=0.02)[0]
    before = paired.judge(np.zeros(5), line[:5], GOING_ON)
    assert before.verdict is None
    assert before.plan == ()
    after = paired.judge(np.zeros(6), line, GOING_ON)
    assert after.verdict is None
    assert after.plan[-3:] == (330, 400, 490)
    assert after.detectable is not None
    assert after.detectable < math.log1p(0.03)  # of the whole plan


def test_a_plan_cut_short_ends_with_a_last_look() -> None:
    line = np.random.default_rng(3).normal(0.02, 0.09, 50)
    decision = paired.judge(np.zeros(50), line, GOING_ON, final=True)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert [look.pairs for look in decision.looks][-2:] == [45, 50]
    planned = replace(GOING_ON, looks=decision.plan, most=0)
    assert decision == paired.judge(np.zeros(50), line, planned, final=True)
