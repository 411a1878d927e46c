"""How alpha and beta are divided: over the looks of one gating and over the gatings of one pytest session.

A gating is one block and one metric. The family is fixed at the end of collection: alpha bounds the chance
that *any* item of the session is a false regression.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_ethrex_perf.records.decision import Rules

MIN_PAIRS = 6
"""Fewer pairs are never a verdict, for any metric."""
MIN_BLOCKS_FOR_MEAN = 4
"""From here on the mean over blocks is an item of its own."""


class Spending(NamedTuple):
    """One look: after how many pairs, and the shares of alpha and beta it spends."""

    pairs: int
    alpha: float
    beta: float


class Gatings(NamedTuple):
    """What `Rules.gatings` is for a block-metric, and for a metric of the mean over blocks if judged."""

    block: float
    suite: float | None


def shares(looks: Sequence[int]) -> tuple[float, ...]:
    """f_k = (n_k - n_{k-1}) / n_K, the share of alpha (and beta) spent at each look; they sum to 1.

    Raises ValueError unless `looks` are growing numbers of pairs from 6 on.
    """
    if not looks or looks[0] < MIN_PAIRS:
        raise ValueError(f"looks {tuple(looks)} must begin at {MIN_PAIRS} pairs or more: fewer never decide")
    steps = np.diff([0, *looks])
    if (steps <= 0).any():
        raise ValueError(f"looks {tuple(looks)} must be growing numbers of pairs")
    return tuple(float(share) for share in steps / looks[-1])


@lru_cache(maxsize=1024)
def spending(rules: Rules, pairs: int, *, final: bool = False) -> tuple[Spending, ...]:
    """Return the looks of `rules` that `pairs` pairs allow, in order, each with what it spends.

    A look spends its share (`shares`) of what the whole plan may: `rules.alpha_spend` and `beta_spend`. With
    `final` nothing more will come: before the end of the plan, one more look at all `pairs` spends what is
    left (none if there are fewer than 6). Raises ValueError for rules that make no sense.
    """
    rules.check()
    plan = [
        Spending(look, *_spent(rules, rules.alpha_spend[0] * share, rules.beta_spend[0] * share))
        for look, share in zip(rules.looks, shares(rules.looks), strict=True)
        if look <= pairs
    ]
    if final and MIN_PAIRS <= pairs < rules.looks[-1]:
        before = plan[-1].pairs if plan else 0
        alpha, beta = (
            _rest(spend, before, pairs, rules.looks[-1]) for spend in (rules.alpha_spend, rules.beta_spend)
        )
        if alpha > 0:  # else two looks at the same pairs
            plan.append(Spending(pairs, *_spent(rules, alpha, beta)))
    return tuple(plan)


def _spent(rules: Rules, alpha: float, beta: float) -> tuple[float, float]:
    """Return so many alphas of one gating, and so many betas."""
    return alpha * rules.alpha / rules.gatings, beta * rules.beta


def _rest(spend: tuple[float, float], before: int, pairs: int, last: int) -> float:
    """Return what a last look at `pairs` may spend, after one at `before`, of a plan that went to `last`.

    It is what a plan cut short may spend together, less what is spent; or at least the share of the new
    pairs, as of a planned look.
    """
    whole, cut = spend
    return max(cut * last - whole * before, whole * (pairs - before)) / last


def gatings(block_metrics: int, suite_metrics: int = 0) -> Gatings:
    """Divide alpha over a family of `block_metrics` gating block-metrics and `suite_metrics` gating means.

    Where means over blocks are judged too, they and the blocks get half of alpha each. Raises ValueError for
    negative numbers and for means without blocks.
    """
    if block_metrics < 1 or suite_metrics < 0:
        raise ValueError(f"{block_metrics} block-metrics and {suite_metrics} means are no family")
    if not suite_metrics:
        return Gatings(float(block_metrics), None)
    return Gatings(2.0 * block_metrics, 2.0 * suite_metrics)


def mean_over_blocks(
    base: Sequence[Sequence[float]] | NDArray[np.float64],
    head: Sequence[Sequence[float]] | NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the samples of base and head averaged over the blocks, one per round, ready for `paired.judge`.

    `base` and `head` hold one row of samples (logs) per block, one column per round. Rows may differ in
    length: rounds that some block did not run are left out, since a mean over the undecided blocks only
    would be biased towards the suspicious ones. Raises ValueError when the sides differ in shape or nothing
    is given.
    """
    if not len(base) or [len(row) for row in base] != [len(row) for row in head]:
        raise ValueError("the mean over blocks needs the same rounds of the same blocks on both sides")
    rounds = min(len(row) for row in base)
    return (
        np.mean([row[:rounds] for row in base], axis=0, dtype=float),
        np.mean([row[:rounds] for row in head], axis=0, dtype=float),
    )
