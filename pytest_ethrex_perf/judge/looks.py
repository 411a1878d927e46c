"""When pairs are looked at: the ordinary plan, and how far it goes on where the noise asks for more.

At the first look the sd of the pairs' differences alone says how many pairs it takes to tell the tolerance
from the margin. Their mean never does: a plan that followed it would stop where chance is kind. A look spends
its share (`family.shares`) of the plan that was chosen, so nothing is spent anew when a plan goes on.

Two things decide what the looks of a plan may spend together, besides alpha. They overlap: what is proven at
20 pairs is mostly proven at 24 as well, so that the sum of their shares may exceed 1. And in normal noise,
mean and sd are independent, but t is made of both: a small sd makes t large and the plan short, with large
shares, at the same time. `_SPEND` holds both together, from `benchmarks/boundaries.py`: in the worst normal
noise the probability of a false regression is alpha, and that of a false `unchanged` beta.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_ethrex_perf.records.decision import Rules

    Floats = NDArray[np.float64]

ORDINARY = (6, 8, 10, 13, 16, 20, 24)
"""The looks of every plan; it ends after 24 pairs where the noise asks for no more."""
FURTHER = (30, 36, 45, 54, 66, 81, 100, 120, 150, 180, 225, 270, 330, 400, 490, 600, 730, 900)
"""The looks of a plan that goes on: each at a fifth or a quarter more pairs."""
MOST = FURTHER[-1]
"""No plan goes on for longer: half an hour of a block of 60 ms."""

_POWER = 0.9
_LAST_SHARE = 0.4  # of alpha, about what the last looks spend: z(0.996) at an alpha of 1 %
_UNSURE = 1.45  # six pairs know their sd to a third: too few pairs lose more power than too many cost
_LEVELS = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 5e-2)  # alpha / m, or beta
_SPEND = {  # what the looks may spend together at these levels
    "ordinary": (1.04, 1.07, 1.11, 1.18, 1.29, 1.50, 1.83),
    "going on": (0.60, 0.65, 0.72, 0.81, 0.95, 1.23, 1.63),
}
_SPEND_CUT = {"ordinary": 1.0, "going on": 0.84}  # at most, where time cuts the plan short


def standard(rules: Rules, most: int = MOST) -> Rules:
    """Return `rules` with the ordinary looks, and a plan that may go on up to `most` pairs (0: not at all).

    What its looks may spend follows from alpha, beta and the size of the family, which must be set before.
    Raises ValueError for a `most` between 1 and 24 or above `MOST`.
    """
    if most and not ORDINARY[-1] <= most <= MOST:
        raise ValueError(f"most is {most}: a plan goes on to {ORDINARY[-1]} to {MOST} pairs, or never (0)")
    kind = "going on" if most else "ordinary"
    return replace(
        rules,
        looks=ORDINARY,
        most=most,
        alpha_spend=_spend(kind, rules.alpha / rules.gatings),
        beta_spend=_spend(kind, rules.beta),
    )


def pairs_wanted(sd: float | Floats, rules: Rules, step: float | Floats = 0.0) -> Floats:
    """Return the pairs it takes to tell the tolerance from the margin at this `sd` of the differences (log).

    N = 1.45 ((z_a + z_0.9) sd / (log1p(tolerance) - log1p(margin) - step))^2, with a = 1 - 0.4 alpha / m;
    `step` is the resolution of a sample as a log, which `sd` is floored at. 0 where the margin reaches the
    tolerance: no number of pairs tells them apart.
    """
    window = np.asarray(math.log1p(rules.tolerance) - math.log1p(rules.margin) - step)
    z = float(ndtri(_POWER) - ndtri(_LAST_SHARE * rules.alpha / rules.gatings))
    return np.where(
        window > 0, _UNSURE * (z * np.maximum(sd, step) / np.where(window > 0, window, 1)) ** 2, 0
    )


def last_looks(differences: Floats, rules: Rules, step: float | Floats = 0.0) -> NDArray[np.int64]:
    """Return after how many pairs the plan of each row of `differences` (gatings x pairs, logs) ends.

    It is the first look that has the pairs wanted, `rules.most` if none has. Without the pairs of the first
    look, and where `rules` don't go on, it is the last of `rules.looks`.
    """
    rows, pairs = differences.shape
    first, last = rules.looks[0], rules.looks[-1]
    if rules.most <= last or pairs < first:
        return np.full(rows, last)
    wanted = pairs_wanted(differences[:, :first].std(axis=1, ddof=1), rules, step)
    ends = np.array([last, *_further(last, rules.most)])
    return ends[np.minimum(np.searchsorted(ends, wanted), ends.size - 1)]


def planned(rules: Rules, last: int) -> Rules:
    """Return `rules` with all looks of a plan that ends after `last` pairs."""
    return replace(rules, looks=(*rules.looks, *_further(rules.looks[-1], last)), most=0)


def _further(after: int, last: int) -> tuple[int, ...]:
    return (*(look for look in FURTHER if after < look < last), last) if last > after else ()


def _spend(kind: str, level: float) -> tuple[float, float]:
    whole = float(np.interp(math.log(level), np.log(_LEVELS), _SPEND[kind]))
    return whole, min(whole, _SPEND_CUT[kind])
