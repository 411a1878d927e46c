"""Plans of this gate, on the differences of pairs alone: fast enough for a million blocks.

Every plan is judged by `judge.batch`, nothing of it is repeated here. A difference is drawn from the pairs
that were recorded, or from a million simulated ones; pairs of a simulated session are independent of each
other, since what it drifts by from one invocation to the next is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.gates import STEP
from benchmarks.noise import BLOCK_SECONDS, LOAD_SECONDS, REPEATS
from benchmarks.samples import samples
from benchmarks.trials import EFFECTS, UNREPORTED, Curve, Interleaved, Point, Rate, Scenario, scenarios
from pytest_ethrex_perf.judge import batch, looks
from pytest_ethrex_perf.judge.bounds import GO_ON, INCONCLUSIVE, REGRESSION
from pytest_ethrex_perf.judge.family import MIN_BLOCKS_FOR_MEAN, gatings
from pytest_ethrex_perf.judge.samples import CURRENT
from pytest_ethrex_perf.records.decision import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmarks.noise import Floats
    from pytest_ethrex_perf.records.measurement import Sample

_POOL_SESSIONS = 40_000  # of 24 pairs: 960,000 pairs of a simulated machine
_AT_ONCE = 4_000_000  # differences in memory
_SEED = 20_261_126


@dataclass(frozen=True, slots=True)
class Plan:
    """When the gate looks, and how it reads an invocation."""

    name: str
    most: int = 0
    """Pairs up to which the plan goes on; 0: 24 pairs are the whole plan."""
    cut: int = 0
    """Pairs after which time ends it, with one last look; 0: time is no matter."""
    tolerance: float = Rules().tolerance
    """What is proven to be within this fraction is unchanged."""
    old: bool = False
    """As it was: looks at 6, 10, 16 and 24, whose shares sum to 1, of the median."""

    @property
    def sample(self) -> Sample:
        """What it is that an invocation says."""
        return "median" if self.old else CURRENT

    @property
    def pairs(self) -> int:
        """The most pairs it takes."""
        return self.cut or max(self.most, looks.ORDINARY[-1])

    def rules(self, blocks: float = 1.0) -> Rules:
        """Return what a block is judged by in a family of `blocks` (`Rules.gatings`)."""
        rules = Rules(tolerance=self.tolerance, gatings=blocks)
        return rules if self.old else looks.standard(rules, self.most)

    def judge(self, differences: Floats, blocks: float = 1.0) -> batch.Judged:
        """Judge rows of at least `pairs` differences."""
        return batch.judge_many(differences[:, : self.pairs], self.rules(blocks), step=STEP, final=True)


OLD = Plan("24 pairs, the median (as it was)", old=True)
ORDINARY = Plan("24 pairs (`--ethrex-patience=0`)")
PATIENT = Plan("up to 120 pairs", most=120)
LONG = Plan("up to 270 pairs", most=270)
LONGEST = Plan("up to 900 pairs", most=looks.MOST)
_PATIENCE = int(600 / (2 * (LOAD_SECONDS + REPEATS * BLOCK_SECONDS)))  # pairs in 10 minutes
DEFAULT = Plan(
    f"as it is: patience of 10 min, {looks.ORDINARY[-1] + _PATIENCE} pairs",
    most=looks.MOST,
    cut=looks.ORDINARY[-1] + _PATIENCE,
)
"""What an only block gets without options."""
TOLERANCES = (0.03, 0.05, 0.08, 0.12)
"""What is tried with the default patience: a wider tolerance needs fewer pairs."""
PLANS = (DEFAULT, PATIENT, LONG, LONGEST, ORDINARY, OLD)
CUTS = (6, 7, 9, 15, 24, 40, 60, 119)
"""Pairs after which the time is up: at a look, just after and just before one, in between."""


def draws(scenario: Scenario, plan: Plan, trials: int, seed: int, rows: int = 1) -> Iterator[Floats]:
    """Yield differences of `trials` blocks in all, a multiple of `rows` at a time, with no true change."""
    pool = _pool(scenario.name, plan.sample)
    rng = np.random.default_rng([_SEED, seed])
    chunk = max(_AT_ONCE // plan.pairs // rows, 1) * rows
    for start in range(0, trials, chunk):
        drawn = rng.integers(pool.size, size=(min(chunk, trials - start), plan.pairs), dtype=np.int32)
        yield pool[drawn]


@lru_cache(maxsize=16)
def _pool(scenario: str, sample: Sample) -> Floats:
    """Differences of pairs to draw from, each with both signs: which side was which does not matter."""
    (noise,) = (one for one in scenarios() if one.name == scenario)
    if noise.recorded is not None:
        sides = noise.recorded.sides
        differences = (samples(sides.head, sample) - samples(sides.base, sample)).ravel()
        differences -= differences.mean()
    else:
        rng = np.random.default_rng([_SEED, 0])
        sessions = (noise.draw(rng, trials=1_000, pairs=24) for _ in range(_POOL_SESSIONS // 1_000))
        differences = np.concatenate(
            [(samples(sides.head, sample) - samples(sides.base, sample)).ravel() for sides in sessions]
        )
    return np.concatenate([differences, -differences])


def curve(plan: Plan, scenario: Scenario, trials: int, effects: tuple[float, ...] = EFFECTS) -> Curve:
    """Judge one block in `trials` sessions at each of the `effects`: the same noise for all of them."""
    counts = {effect: np.zeros(3, dtype=np.int64) for effect in effects}
    for differences in draws(scenario, plan, trials, seed=1):
        for effect in effects:
            judged = plan.judge(differences + math.log1p(effect))
            codes = judged.codes
            counts[effect] += (
                (codes == REGRESSION).sum(),
                (codes == INCONCLUSIVE).sum(),
                judged.pairs.sum(),
            )
    return {
        effect: Point(Rate(int(slower), trials), int(pairs) / trials, Rate(int(inconclusive), trials))
        for effect, (slower, inconclusive, pairs) in counts.items()
    }


def family_alarms(plan: Plan, scenario: Scenario, blocks: int, families: int) -> dict[float, Rate]:
    """How many sessions of `blocks` blocks report any regression when all have a true 0 %, or all +1 %.

    From 4 blocks on the mean over blocks is a member of the family, with a plan of its own over all pairs
    (the real one is judged over those that every block ran, which can only be fewer). The blocks are
    independent: what real ones of a session share makes alarms come together, so fewer sessions have one.
    """
    shares = gatings(blocks, int(blocks >= MIN_BLOCKS_FOR_MEAN))
    hits = dict.fromkeys(UNREPORTED, 0)
    for differences in draws(scenario, plan, families * blocks, seed=2, rows=blocks):
        for effect in UNREPORTED:
            changed = differences + math.log1p(effect)
            codes = plan.judge(changed, shares.block).codes
            slower = (codes == REGRESSION).reshape(-1, blocks).any(axis=1)
            if shares.suite is not None:
                mean = changed.reshape(-1, blocks, plan.pairs).mean(axis=1)
                slower |= plan.judge(mean, shares.suite).codes == REGRESSION
            hits[effect] += int(slower.sum())
    return {effect: Rate(number, families) for effect, number in hits.items()}


class Measured(NamedTuple):
    """What the gate did in one scenario, by its plans."""

    interleaved: Interleaved
    """The plan that goes on to 120 pairs, with all families."""
    curves: dict[str, Curve]
    """From the name of a plan."""
    cuts: dict[int, Curve]
    """The plan that goes on to 120 pairs, from the pairs after which the time was up; at 0, +1 and +3 %."""
    longer: dict[tuple[str, int, float], Rate]
    """From (plan, blocks, true effect) to sessions with any regression."""
    cut_families: dict[tuple[int, int, float], Rate]
    """From (pairs at the cut, blocks, true effect)."""
    tolerances: dict[float, Curve]
    """The default plan, from its tolerance; at no change, and at a slowdown of the tolerance."""


class Sessions(NamedTuple):
    """How many sessions to simulate."""

    curve: int = 20_000
    families: dict[int, int] = {1: 20_000, 10: 20_000, 100: 20_000}  # noqa: RUF012 - it is never changed
    """From blocks in a family."""
    longer: dict[tuple[str, int], int] = {  # noqa: RUF012
        (DEFAULT.name, 1): 20_000,
        (DEFAULT.name, 10): 20_000,
        (DEFAULT.name, 100): 2_000,
        (LONG.name, 1): 20_000,
        (LONG.name, 10): 10_000,
        (LONGEST.name, 1): 20_000,
        (LONGEST.name, 10): 4_000,
    }
    cuts: tuple[int, ...] = CUTS
    cut_families: int = 4_000
    """Of 10 blocks."""
    plans: tuple[Plan, ...] = PLANS

    @classmethod
    def of(cls, sessions: int) -> Sessions:
        """Return as many `sessions` of everything, fewer in proportion where the full number is smaller."""
        full = cls()
        return full._replace(
            curve=sessions,
            families={blocks: n * sessions // full.curve for blocks, n in full.families.items()},
            longer={size: n * sessions // full.curve for size, n in full.longer.items()},
            cut_families=full.cut_families * sessions // full.curve,
        )


def measure(scenario: Scenario, sessions: Sessions) -> Measured:
    """Measure all plans in one scenario."""
    curves = {plan.name: curve(plan, scenario, sessions.curve) for plan in sessions.plans}
    by_name = {plan.name: plan for plan in PLANS}
    families = {
        (blocks, effect): rate
        for blocks, number in sessions.families.items()
        for effect, rate in family_alarms(PATIENT, scenario, blocks, number).items()
    }
    longer = {
        (name, blocks, effect): rate
        for (name, blocks), number in sessions.longer.items()
        for effect, rate in family_alarms(by_name[name], scenario, blocks, number).items()
    }
    cut = {pairs: Plan(f"cut at {pairs}", PATIENT.most, cut=pairs) for pairs in sessions.cuts}
    return Measured(
        Interleaved(scenario, curves[PATIENT.name], families),
        curves,
        {pairs: curve(plan, scenario, sessions.curve, (0.0, 0.01, 0.03)) for pairs, plan in cut.items()},
        longer,
        {
            (pairs, 10, effect): rate
            for pairs, plan in cut.items()
            if sessions.cut_families
            for effect, rate in family_alarms(plan, scenario, 10, sessions.cut_families).items()
        },
        tolerances(scenario, sessions.curve),
    )


def tolerances(scenario: Scenario, sessions: int) -> dict[float, Curve]:
    """Try the default plan with each of `TOLERANCES`."""
    tried = {tolerance: replace(DEFAULT, tolerance=tolerance) for tolerance in TOLERANCES}
    return {tolerance: curve(plan, scenario, sessions, (0.0, tolerance)) for tolerance, plan in tried.items()}


def as_it_goes(differences: Floats, rules: Rules) -> NDArray[np.int8]:
    """Return the verdict codes of rows that are judged after every look with the pairs so far, as a gate is.

    It is what `judge_many` says of all pairs at once, unless a later look changes what an earlier one meant.
    """
    plan = looks.planned(rules, rules.most).looks
    codes = np.full(len(differences), GO_ON, dtype=np.int8)
    for pairs in plan:
        undecided = np.flatnonzero(codes == GO_ON)
        so_far = differences[undecided, :pairs]
        codes[undecided] = batch.judge_many(so_far, rules, step=STEP, final=pairs == plan[-1]).codes
    return codes
