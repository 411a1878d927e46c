"""What a plan can see: the detectable effect, the pairs an effect needs, the best number of repeats.

Power is that of the whole sequential plan, which may also stop early with `unchanged`. It is computed on
standardised normal draws with a fixed seed, so the same data always give the same answer.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit

from pytest_ethrex_perf.judge.batch import judge_many
from pytest_ethrex_perf.judge.bounds import REGRESSION
from pytest_ethrex_perf.judge.family import MIN_PAIRS, spending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_ethrex_perf.judge.family import Spending
    from pytest_ethrex_perf.records.decision import Rules

    Floats = NDArray[np.float64]

POWER = 0.9
MAX_PAIRS = 400
"""More pairs than this are no plan: an hour per block and more."""
MIN_REPEATS, MAX_REPEATS = 5, 30
"""Bounds on the repeats of an invocation that count, whatever the formula says."""
_DRAWS = 8_000  # the power of a plan is then known to ±0.3 %, the detectable effect to ±1 % of itself
_SEED = 24443168


class PlanPower(NamedTuple):
    """What a plan does under one true effect: chance of `regression` and mean number of pairs used."""

    power: float
    mean_pairs: float


def detectable(
    looks: Sequence[Spending],
    sd: float,
    rules: Rules,
    *,
    step: float = 0.0,
    level: float | None = None,
    power: float = POWER,
) -> float:
    """Smallest true slowdown (log) that a plan of `looks` calls a regression with probability `power`.

    `sd` is the standard deviation of the pair's difference (log), floored at the resolution `step`; `level`
    is base's level in the metric's unit, for the absolute floor. Infinite when there are no looks.
    """
    if not looks:
        return math.inf
    thresholds = _thresholds(tuple(looks), sd, rules, step, level)
    rank = min(math.ceil(power * _DRAWS), _DRAWS) - 1
    return float(np.partition(thresholds, rank)[rank])


def plan_power(effect: float, sd: float, rules: Rules, *, step: float = 0.0) -> PlanPower:
    """Chance of `regression` and mean pairs used at a true `effect` and `sd` (logs), by simulation.

    The absolute floor is left out, since the level is not known here.
    """
    draws = _standard_draws(max(rules.looks[-1], rules.most)).T * sd + effect
    judged = judge_many(draws, replace(rules, floor=0.0), step=step)
    return PlanPower(float((judged.codes == REGRESSION).mean()), float(judged.pairs.mean()))


def pairs_needed(
    effect: float,
    sd: float,
    rules: Rules,
    power: float = POWER,
    *,
    step: float = 0.0,
    level: float | None = None,
) -> int | None:
    """Smallest last look with which the plan of `rules` calls a true `effect` (log) a regression in time.

    The plan is `plan_up_to` that number of pairs; `sd` (log) is that of a pair's difference, `level` base's
    in the metric's unit, for the absolute floor (None: left out). None when no plan of at most `MAX_PAIRS`
    does, as for every effect within the margin. Raises ValueError for a bad `power`.
    """
    if not 0 < power < 1:
        raise ValueError(f"power is {power!r}: it must lie between 0 and 1")

    def enough(pairs: int) -> bool:
        plan = plan_up_to(pairs, rules)
        return detectable(spending(plan, pairs), sd, plan, step=step, level=level, power=power) <= effect

    if effect <= math.log1p(rules.margin) + step:
        return None
    low, high = MIN_PAIRS - 1, MIN_PAIRS
    while not enough(high):
        if high == MAX_PAIRS:
            return None
        low, high = high, min(2 * high, MAX_PAIRS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def supported_margin(detectable: float, margin: float) -> float:
    """Return the margin (log) that this noise supports: the smallest m whose double is caught, power 90 %.

    `detectable` (log) is what was found for `margin` (a fraction, as in `Rules`). The noise says how far
    above its margin a slowdown must lie to be caught; a slowdown of 2 m lies m above it. So it is at the same
    tolerance: a tolerance raised along with the margin calls some of these slowdowns unchanged first.
    """
    return detectable - math.log1p(margin)


def plan_up_to(pairs: int, rules: Rules) -> Rules:
    """Return `rules` with looks that end at `pairs`: its own looks below, then each half as many pairs more.

    It is a plan as by hand, which doesn't go on and of whose looks nobody knows how far they overlap. Raises
    ValueError for fewer than 6 pairs.
    """
    if pairs < MIN_PAIRS:
        raise ValueError(f"{pairs} pairs: fewer than {MIN_PAIRS} are never a verdict")
    looks = list(rules.looks)
    while looks[-1] < pairs:
        looks.append(math.ceil(1.5 * looks[-1]))
    looks = [*(look for look in looks if look < pairs), pairs]
    return replace(rules, looks=tuple(looks), most=0, alpha_spend=(1.0, 1.0), beta_spend=(1.0, 1.0))


def variance_components(samples: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Variance of repeats within a process and of true process means, from a pilot (rows: invocations, logs).

    Unbiased (Kalibera & Jones 2013: T1^2 and T2^2), the latter not below 0. Rows should be of one
    length, the dropped repeats not in them. Raises ValueError for fewer than two invocations of two repeats.
    """
    if len(samples) <= 1 or any(len(row) <= 1 for row in samples):
        raise ValueError("a pilot needs at least two invocations of at least two repeats")
    within = float(np.mean([np.var(row, ddof=1) for row in samples]))
    means = [float(np.mean(row)) for row in samples]
    repeats = float(np.mean([len(row) for row in samples]))
    return within, max(float(np.var(means, ddof=1)) - within / repeats, 0.0)


def optimal_repeats(
    within_var: float, between_var: float, cost_repeat: float, cost_invocation: float, *, drop: int = 1
) -> int:
    """Return the repeats per invocation, the dropped ones included, with most precision for the time.

    Kalibera & Jones 2013: ceil(sqrt(c2 / c1 * T1^2 / T2^2)), where c1 is the time of one
    repeat and c2 what an invocation costs before its first counted repeat; `within_var` and `between_var`
    as from `variance_components`. Never fewer than 5 counted repeats, never more than 30. Raises
    ValueError for negative variances and for costs that are not positive.
    """
    if not (within_var >= 0 and between_var >= 0 and 0 < cost_repeat < math.inf and cost_invocation >= 0):
        raise ValueError("repeats cannot be chosen from negative variances or costs")
    overhead = cost_invocation + drop * cost_repeat
    spread = between_var * cost_repeat
    if spread == 0:  # processes do not differ: repeats are as good as invocations
        best = MAX_REPEATS if within_var else MIN_REPEATS
    else:
        ratio = overhead * within_var / spread
        best = min(math.ceil(math.sqrt(min(ratio, MAX_REPEATS**2))), MAX_REPEATS)
    return max(best, MIN_REPEATS) + drop


def _thresholds(
    looks: tuple[Spending, ...], sd: float, rules: Rules, step: float, level: float | None
) -> Floats:
    """Per draw, the true effect (log) from which on the plan ends in `regression`.

    At look k a draw with mean z and deviation s (standardised) is a regression from `slower` on, and it gets
    that far unless an earlier look called it unchanged, which ends above `unchanged`. Below `unchanged`'s
    lower end is left out: there the power is at most understated.
    """
    means, deviations = _moments(tuple(look.pairs for look in looks))
    sd = max(sd, step)
    pairs = np.array([[look.pairs] for look in looks])
    se = np.maximum(deviations * sd, step) / np.sqrt(pairs)
    slower = math.log1p(rules.margin) + step + _critical(pairs - 1, [look.alpha for look in looks]) * se
    if rules.floor and level:
        slower = np.maximum(slower, math.log1p(rules.floor / level))
    reach = math.log1p(rules.tolerance) - _critical(pairs - 1, [look.beta for look in looks]) * se
    slower -= means * sd
    unchanged = np.where(reach >= 0, reach - means * sd, -np.inf)
    passed = np.maximum.accumulate(unchanged[:-1], axis=0)
    slower[1:] = np.maximum(slower[1:], passed)
    thresholds: Floats = slower.min(axis=0)
    return thresholds


def _critical(df: NDArray[np.int64], levels: list[float]) -> Floats:
    critical: Floats = -stdtrit(df, np.array(levels)[:, None])
    return critical


@lru_cache(maxsize=64)
def _moments(pairs: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Means and standard deviations (looks x draws) of the first `pairs` standard normal draws."""
    draws = _standard_draws(pairs[-1])
    means = np.array([draws[:n].mean(axis=0) for n in pairs])
    deviations = np.array([draws[:n].std(axis=0, ddof=1) for n in pairs])
    return means, deviations


@lru_cache(maxsize=4)
def _standard_draws(pairs: int) -> Floats:
    """Return the fixed draws, pairs x draws; those of a shorter plan are the first of a longer one."""
    return np.random.default_rng(_SEED).standard_normal((pairs, _DRAWS))
