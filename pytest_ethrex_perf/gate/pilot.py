"""`--ethrex-repeat auto`: how many repeats an invocation is worth, from a short pilot."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge import power
from pytest_ethrex_perf.records import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.measurement import Invocation

INVOCATIONS = 4
REPEATS = 11


@dataclass(frozen=True, slots=True)
class Choice:
    """A number of repeats, and what was measured that speaks for it."""

    repeats: int
    """Per invocation, the dropped ones included."""
    repeat_ns: float
    """What one repeat takes, preparation and execution."""
    startup_ns: float
    """What an invocation takes besides its repeats."""
    within: float
    """Standard deviation of the repeats of a process, a log."""
    between: float
    """Standard deviation of processes, a log."""

    def __str__(self) -> str:
        """`repeat 11: one repeat 60 ms, start-up 1.4 s, sd within a process 1.5 %, between … 1.0 %`."""
        within, between = (units.percent(math.expm1(sd)) for sd in (self.within, self.between))
        return (
            f"repeat {self.repeats}: one repeat {units.duration(self.repeat_ns)}, "
            f"start-up {units.duration(self.startup_ns)}, "
            f"sd within a process {within}, between processes {between}"
        )


def choose(pilot: Sequence[Invocation], drop: int) -> Choice:
    """Return the repeats per invocation that give most precision for the time.

    The pilot says how repeats vary within a process and processes among themselves, and what a repeat and a
    process cost; `power.optimal_repeats` (Kalibera & Jones 2013) weighs them.
    """
    within, between = power.variance_components(
        [[math.log(ns) for ns in invocation.exec_ns[drop:]] for invocation in pilot]
    )
    spent = [sum(i.exec_ns) + sum(i.prep_ns) for i in pilot]
    cost_repeat = statistics.median(spent) / len(pilot[0].exec_ns)
    cost_invocation = statistics.median(max(0, i.wall_ns - ns) for i, ns in zip(pilot, spent, strict=True))
    repeats = power.optimal_repeats(within, between, cost_repeat, cost_invocation, drop=drop)
    return Choice(repeats, cost_repeat, cost_invocation, math.sqrt(within), math.sqrt(between))
