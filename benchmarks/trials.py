"""Trials: how often a rule says "slower", after how many repeats, on which noise.

A scenario is judged at true effects of 0 % (nothing changed), +1 % (the margin: still not to be reported) and
above; its trials are the same for every rule and every effect.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from benchmarks.noise import (
    BLOCK_SECONDS,
    LOAD_SECONDS,
    MACHINES,
    REPEATS,
    Floats,
    Machine,
    Recorded,
    Sides,
    recordings,
    resample,
    simulate_pairs,
    simulate_sessions,
)
from benchmarks.rivals import RIVALS, Rival
from benchmarks.samples import samples
from pytest_ethrex_perf.judge.family import MIN_BLOCKS_FOR_MEAN, gatings
from pytest_ethrex_perf.records.decision import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.gates import Gate

EFFECTS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08)
MARGIN = Rules().margin
UNREPORTED = (0.0, MARGIN)
"""True changes that a regression must not be reported for."""
LIMITS = {0.0: 0.01, MARGIN: 0.015}
"""How often it may be all the same."""
PAIRS = 24
"""Of a gate that pools: it never goes on."""
SWEEP = (2, 3, 4, 6, 8, 10, 12, 16, 20, 24)
"""Invocations a side that the other tools are tried with: they have no rule for when to stop."""
SHOWN = 12
"""Of these, the one in the table of families: what this gate takes to see +3 % on typical noise."""
STORED_INVOCATIONS = 10
SESSIONS = (1, 5, 8)
"""Sessions in a stored baseline."""
STORED_EFFECTS = (*EFFECTS, 0.10)
_CHUNK = 1000  # trials in memory at once; the first of them are the same for every rule
_SEED = 20_261_003


class Rate(NamedTuple):
    """How many of the trials."""

    hits: int
    trials: int

    @property
    def value(self) -> float:
        """The estimate, as a fraction."""
        return self.hits / self.trials

    @property
    def at_most(self) -> float:
        """Exact (Clopper-Pearson) one-sided 95 % upper bound of the true rate."""
        return (
            float(stats.beta.ppf(0.95, self.hits + 1, self.trials - self.hits))
            if self.hits < self.trials
            else 1.0
        )

    @property
    def at_least(self) -> float:
        """Exact one-sided 95 % lower bound."""
        return float(stats.beta.ppf(0.05, self.hits, self.trials - self.hits + 1)) if self.hits else 0.0

    def __add__(self, other: object) -> Rate:
        """Take two runs together."""
        if not isinstance(other, Rate):
            return NotImplemented
        return Rate(self.hits + other.hits, self.trials + other.trials)


def percent(value: float) -> str:
    """Write a fraction as people read it: `0.56 %`, `12.3 %`, and `0 %` only for none at all."""
    if value in {0.0, 1.0}:
        return f"{100 * value:.0f} %"
    return f"{100 * value:.{2 if value < 0.1 else 1}f} %"


class Point(NamedTuple):
    """A rule at one true effect."""

    slower: Rate
    invocations: float
    """Mean invocations a side."""
    inconclusive: Rate | None = None
    """Ended without a verdict; None of a rule that knows no such end."""

    @property
    def repeats(self) -> float:
        """Mean repeats a side, those that are dropped included."""
        return self.invocations * REPEATS

    @property
    def seconds(self) -> float:
        """Wall time of both sides at a 60 ms block with a 1.5 s load (preparation not counted)."""
        return 2 * self.invocations * (LOAD_SECONDS + REPEATS * BLOCK_SECONDS)


Curve = dict[float, Point]
"""From true effect to what a rule did there."""


class Scenario(NamedTuple):
    """One kind of noise; `draw(rng, trials=, pairs=)` gives fresh trials of it."""

    name: str
    note: str
    draw: Callable[..., Sides]
    machine: Machine | None = None
    """The model, None for recorded noise."""
    recorded: Recorded | None = None
    """The recording, None for a model."""


def scenarios() -> list[Scenario]:
    """Return the three machines, then the recorded noise."""
    simulated = [
        Scenario(machine.name, _note(machine), partial(simulate_pairs, machine), machine)
        for machine in MACHINES
    ]
    recorded = [
        Scenario(
            f"recorded {one.name}",
            f"{one.pairs} pairs on one busy 2-core machine, resampled: centred, sides swapped at random",
            partial(resample, one),
            recorded=one,
        )
        for one in recordings()
    ]
    return simulated + recorded


def _note(machine: Machine) -> str:
    parts = {
        "between processes": machine.process,
        "of repeats": machine.repeat,
        "between sessions": machine.session,
        "of the drift in a session": machine.drift,
    }
    return "simulated, sd " + ", ".join(f"{what} {percent(sd)}" for what, sd in parts.items())


def curve(gate: Gate, scenario: Scenario, trials: int, effects: tuple[float, ...] = EFFECTS) -> Curve:
    """Judge one block in `trials` sessions at each of the `effects`."""
    hits = dict.fromkeys(effects, 0)
    used = dict.fromkeys(effects, 0)
    for sides in _draws(scenario, trials, PAIRS, seed=1):
        for effect in effects:
            decided = gate.interleaved(sides.slowed(effect), Rules())
            hits[effect] += int(decided.slower.sum())
            used[effect] += int(decided.invocations.sum())
    return {effect: Point(Rate(hits[effect], trials), used[effect] / trials) for effect in effects}


def rival_curves(
    scenario: Scenario,
    trials: int,
    sweep: tuple[int, ...] = SWEEP,
    rivals: tuple[Rival, ...] = RIVALS,
    chunk: int = _CHUNK,
) -> dict[tuple[str, int], Curve]:
    """What the other tools say of the first n invocations of the same pairs; keys are (name, n)."""
    curves: dict[tuple[str, int], Curve] = {(rival.name, n): {} for rival in rivals for n in sweep}
    for sides in _draws(scenario, trials, max(sweep), seed=1, chunk=chunk):
        for rival in rivals:
            for n in sweep:
                for effect in EFFECTS:
                    slower = rival.slower(sides.first(n).slowed(effect))
                    rate = Rate(int(slower.sum()), slower.size)
                    before = curves[rival.name, n].get(effect)
                    curves[rival.name, n][effect] = Point(before.slower + rate if before else rate, float(n))
    return curves


def family_alarms(gate: Gate, scenario: Scenario, blocks: int, families: int) -> dict[float, Rate]:
    """How many sessions of `blocks` blocks report any regression when all have a true 0 %, or all +1 %.

    From 4 blocks on the mean over blocks is a member of the family, over all rounds (the real one is judged
    over those that every block ran, which can only be fewer). The blocks are independent: what real ones of a
    session share makes alarms come together, so fewer sessions have one.
    """
    shares = gatings(blocks, int(blocks >= MIN_BLOCKS_FOR_MEAN))
    hits = dict.fromkeys(UNREPORTED, 0)
    for sides in _draws(scenario, families * blocks, PAIRS, seed=2, chunk=max(_CHUNK // blocks, 1) * blocks):
        for effect in UNREPORTED:
            changed = sides.slowed(effect)
            slower = (
                gate.interleaved(changed, Rules(gatings=shares.block)).slower.reshape(-1, blocks).any(axis=1)
            )
            if shares.suite is not None:
                mean = _mean_over_blocks(changed, blocks)
                slower |= gate.interleaved(mean, Rules(gatings=shares.suite)).slower
            hits[effect] += int(slower.sum())
    return {effect: Rate(number, families) for effect, number in hits.items()}


def _mean_over_blocks(sides: Sides, blocks: int) -> Sides:
    """One invocation's mean over blocks, as a single "repeat": the median of one value is that value."""
    base, head = (np.exp(samples(side).reshape(-1, blocks, PAIRS).mean(axis=1))[:, :, None] for side in sides)
    return Sides(base, head)


def stored_curve(gate: Gate, machine: Machine, sessions: int, trials: int) -> Curve:
    """Judge a new session of 10 invocations against a stored baseline of `sessions` sessions of 10."""
    hits = dict.fromkeys(STORED_EFFECTS, 0)
    for times in _session_draws(machine, sessions, trials):
        for effect in STORED_EFFECTS:
            slower = gate.stored(times[:, :-1], times[:, -1] * (1 + effect), Rules())
            hits[effect] += int(slower.sum())
    return {effect: Point(Rate(hits[effect], trials), STORED_INVOCATIONS) for effect in STORED_EFFECTS}


def stored_family_alarms(
    gate: Gate, machine: Machine, sessions: int, blocks: int, families: int
) -> dict[float, Rate]:
    """Like `family_alarms`, against a stored baseline; there is no mean over blocks in it."""
    hits = dict.fromkeys(UNREPORTED, 0)
    for times in _session_draws(
        machine, sessions, families * blocks, chunk=max(_CHUNK // blocks, 1) * blocks
    ):
        for effect in UNREPORTED:
            slower = gate.stored(times[:, :-1], times[:, -1] * (1 + effect), Rules(gatings=blocks))
            hits[effect] += int(slower.reshape(-1, blocks).any(axis=1).sum())
    return {effect: Rate(number, families) for effect, number in hits.items()}


def stored_rivals(machine: Machine, trials: int) -> dict[str, Curve]:
    """What the other tools say of two sessions on different days."""
    curves: dict[str, Curve] = {rival.name: {} for rival in RIVALS}
    times = next(_session_draws(machine, 1, trials, chunk=trials))
    for rival in RIVALS:
        for effect in STORED_EFFECTS:
            slower = rival.slower(Sides(times[:, 0], times[:, 1] * (1 + effect)))
            curves[rival.name][effect] = Point(Rate(int(slower.sum()), trials), STORED_INVOCATIONS)
    return curves


def _draws(scenario: Scenario, trials: int, pairs: int, *, seed: int, chunk: int = _CHUNK) -> Iterator[Sides]:
    rng = np.random.default_rng([_SEED, seed])
    for start in range(0, trials, chunk):
        yield scenario.draw(rng, trials=min(chunk, trials - start), pairs=pairs)


def _session_draws(machine: Machine, sessions: int, trials: int, chunk: int = _CHUNK) -> Iterator[Floats]:
    rng = np.random.default_rng([_SEED, 3, sessions])
    for start in range(0, trials, chunk):
        yield simulate_sessions(
            machine,
            rng,
            trials=min(chunk, trials - start),
            sessions=sessions + 1,
            invocations=STORED_INVOCATIONS,
        )


class Interleaved(NamedTuple):
    """What one gate did in one scenario."""

    scenario: Scenario
    curve: Curve
    families: dict[tuple[int, float], Rate]
    """From (blocks, true effect of all of them) to sessions with any regression."""


class Stored(NamedTuple):
    """What one gate did against stored baselines of one machine."""

    machine: Machine
    curves: dict[int, Curve]
    """From sessions in the baseline."""
    families: dict[tuple[int, int, float], Rate]
    """From (sessions, blocks, true effect)."""


def interleaved(gate: Gate, scenario: Scenario, trials: int, families: dict[int, int]) -> Interleaved:
    """Measure the interleaved design of `gate`: one block `trials` times, so many `families` of each size."""
    return Interleaved(
        scenario,
        curve(gate, scenario, trials),
        {
            (blocks, effect): rate
            for blocks, number in families.items()
            for effect, rate in family_alarms(gate, scenario, blocks, number).items()
        },
    )


def stored(gate: Gate, machine: Machine, trials: int, families: dict[int, int]) -> Stored:
    """Measure the stored design of `gate` with 1, 5 and 8 sessions."""
    return Stored(
        machine,
        {sessions: stored_curve(gate, machine, sessions, trials) for sessions in SESSIONS},
        {
            (sessions, blocks, effect): rate
            for sessions in SESSIONS
            for blocks, number in families.items()
            for effect, rate in stored_family_alarms(gate, machine, sessions, blocks, number).items()
        },
    )
