"""What pairs that nobody has measured yet would show, by how much those that were measured vary.

Nothing here looks at their mean, and a few pairs know their sd badly: what is promised is promised at its
upper bound.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scipy.special import chdtri

from pytest_ethrex_perf.judge import looks, power
from pytest_ethrex_perf.judge.family import spending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.decision import Rules

SURE = 0.9
"""Probability with which the true sd is not above its upper bound."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How one metric of one block varies on one machine, and by what it would be judged."""

    metric: str
    rules: Rules
    sd: float
    """Of the pair's difference, a log."""
    df: int
    """Degrees of freedom of `sd`."""
    step: float = 0.0
    """Resolution of a sample, a log."""
    level: float | None = None
    """Typical value in the metric's unit, for the absolute floor."""

    @classmethod
    def of_pairs(
        cls,
        metric: str,
        rules: Rules,
        base: Sequence[float],
        head: Sequence[float],
        *,
        step: float,
        level: float | None,
    ) -> Noise:
        """Return the noise of the pairs (base[i], head[i]), samples as logs; two at least."""
        sd = statistics.stdev(right - left for left, right in zip(base, head, strict=True))
        return cls(metric, rules, max(sd, step), len(base) - 1, step, level)

    @property
    def sd_at_most(self) -> float:
        """Upper bound of the true sd (log), right with a probability of 90 %: sd · sqrt(df / chi²_0.1)."""
        return max(self.sd, self.step) * math.sqrt(self.df / float(chdtri(self.df, SURE)))

    def detectable(self, pairs: int) -> float:
        """Smallest slowdown (log) that a plan which ends after `pairs` pairs calls a regression, power 90 %.

        The sd is `sd_at_most`; the plan is the gate's own, ordinary or going on. Raises ValueError for fewer
        than 24 or more than `looks.MOST` pairs.
        """
        plan = looks.planned(looks.standard(self.rules, pairs), pairs)
        spent = spending(plan, pairs)
        return power.detectable(spent, self.sd_at_most, plan, step=self.step, level=self.level)

    def pairs_wanted(self) -> int | None:
        """Return the pairs it takes to tell the tolerance from the margin; None if no plan is so long.

        By the `sd` as it is: the plan itself allows for what six pairs don't know of it.
        """
        wanted = math.ceil(float(looks.pairs_wanted(self.sd, self.rules, self.step)))
        return max(wanted, looks.ORDINARY[-1]) if 0 < wanted <= looks.MOST else None

    def tolerance(self, pairs: int) -> float:
        """Return the smallest tolerance (a fraction) that so many `pairs` tell from the margin.

        It is the rules' own where they do. The pairs wanted fall with the square of the window between both.
        """
        margin = math.log1p(self.rules.margin) + self.step
        far = replace(self.rules, tolerance=math.expm1(margin + 1))  # a window of 1
        wanted = float(looks.pairs_wanted(self.sd, far, self.step))
        return max(self.rules.tolerance, math.expm1(margin + math.sqrt(wanted / pairs)))
