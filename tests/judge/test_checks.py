from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_ethrex_perf.judge import checks

ABBA = ("base", "head") * 6
RNG = np.random.default_rng(7)
LEFT, RIGHT = 18 + RNG.normal(0, 0.004, (2, 12))
STEADY = [[66.0, *(60 + RNG.normal(0, 0.3, 10))] for _ in range(24)]


def found(
    base: np.ndarray[tuple[int], np.dtype[np.float64]],
    head: np.ndarray[tuple[int], np.dtype[np.float64]],
    repeats: list[list[float]] | None = None,
) -> dict[str, checks.Caution]:
    cautions = checks.checks(base.tolist(), head.tolist(), first=ABBA, repeats=repeats or STEADY)
    return {caution.check: caution for caution in cautions}


def test_a_quiet_measurement_gives_no_caution() -> None:
    assert found(LEFT, RIGHT) == {}


def test_a_true_change_is_no_caution() -> None:
    assert found(LEFT, RIGHT + 0.2) == {}


def test_a_noisy_machine_is_named_with_its_sd_and_a_remedy() -> None:
    caution = found(LEFT, 18 + (RIGHT - 18) * 15)["noisy"]
    assert "standard deviation" in caution.message
    assert "--ethrex-prefix" in caution.remedy


def test_drift_over_the_session_is_seen() -> None:
    drift = np.linspace(0, 0.1, 12)
    assert set(found(LEFT + drift, RIGHT + drift)) == {"drift"}


def test_a_process_that_gets_slower_by_two_percent_is_not_steady() -> None:
    slope = np.linspace(0, 0.025, 10)
    repeats = [[66.0, *(np.array(one[1:]) * (1 + slope))] for one in STEADY]
    caution = found(LEFT, RIGHT, repeats)["unsteady"]
    assert "the last repeats run +" in caution.message
    assert "drop more" in caution.remedy


def test_one_bad_invocation_does_not_make_a_process_unsteady() -> None:
    assert found(LEFT, RIGHT, [[66.0, *([60.0] * 7), 90.0, 90.0, 90.0], *STEADY]) == {}


def test_noise_alone_is_seldom_called_unsteady() -> None:
    rng = np.random.default_rng(11)
    runs = 60 * np.exp(rng.normal(0, 0.1, (200, 24, 11)))
    named = [found(LEFT, RIGHT, run.tolist()) for run in runs]
    assert sum("unsteady" in each for each in named) <= 6


def test_invocations_too_short_for_two_groups_are_not_judged_for_steadiness() -> None:
    assert checks.steadiness([66.0, 60.0, 61.0, 62.0, 63.0, 64.0]) is None
    assert checks.steadiness([66.0, 60.0, 60.0, 60.0, 66.0, 66.0, 66.0]) == pytest.approx(math.log(1.1))


def test_a_slower_second_slot_is_seen_and_measured() -> None:
    second = np.array([side == "base" for side in ABBA])
    bias, p = checks.slot_bias(RIGHT + 0.02 * second - LEFT - 0.02 * ~second, second)
    assert bias == pytest.approx(0.02, abs=0.004)
    assert p < 0.001
    assert set(found(LEFT + 0.02 * ~second, RIGHT + 0.02 * second)) == {"slot"}


def test_a_slot_that_never_changed_has_no_bias() -> None:
    assert checks.slot_bias(RIGHT - LEFT, np.ones(12, dtype=bool)) == (0.0, 1.0)


def test_an_outlying_pair_is_named_by_its_number() -> None:
    head = RIGHT.copy()
    head[4] += 0.2
    caution = found(LEFT, head)["outliers"]
    assert "#5 (+2" in caution.message
    assert "never dropped by hand" in caution.remedy


@pytest.mark.parametrize("pairs", [6, 12, 24])
def test_normal_noise_has_few_outlying_pairs(pairs: int) -> None:
    draws = np.random.default_rng(5).normal(0, 0.05, (2000, pairs))
    assert np.mean([bool(checks.outlying(row)) for row in draws]) <= 0.025


def test_equal_values_are_no_caution() -> None:
    same = np.full(12, 18.0)
    assert found(same, same, [[60.0] * 11] * 24) == {}


def test_fewer_than_six_pairs_tell_nothing() -> None:
    assert checks.checks([18.0] * 5, [19.0, 18.0] * 2 + [18.0], first=("base",) * 5) == []


def test_pairs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="side that ran first"):
        checks.checks([18.0] * 6, [18.0] * 6, first=("new",) * 6)
    with pytest.raises(ValueError, match="head holds nan"):
        checks.checks([18.0] * 6, [math.nan] * 6, first=("base",) * 6)
