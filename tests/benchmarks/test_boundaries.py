"""What the looks of a plan spend together is what they may, and the calculation of it can be trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.boundaries import Boundaries
from pytest_ethrex_perf.judge import looks
from pytest_ethrex_perf.judge.batch import judge_many
from pytest_ethrex_perf.judge.bounds import REGRESSION
from pytest_ethrex_perf.records.decision import Rules


@pytest.mark.parametrize("what", ["alpha", "beta"])
@pytest.mark.parametrize("gatings", [1.0, 6.0, 200.0])
@pytest.mark.parametrize("most", [0, 120, 270])
def test_the_chance_of_a_false_verdict_is_as_allowed_in_the_worst_noise(
    what: str, gatings: float, most: int
) -> None:
    chance = Boundaries(looks.standard(Rules(gatings=gatings), most), what, draws=1_500).worst()
    assert chance.value - 3 * chance.error <= 1
    assert chance.value >= 0.9  # nor is much of it given away


@pytest.mark.parametrize("gatings", [1.0, 20.0, 200.0])
@pytest.mark.parametrize("most", [0, 120])
def test_a_plan_cut_short_spends_no_more_either(gatings: float, most: int) -> None:
    rules = looks.standard(Rules(gatings=gatings), most)
    for cut in (7, 12, 17, 23, *((24, 28, 40, 90) if most else ())):
        chance = Boundaries(rules, draws=1_000).worst((0.005, 0.03, 0.04, 0.07), cut=cut)
        assert chance.value - 3 * chance.error <= 1


def test_without_the_price_of_choosing_by_the_sd_a_family_would_be_wrong_too_often() -> None:
    rules = replace(looks.standard(Rules(gatings=200), 270), alpha_spend=(1.0, 1.0))
    assert Boundaries(rules, draws=1_000).worst((0.04,)).value > 1.15


def test_looks_that_overlap_spend_less_than_the_sum_of_their_shares() -> None:
    rules = replace(looks.standard(Rules(), 0), alpha_spend=(1.0, 1.0))
    assert Boundaries(rules, draws=1_000).worst((0.01,)).value < 0.7


@pytest.mark.parametrize("sd", [0.01, 0.035, 0.06])
def test_the_chance_is_that_of_many_gates(sd: float) -> None:
    rules = replace(looks.standard(Rules(alpha=0.05, beta=1e-9), 120), beta_spend=(1.0, 1.0))
    noise = np.random.default_rng(5).normal(np.log1p(rules.margin), sd, (20_000, 120))
    rate = (judge_many(noise, rules, final=True).codes == REGRESSION).mean()
    chance = Boundaries(rules, draws=4_000).chance(sd)
    assert rate == pytest.approx(0.05 * chance.value, abs=4 * (0.05 * 0.95 / 20_000) ** 0.5)
