"""This gate against reth's rule, which is the nearest to it: what the same power costs, on every noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import trials
from benchmarks.rivals import RIVALS
from benchmarks.trials import LIMITS, MARGIN, UNREPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.plans import Measured
    from benchmarks.trials import Curve, Point, Scenario

RETH = next(rival for rival in RIVALS if rival.name == "reth bench.yml")
RUNS = (*range(2, 17), 18, 20, 22, 24, 27, 30, 33, 36, 40, 45, 50, 55, 60)
FURTHER_RUNS = (70, 80, 90, 100, 120, 140, 160, 180, 210, 240, 270, 300, 350, 400)
"""Invocations a side that reth's rule is tried with; the further ones where fewer see too little."""
FULL_POWER = 0.999
"""More than this is not told apart: it would be a matter of the number of sessions."""

Runs = dict[int, "Curve"]
"""From invocations a side to what reth's rule did."""


class Duel(NamedTuple):
    """What it takes to see one true effect on one noise as often as the gate does."""

    scenario: str
    effect: float
    gate: Point
    gate_alarms: tuple[Point, ...]
    """The gate at 0 and +1 %."""
    runs: int | None
    """Fewest invocations a side of reth's rule that keep the limits on false alarms on this noise.

    None where the most it was tried with see less."""
    reth: Point
    """With as many, or with the most."""
    reth_alarms: tuple[Point, ...]

    @property
    def is_won(self) -> bool:
        """The gate takes less time."""
        return self.runs is None or self.gate.seconds < self.reth.seconds


def sweep(scenario: Scenario, sessions: int) -> Runs:
    """Try reth's rule, with more invocations where +3 % is not always seen."""
    runs = _tried(scenario, sessions, RUNS)
    if runs[RUNS[-1]][0.03].slower.value < FULL_POWER:
        runs |= _tried(scenario, sessions, FURTHER_RUNS)
    return runs


def _tried(scenario: Scenario, sessions: int, runs: tuple[int, ...]) -> Runs:
    curves = trials.rival_curves(scenario, sessions, runs, (RETH,), chunk=500)
    return {invocations: found for (_, invocations), found in curves.items()}


def duels(measured: Iterable[Measured], runs: Mapping[str, Runs]) -> Iterator[Duel]:
    """Yield a duel for each noise and each true effect above the margin."""
    for one in measured:
        scenario = one.interleaved.scenario.name
        for effect, gate in one.interleaved.curve.items():
            if effect > MARGIN:
                alarms = tuple(one.interleaved.curve[at] for at in UNREPORTED)
                yield _duel(scenario, effect, gate, alarms, runs[scenario])


def _duel(scenario: str, effect: float, gate: Point, alarms: tuple[Point, ...], runs: Runs) -> Duel:
    asked = min(gate.slower.value, FULL_POWER)
    curve = at_power(runs, effect, asked)
    found = curve[effect]
    enough = int(found.invocations) if found.slower.value >= asked else None
    return Duel(scenario, effect, gate, alarms, enough, found, tuple(curve[at] for at in UNREPORTED))


def at_power(runs: Runs, effect: float, power: float) -> Curve:
    """Return what the fewest invocations do that see `effect` that often, within the limits on false alarms.

    The most invocations where none do.
    """
    careful = (
        curve
        for _, curve in sorted(runs.items())
        if all(curve[at].slower.value <= limit for at, limit in LIMITS.items())
    )
    return next((curve for curve in careful if curve[effect].slower.value >= power), runs[max(runs)])
