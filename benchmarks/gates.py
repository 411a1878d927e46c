"""The rules under test: this project's own, and what it would be if it pooled repeats.

`OURS` calls `pytest_ethrex_perf.judge`, nothing of it is repeated here. The others exist to show that the
benchmark notices: `POOLED` keeps all of its care (margin, looks, shares of alpha, family) but for one thing,
a repeat counts as an observation of its own; `BENCHSTAT` is benchstat's rule as it is, on the whole plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.noise import BLOCK_SECONDS, Floats, Sides
from benchmarks.rivals import Bools, benchstat, mann_whitney
from benchmarks.samples import samples
from pytest_ethrex_perf.judge import batch, stored
from pytest_ethrex_perf.judge.bounds import REGRESSION
from pytest_ethrex_perf.judge.family import spending
from pytest_ethrex_perf.judge.samples import step_of_repeats
from pytest_ethrex_perf.records.decision import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = step_of_repeats([1e9 * BLOCK_SECONDS])
"""Resolution of a sample as a log, at the size of block that is simulated."""


class Decided(NamedTuple):
    """One element per trial."""

    slower: Bools
    """A regression was reported."""
    invocations: NDArray[np.int64]
    """Invocations a side until the decision (or the end of the plan)."""


Interleaved = Callable[[Sides, Rules], Decided]
Stored = Callable[[Floats, Floats, Rules], Bools]


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule for both designs: interleaved pairs, and a stored baseline of sessions against a new session."""

    name: str
    interleaved: Interleaved
    stored: Stored


def _interleaved(sides: Sides, rules: Rules) -> Decided:
    judged = batch.judge_many(samples(sides.head) - samples(sides.base), rules, step=STEP, final=True)
    return Decided(judged.codes == REGRESSION, judged.pairs)


def _stored(baseline: Floats, session: Floats, rules: Rules) -> Bools:
    todays = replace(rules, within=stored.WITHIN)
    codes = stored.judge_many(samples(baseline), samples(session), todays, step=STEP)
    slower: Bools = codes == REGRESSION
    return slower


def _pooled_interleaved(sides: Sides, rules: Rules) -> Decided:
    trials, pairs, repeats = sides.base.shape
    slower = np.zeros(trials, dtype=np.bool_)
    used = np.full(trials, pairs)
    for look in spending(rules, pairs):
        going = np.flatnonzero(~slower)
        if not going.size:
            break
        base, head = (side[going, : look.pairs].reshape(going.size, look.pairs * repeats) for side in sides)
        found = going[_proven(base, head, look.alpha, rules)]
        slower[found], used[found] = True, look.pairs
    return Decided(slower, used)


def _pooled_stored(baseline: Floats, session: Floats, rules: Rules) -> Bools:
    sides = _as_many(baseline, session)
    base, head = (side.reshape(len(side), -1) for side in sides)
    return _proven(base, head, rules.alpha / rules.gatings, rules)


def _as_many(baseline: Floats, session: Floats) -> Sides:
    """As many invocations of the baseline as the new session has, the first ones of each session."""
    trials, sessions, _, repeats = baseline.shape
    each = -(-session.shape[1] // sessions)
    return Sides(baseline[:, :, :each].reshape(trials, -1, repeats)[:, : session.shape[1]], session)


def _benchstat_interleaved(sides: Sides, _: Rules) -> Decided:
    return Decided(benchstat(sides), np.full(len(sides.base), sides.base.shape[1]))


def _benchstat_stored(baseline: Floats, session: Floats, _: Rules) -> Bools:
    return benchstat(_as_many(baseline, session))


def _proven(base: Floats, head: Floats, alpha: float, rules: Rules) -> Bools:
    return mann_whitney(base, head / (1 + rules.margin), alternative="greater") <= alpha


OURS = Gate("this gate", _interleaved, _stored)
POOLED = Gate("this gate, pooling repeats", _pooled_interleaved, _pooled_stored)
BENCHSTAT = Gate("benchstat's rule", _benchstat_interleaved, _benchstat_stored)
