"""What further pairs would show, by the noise alone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_ethrex_perf.judge import looks
from pytest_ethrex_perf.judge.prospect import Noise
from pytest_ethrex_perf.records.decision import Rules


def noise(sd: float, df: int = 11, **rules: Any) -> Noise:
    return Noise("exec", Rules(**rules), sd, df)


@pytest.mark.parametrize("pairs", [6, 12, 30])
def test_the_upper_bound_holds_nine_times_in_ten(pairs: int) -> None:
    draws = np.random.default_rng(7).standard_normal((20_000, pairs))
    bounds = [noise(sd, pairs - 1).sd_at_most for sd in draws.std(axis=1, ddof=1)]
    assert np.mean(np.array(bounds) >= 1) == pytest.approx(0.9, abs=0.01)


def test_more_pairs_see_less_and_know_their_sd_better() -> None:
    seen = [noise(0.09).detectable(pairs) for pairs in (24, 120, 270)]
    assert seen == sorted(seen, reverse=True)
    assert noise(0.09, 5).sd_at_most > noise(0.09, 11).sd_at_most > noise(0.09, 100).sd_at_most > 0.09
    assert noise(0.09, 100).detectable(120) < seen[1]


def test_what_is_seen_was_seen_in_simulated_plans() -> None:
    # 24 pairs, as `power` has it for the gate's own plan at the same sd
    quiet = noise(0.01, 10_000)
    rules = looks.standard(quiet.rules, 24)
    effect = quiet.detectable(24)
    assert math.log1p(rules.margin) < effect < math.log1p(rules.tolerance)


def test_the_pairs_wanted_are_those_of_the_plan_and_none_where_no_plan_is_so_long() -> None:
    assert noise(0.01).pairs_wanted() == 24
    assert noise(0.09).pairs_wanted() == math.ceil(float(looks.pairs_wanted(0.09, Rules())))
    assert noise(0.5).pairs_wanted() is None
    assert noise(0.01, margin=0.03, tolerance=0.03).pairs_wanted() is None, "nothing lies between"


@pytest.mark.parametrize("pairs", [24, 120, 900])
@pytest.mark.parametrize("sd", [0.05, 0.2])
def test_the_tolerance_of_so_many_pairs_takes_so_many_pairs(sd: float, pairs: int) -> None:
    given = noise(sd)
    wider = replace(given, rules=replace(given.rules, tolerance=given.tolerance(pairs)))
    wanted = wider.pairs_wanted()
    assert wanted is not None
    assert wanted <= pairs + 1
    if wider.rules.tolerance > given.rules.tolerance:
        assert wanted >= pairs
    assert noise(0.001).tolerance(pairs) == Rules().tolerance, "never below the rules' own"


def test_no_sd_lies_below_the_resolution() -> None:
    assert replace(noise(0.0), step=0.01).sd_at_most > 0.01
