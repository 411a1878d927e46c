"""Everything the page shows and the claims are judged by, measured in one go."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import claims, trials
from benchmarks.noise import MACHINES

if TYPE_CHECKING:
    from benchmarks.claims import Claim, RivalCurves
    from benchmarks.gates import Gate
    from benchmarks.trials import Curve, Effort, Interleaved, Stored


class Evidence(NamedTuple):
    """All that was measured."""

    interleaved: list[Interleaved]
    stored: list[Stored]
    rivals: RivalCurves
    stored_rivals: dict[str, dict[str, Curve]]
    """From a machine's name to each other tool on two sessions."""

    @property
    def typical(self) -> Interleaved:
        """The scenario that power is required in."""
        (one,) = (one for one in self.interleaved if one.scenario.name == claims.POWER_SCENARIO)
        return one


def measure(gate: Gate, effort: Effort, workers: int) -> Evidence:
    """Run all trials, in `workers` processes."""
    scenarios = trials.scenarios()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read where a worker starts: its threads would fight
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        rivals = pool.map(partial(trials.rival_curves, trials=effort.rivals, sweep=effort.sweep), scenarios)
        interleaved = pool.map(partial(trials.interleaved, gate, effort=effort), scenarios)
        stored = pool.map(partial(trials.stored, gate, effort=effort), MACHINES)
        stored_rivals = pool.map(partial(trials.stored_rivals, trials=effort.rivals), MACHINES)
        return Evidence(
            list(interleaved),
            list(stored),
            {scenario.name: curves for scenario, curves in zip(scenarios, rivals, strict=True)},
            {machine.name: curves for machine, curves in zip(MACHINES, stored_rivals, strict=True)},
        )


def held_to(evidence: Evidence) -> dict[str, list[Claim]]:
    """All claims, by heading."""
    return {
        "False regressions of a session": list(claims.false_alarms(evidence.interleaved)),
        "False regressions against a stored baseline": list(claims.stored_false_alarms(evidence.stored)),
        "Power and price": list(claims.power(evidence.interleaved)),
        "Nobody as careful is cheaper": list(claims.nobody_cheaper(evidence.interleaved, evidence.rivals)),
    }
