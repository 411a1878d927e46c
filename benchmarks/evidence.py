"""Everything the page shows and the claims are judged by, measured in one go."""

from __future__ import annotations

import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import claims, duel, mutants, plans, trials
from benchmarks.claims import POWER_EFFECT
from benchmarks.gates import OURS
from benchmarks.noise import MACHINES
from benchmarks.plans import PATIENT, Sessions
from benchmarks.trials import SHOWN, SWEEP

if TYPE_CHECKING:
    from benchmarks.claims import Claim, RivalCurves
    from benchmarks.duel import Runs
    from benchmarks.plans import Measured
    from benchmarks.trials import Curve, Interleaved, Rate, Scenario, Stored


@dataclass(frozen=True, slots=True)
class Effort:
    """How many sessions."""

    sessions: Sessions = field(default_factory=Sessions)
    """Of the gate, interleaved."""
    rivals: int = 1_000
    """Of one block, of each other tool at each number of invocations."""
    stored: int = 20_000
    """Of one block, stored design."""
    stored_families: dict[int, int] = field(default_factory=lambda: {1: 20_000, 10: 10_000, 100: 4_000})
    sweep: tuple[int, ...] = SWEEP

    @classmethod
    def of(cls, sessions: int) -> Effort:
        """Return the effort at which the gate is tried in so many `sessions`, 20,000 being the full one."""
        full = cls()
        return cls(
            Sessions.of(sessions),
            min(full.rivals, sessions),
            sessions,
            {blocks: n * sessions // full.stored for blocks, n in full.stored_families.items()},
            full.sweep if sessions == full.stored else (SHOWN,),
        )


class Same(NamedTuple):
    """The other tools with as many invocations a side as the gate takes to see +3 %."""

    invocations: int
    curves: dict[str, Curve]
    """From the tool's name."""


class OnNoise(NamedTuple):
    """What one worker measures."""

    gate: Measured
    same: Same
    reth: Runs


class Evidence(NamedTuple):
    """All that was measured."""

    interleaved: list[Interleaved]
    stored: list[Stored]
    rivals: RivalCurves
    stored_rivals: dict[str, dict[str, Curve]]
    """From a machine's name to each other tool on two sessions."""
    plans: list[Measured]
    """One for each of `interleaved`."""
    same: dict[str, Same]
    """From a scenario's name."""
    reth: dict[str, Runs]
    mutants: dict[str, Rate]
    """Wrong at the margin in noise like that of aa_1: the gate, and the mutants."""

    @property
    def typical(self) -> Interleaved:
        """The scenario that power is required in."""
        (one,) = (one for one in self.interleaved if one.scenario.name == claims.POWER_SCENARIO)
        return one


def measure(effort: Effort, workers: int) -> Evidence:
    """Run all trials, in `workers` processes."""
    scenarios = trials.scenarios()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read where a worker starts: its threads would fight
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        on_noise = pool.map(partial(measure_on, effort=effort), reversed(scenarios))  # the slowest first
        rivals = pool.map(partial(trials.rival_curves, trials=effort.rivals, sweep=effort.sweep), scenarios)
        stored = pool.map(
            partial(trials.stored, OURS, trials=effort.stored, families=effort.stored_families), MACHINES
        )
        stored_rivals = pool.map(partial(trials.stored_rivals, trials=effort.rivals), MACHINES)
        wrong = pool.submit(mutants.measure, effort.sessions.curve)
        measured = list(on_noise)[::-1]
        names = [scenario.name for scenario in scenarios]
        return Evidence(
            [one.gate.interleaved for one in measured],
            list(stored),
            dict(zip(names, rivals, strict=True)),
            {machine.name: curves for machine, curves in zip(MACHINES, stored_rivals, strict=True)},
            [one.gate for one in measured],
            {name: one.same for name, one in zip(names, measured, strict=True)},
            {name: one.reth for name, one in zip(names, measured, strict=True)},
            wrong.result(),
        )


def measure_on(scenario: Scenario, effort: Effort) -> OnNoise:
    """Measure the gate's plans, and the other tools beside them."""
    gate = plans.measure(scenario, effort.sessions)
    return OnNoise(gate, same(gate, effort.rivals), duel.sweep(scenario, effort.rivals // 2))


def same(gate: Measured, sessions: int) -> Same:
    """Try the other tools with as many invocations a side as the gate takes to see +3 %."""
    scenario = gate.interleaved.scenario
    invocations = math.ceil(gate.curves[PATIENT.name][POWER_EFFECT].invocations)
    curves = trials.rival_curves(scenario, sessions, (invocations,), chunk=500)
    return Same(invocations, {tool: found for (tool, _), found in curves.items()})


def held_to(evidence: Evidence) -> dict[str, list[Claim]]:
    """All claims, by heading."""
    return {
        "False regressions of a session": list(claims.false_alarms(evidence.interleaved)),
        "False regressions of longer plans": list(claims.longer_alarms(evidence.plans)),
        "False regressions where the time is up": list(claims.cut_alarms(evidence.plans)),
        "False regressions against a stored baseline": list(claims.stored_false_alarms(evidence.stored)),
        "Power and price": [*claims.power(evidence.interleaved), *claims.targets(evidence.plans)],
        "Against reth's rule": list(claims.beats_reth(evidence.plans, evidence.reth)),
        "Nobody as careful is cheaper": list(claims.nobody_cheaper(evidence.interleaved, evidence.rivals)),
        "The length of a plan follows the noise alone": list(claims.level(evidence.mutants)),
    }
