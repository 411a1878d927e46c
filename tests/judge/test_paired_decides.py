"""How often the rules are wrong and right on noise like a real machine's: the short form of the proof.

`benchmarks/decisions.py` has the long one. Noise is simulated down to the repeats, so that the
control, the rule that pools them, sees what it would see.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from pytest_ethrex_perf.judge import paired, stored
from pytest_ethrex_perf.judge.bounds import REGRESSION, UNCHANGED
from pytest_ethrex_perf.records.decision import Rules

RULES = Rules()
TRIALS = 4000
MACHINES = {"quiet": (0.004, 0.005), "typical": (0.01, 0.015), "noisy": (0.03, 0.05)}
"""sd of the log time between processes and between repeats."""
Floats = NDArray[np.float64]


def repeats(rng: np.random.Generator, invocations: int, *, process: float, repeat: float) -> Floats:
    """Log times, trials x invocations x 10 repeats: processes differ, repeats are skewed and correlated."""
    shocks = (rng.standard_exponential((TRIALS, invocations, 10)) - 1) * repeat
    values = np.empty_like(shocks)
    values[..., 0] = shocks[..., 0]
    for index in range(1, 10):
        values[..., index] = 0.5 * values[..., index - 1] + math.sqrt(0.75) * shocks[..., index]
    disturbed = (rng.random((TRIALS, invocations)) < 0.01) * rng.exponential(
        5 * process, (TRIALS, invocations)
    )
    return values + (rng.normal(0, process, (TRIALS, invocations)) + disturbed)[..., None]


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> tuple[str, Floats, Floats]:
    """Both sides of 24 pairs of the same program."""
    process, repeat = MACHINES[request.param]
    rng = np.random.default_rng(20)
    base, head = (repeats(rng, 24, process=process, repeat=repeat) for _ in range(2))
    return request.param, base, head


def differences(machine: tuple[str, Floats, Floats]) -> Floats:
    _, base, head = machine
    return np.asarray(np.median(head, axis=2) - np.median(base, axis=2))


def test_no_change_is_hardly_ever_called_a_regression(machine: tuple[str, Floats, Floats]) -> None:
    judged = paired.judge_many(differences(machine), RULES)
    assert (judged.codes == REGRESSION).mean() <= 0.003


def test_a_change_of_just_the_margin_is_called_a_regression_at_most_at_alpha(
    machine: tuple[str, Floats, Floats],
) -> None:
    judged = paired.judge_many(differences(machine) + math.log1p(RULES.margin), RULES)
    assert (judged.codes == REGRESSION).mean() <= 0.015


def test_pooling_the_repeats_fails_the_same_test(machine: tuple[str, Floats, Floats]) -> None:
    """The control: were these simulations too tame to fool anybody, this test would fail."""
    _, base, head = machine
    pooled_base, pooled_head = (side[:500, :10].reshape(500, -1) for side in (base, head))
    p = stats.mannwhitneyu(pooled_base, pooled_head, axis=1, alternative="less").pvalue
    slower = np.asarray(p) <= RULES.alpha
    assert slower.mean() > 0.03


def test_three_percent_is_found_on_a_typical_machine_in_few_pairs(
    machine: tuple[str, Floats, Floats],
) -> None:
    name = machine[0]
    judged = paired.judge_many(differences(machine) + math.log1p(0.03), RULES)
    found = (judged.codes == REGRESSION).mean()
    if name == "noisy":  # it says so instead of passing
        assert found + (judged.codes == UNCHANGED).mean() < 0.9
        assert (judged.codes == UNCHANGED).mean() <= RULES.beta
    else:
        assert found >= 0.9
        assert judged.pairs.mean() <= 16


def test_a_slowdown_of_the_tolerance_is_called_unchanged_at_most_at_beta(
    machine: tuple[str, Floats, Floats],
) -> None:
    judged = paired.judge_many(differences(machine) + math.log1p(RULES.tolerance), RULES)
    assert (judged.codes == UNCHANGED).mean() <= RULES.beta


def test_nothing_changed_is_settled_early_on_a_typical_machine() -> None:
    rng = np.random.default_rng(21)
    base, head = (np.median(repeats(rng, 24, process=0.01, repeat=0.015), axis=2) for _ in range(2))
    judged = paired.judge_many(head - base, RULES)
    assert (judged.codes == UNCHANGED).mean() >= 0.95
    assert judged.pairs.mean() <= 11


def test_a_budget_that_ends_at_any_time_is_no_more_often_wrong() -> None:
    rng = np.random.default_rng(22)
    base, head = (np.median(repeats(rng, 24, process=0.01, repeat=0.015), axis=2) for _ in range(2))
    at_margin = head - base + math.log1p(RULES.margin)
    for pairs in (6, 8, 13, 23):
        judged = paired.judge_many(at_margin[:, :pairs], RULES, final=True)
        assert (judged.codes == REGRESSION).mean() <= 0.015


def test_a_family_of_twenty_blocks_is_wrong_no_more_often_than_one() -> None:
    rng = np.random.default_rng(23)
    base, head = (np.median(repeats(rng, 24, process=0.01, repeat=0.015), axis=2) for _ in range(2))
    judged = paired.judge_many(head - base + math.log1p(RULES.margin), Rules(gatings=20))
    families = (judged.codes == REGRESSION).reshape(-1, 20).any(axis=1)
    assert families.mean() <= 0.025  # 200 families: five would be three standard errors above alpha


@pytest.mark.parametrize("sessions", [1, 2, 5, 8])
@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0], ids=["quiet", "typical", "noisy"])
def test_a_stored_baseline_takes_drift_between_sessions_for_what_it_is(sessions: int, noise: float) -> None:
    rng = np.random.default_rng(24)
    drift = rng.normal(0, 0.01 * noise, (20_000, sessions + 1, 1))
    samples = drift + rng.normal(0, 0.012 * noise, (20_000, sessions + 1, 10))
    new = samples[:, -1]
    codes = stored.judge_many(samples[:, :-1], new, RULES)
    assert (codes == REGRESSION).mean() <= RULES.alpha
    at_margin = stored.judge_many(samples[:, :-1], new + math.log1p(RULES.margin), RULES)
    assert (at_margin == REGRESSION).mean() <= 0.015
    if noise <= 1:
        large = stored.judge_many(samples[:, :-1], new + math.log1p(0.10), RULES)
        assert (large == REGRESSION).mean() >= (0.8 if sessions == 1 else 0.97)
