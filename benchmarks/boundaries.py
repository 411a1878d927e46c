"""What the looks of a plan may spend together: the numbers of `judge.looks._SPEND`, and their proof.

python benchmarks/boundaries.py    the probability of a false verdict, in alphas and betas; about 3 minutes

Noise is normal here, of unknown sd, and the true change is the bound itself (the margin for alpha, the
tolerance for beta), where a false verdict is most probable. What is asked for is the chance that any look
crosses its bound, whichever sd the noise has, whenever the plan is cut short, as a multiple of alpha / m.
`unchanged` never ends a plan here, which would only make a false regression less probable.

The chance of a union of rare events, by Adler, Blanchet & Liu (2012): draw a look k as often as its own
probability, which is exact (a t distribution); draw the pairs given that look k crosses; count the looks that
cross; average 1 / that number. Its relative standard error is that of a number between 1/K and 1.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from scipy.special import stdtrit

from pytest_ethrex_perf.judge import looks
from pytest_ethrex_perf.judge.family import spending
from pytest_ethrex_perf.records.decision import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SDS = (0.005, 0.02, 0.025, 0.03, 0.035, 0.04, 0.05, 0.07, 0.12)
"""sds of the difference (log) to try: below, all plans end after 24 pairs; above, they all go to the end."""
GATINGS = (1.0, 3.0, 20.0, 60.0, 200.0, 2_000.0, 20_000.0)
"""m, from one gating to more than anybody has."""
CUTS = (7, 9, 12, 15, 17, 20, 23, 24, 28, 33, 40, 60, 90)
_SEED = 20_270_112


class Chance(NamedTuple):
    """A probability as a multiple of the alpha / m (or beta) that it should not exceed."""

    value: float
    error: float
    """Its standard error."""


class _Paths(NamedTuple):
    """Normal pairs of which a look crosses its bound: as much of them as the looks need."""

    first: Floats
    """(draws, pairs of the first look)."""
    t: Floats
    """(looks, draws): t of the pairs so far."""


class Boundaries:
    """The plans of `rules` and their looks, for `what`: `alpha` or `beta`; `draws` for each look."""

    def __init__(self, rules: Rules, what: str = "alpha", draws: int = 4_000) -> None:
        self.rules = rules
        self._what = what
        self._draws = draws
        self._rng = np.random.default_rng(_SEED)
        self._paths: dict[tuple[int, float], _Paths] = {}
        last = rules.looks[-1]
        self._ends = sorted({last, rules.most or last, *(n for n in looks.FURTHER if last < n < rules.most)})

    @property
    def level(self) -> float:
        """What the chance should not exceed."""
        return self.rules.alpha / self.rules.gatings if self._what == "alpha" else self.rules.beta

    def worst(self, sds: Sequence[float] = SDS, cut: int | None = None) -> Chance:
        """Return the chance at the worst of the `sds`."""
        return max(self.chance(sd, cut) for sd in sds)

    def chance(self, sd: float, cut: int | None = None) -> Chance:
        """Return the chance in noise of this `sd`, with every plan `cut` short after so many pairs."""
        plans = [self._spent(end, cut) for end in self._ends]
        at = sorted({pairs for plan in plans for pairs in plan})
        levels = np.array([[plan.get(pairs, 0.0) for pairs in at] for plan in plans])
        with np.errstate(invalid="ignore"):
            critical = np.where(levels > 0, -stdtrit(np.array(at) - 1.0, np.maximum(levels, 1e-300)), np.inf)
        value = variance = 0.0
        for k, pairs in enumerate(at):
            highest = float(levels[:, k].max())
            if not highest:
                continue
            paths = self._crossing(pairs, highest, at)
            chosen = np.searchsorted(self._ends, looks.last_looks(paths.first * sd, self.rules))
            crossed = paths.t > critical[chosen].T
            share = np.where(crossed[k], 1 / np.maximum(crossed.sum(axis=0), 1), 0.0)
            value += highest * float(share.mean())
            variance += highest**2 * float(share.var()) / share.size
        return Chance(value / self.level, math.sqrt(variance) / self.level)

    def _spent(self, end: int, cut: int | None) -> dict[int, float]:
        """From pairs to what a plan up to `end` spends there; two looks at the same pairs are one."""
        rules = looks.planned(self.rules, end)
        plan = spending(rules, min(end, cut or end), final=cut is not None)
        return {look.pairs: getattr(look, self._what) for look in plan}

    def _crossing(self, pairs: int, level: float, at: list[int]) -> _Paths:
        if (pairs, level) not in self._paths:
            self._paths[pairs, level] = _crossing(
                self._rng, pairs, level, at, self.rules.looks[0], self._draws
            )
        return self._paths[pairs, level]


def _crossing(
    rng: np.random.Generator, pairs: int, level: float, at: list[int], first: int, draws: int
) -> _Paths:
    """Draw standard normal pairs given that t of the first `pairs` is in its upper tail of `level`.

    t, their sum of squares and the direction of their residuals are independent of each other.
    """
    t = -stdtrit(pairs - 1, level * rng.random(draws))
    radius = np.sqrt(rng.chisquare(pairs, draws))
    hypotenuse = np.sqrt(pairs - 1 + t**2)
    values = rng.standard_normal((at[-1], draws))
    residuals = values[:pairs] - values[:pairs].mean(axis=0)
    residuals /= np.sqrt((residuals**2).sum(axis=0))
    values[:pairs] = radius / hypotenuse * (t / math.sqrt(pairs) + residuals * math.sqrt(pairs - 1))
    head = values[:first].T.copy()
    counts = np.array(at)[:, None]
    sums, squares = (np.cumsum(moment, axis=0)[np.array(at) - 1] for moment in (values, values**2))
    variance = (squares - sums**2 / counts) / (counts - 1)
    return _Paths(head, sums / np.sqrt(counts * variance))


def main() -> int:
    """Print what a plan spends and the worst chance it has; return 1 where that is more than it may be."""
    wrong = 0
    print("chance of a false verdict at the bound, in alpha / m or beta; in brackets 3 standard errors")
    for what, sizes in (("alpha", GATINGS), ("beta", (1.0, 200.0))):
        for gatings in sizes:
            for most in (0, 36, 120, 270, looks.MOST):
                rules = looks.standard(Rules(gatings=gatings), most)
                spend = rules.alpha_spend if what == "alpha" else rules.beta_spend
                whole = Boundaries(rules, what).worst()
                cut = max(Boundaries(rules, what, draws=1_500).worst(cut=pairs) for pairs in CUTS)
                wrong += sum(chance.value - 3 * chance.error > 1 for chance in (whole, cut))
                print(
                    f"{what:5} m = {gatings:<6g} up to {most or 24:3} pairs, spends {spend[0]:.2f}: "
                    f"{whole.value:.3f} (± {3 * whole.error:.3f}); cut short, {spend[1]:.2f}: "
                    f"{cut.value:.3f} (± {3 * cut.error:.3f})"
                )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
