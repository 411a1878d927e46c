"""`--ethrex-repeat auto`: how many repeats an invocation is worth, from a short pilot."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge import power

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.measurement import Invocation

INVOCATIONS = 4
REPEATS = 11


def repeats(pilot: Sequence[Invocation], drop: int) -> int:
    """Repeats per invocation, the dropped ones included, that give most precision for the time.

    The pilot says how repeats vary within a process and processes among themselves, and what a repeat and a
    process cost; `power.optimal_repeats` (Kalibera & Jones 2013) weighs them.
    """
    within, between = power.variance_components(
        [[math.log(ns) for ns in invocation.exec_ns[drop:]] for invocation in pilot]
    )
    spent = [sum(i.exec_ns) + sum(i.prep_ns) for i in pilot]
    cost_repeat = statistics.median(spent) / len(pilot[0].exec_ns)
    cost_invocation = statistics.median(max(0, i.wall_ns - ns) for i, ns in zip(pilot, spent, strict=True))
    return power.optimal_repeats(within, between, cost_repeat, cost_invocation, drop=drop)
