"""Two plans that look as careful as the gate's, and are not: the proof must tell.

Each takes the place of a function of the judge. `wrong_at_the_margin` then simulates the gate as it runs,
look by look, in normal noise whose true change is the margin. What a plan that chooses its length by the sd
alone has to keep there is alpha.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
from scipy.special import ndtri

from benchmarks.plans import PATIENT, as_it_goes
from benchmarks.trials import MARGIN, Rate
from pytest_ethrex_perf.judge import batch, family, looks
from pytest_ethrex_perf.judge.bounds import REGRESSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.noise import Floats
    from pytest_ethrex_perf.judge.family import Spending
    from pytest_ethrex_perf.records.decision import Rules

THE_GATE = "the gate"
SD = 0.09
"""sd of the noise (log), as of the recorded set aa_1."""
_SEED = 20_261_127


def _ends_by_the_mean(differences: Floats, rules: Rules, step: float | Floats = 0.0) -> NDArray[np.int64]:
    """End the plan where the estimate so far would be told from the margin: soon where chance is kind."""
    rows, pairs = differences.shape
    if rules.most <= rules.looks[-1] or pairs < rules.looks[0]:
        return np.full(rows, rules.looks[-1])
    sd = np.maximum(differences.std(axis=1, ddof=1), step)
    above = np.abs(differences.mean(axis=1) - math.log1p(rules.margin)) + 1e-9
    z = float(ndtri(0.9) - ndtri(0.4 * rules.alpha / rules.gatings))
    ends = np.array([end for end in looks.planned(rules, rules.most).looks if end >= rules.looks[-1]])
    wanted = np.searchsorted(ends, 1.45 * (z * sd / above) ** 2)
    chosen: NDArray[np.int64] = ends[np.minimum(wanted, ends.size - 1)]
    return chosen


def _spends_anew(rules: Rules, pairs: int, *, final: bool = False) -> tuple[Spending, ...]:
    """Spend all of alpha over the ordinary looks, and all of it again at every look that follows."""
    shares = dict(zip(looks.ORDINARY, family.shares(looks.ORDINARY), strict=True))
    alpha = rules.alpha_spend[0] * rules.alpha / rules.gatings
    return tuple(
        look._replace(alpha=alpha * shares.get(look.pairs, 1.0))
        for look in family.spending(rules, pairs, final=final)
    )


MUTANTS: dict[str, tuple[object, str, object]] = {
    "choosing N from the mean, too": (looks, "last_looks", _ends_by_the_mean),
    "spending alpha anew at each extension": (batch, "spending", _spends_anew),
}


def mutated(name: str) -> AbstractContextManager[object]:
    """Return a context in which the judge is this mutant, or as it is (`THE_GATE`)."""
    return patch.object(*MUTANTS[name]) if name in MUTANTS else nullcontext()


def wrong_at_the_margin(name: str, sessions: int) -> Rate:
    """How many of `sessions` sessions of one block are called a regression where the change is the margin."""
    rng = np.random.default_rng(_SEED)
    differences = rng.normal(math.log1p(MARGIN), SD, (sessions, PATIENT.pairs))
    with mutated(name):
        codes = as_it_goes(differences, PATIENT.rules())
    return Rate(int((codes == REGRESSION).sum()), sessions)


def measure(sessions: int) -> dict[str, Rate]:
    """Return `wrong_at_the_margin` of the gate and of every mutant."""
    return {name: wrong_at_the_margin(name, sessions) for name in (THE_GATE, *MUTANTS)}
