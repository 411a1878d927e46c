"""What can be judged of an invocation: one table of times as the program prints them, and counts beside them.

A new metric is one more entry in `METRICS`. Stdlib only: pytest imports this module in every run on the
machine.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Time = Literal["exec", "prep"]
Unit = Literal["ns", ""]

EXEC: Final = "exec"
PREP: Final = "prep"
INSTRUCTIONS: Final = "instructions"
PREP_INSTRUCTIONS: Final = "prep-instructions"
TASK_CLOCK: Final = "task-clock"
DEFAULT: Final = EXEC
"""Gated unless other metrics are asked for. Tables that hold several metrics name all but this one."""


class Limits(NamedTuple):
    """What a metric is judged by unless the user sets it: fractions, the floor in ns."""

    margin: float
    tolerance: float
    floor: float
    """0 for what is not in ns: no number of instructions is known to be too few to matter."""
    drift: float
    """Standard deviation between a stored baseline's sessions, taken for granted while there are few."""


_OF_TIMES = Limits(0.01, 0.03, 0.2e6, 0.01)
_OF_COUNTS = Limits(0.01, 0.03, 0.0, 0.01)
# threads that wait by spinning move CPU time by themselves; and on the shared machines that it is for, the sd
# of a pair is 9 %, at which it takes 470 pairs to tell 3 % from 1 %, and 220 to tell 5 % from 2 %
_OF_CPU_TIME = Limits(0.02, 0.05, 0.2e6, 0.01)
# it repeats itself to 0.003 to 0.07 % (threaded Rust), and no machine's day is in it
_OF_CALLGRIND = Limits(0.003, 0.01, 0.0, 0.001)


class Metric(NamedTuple):
    """One metric, by the name that users write."""

    name: str
    unit: Unit = ""
    """What its values are in: times in ns, counts in nothing."""
    limits: Limits = _OF_COUNTS
    is_time: bool = False
    """The program prints it itself (`Invocation.repeats`); the others are counted beside it."""
    perf: bool = True
    """perf counts it, if it is a count."""
    callgrind: Limits | None = None
    """Its limits where callgrind counts it; None where that can't."""
    detail: bool = False
    """Only those who ask for more see it, unless it is judged: who names an event wants to see it."""
    counted_as: str = "a count, not time"
    """What a report says of its values, where it is counted."""


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric(EXEC, "ns", _OF_TIMES, is_time=True),
        Metric(PREP, "ns", _OF_TIMES, is_time=True),
        Metric(INSTRUCTIONS, callgrind=_OF_CALLGRIND),
        Metric(PREP_INSTRUCTIONS, callgrind=_OF_CALLGRIND, perf=False),
        Metric("cycles"),
        Metric("branches", detail=True),
        Metric("branch-misses"),
        Metric("cache-references", detail=True),
        Metric("cache-misses"),
        Metric("L1-dcache-load-misses"),
        Metric(TASK_CLOCK, "ns", _OF_CPU_TIME, counted_as="CPU time of all threads, not latency"),
        Metric("page-faults"),
    )
}
TIMES: tuple[str, ...] = tuple(metric.name for metric in METRICS.values() if metric.is_time)
COUNTS: tuple[str, ...] = tuple(metric.name for metric in METRICS.values() if not metric.is_time)


def named(name: str) -> Metric:
    """The metric of this name; an event that is none (`--ethrex-events`) is a count like any other."""
    return METRICS.get(name) or Metric(name)


def limits(name: str, *, callgrind: bool) -> Limits:
    """Margin, tolerance, floor and drift of a metric; what callgrind counts is sharpest."""
    metric = named(name)
    return (callgrind and metric.callgrind) or metric.limits


def unit(name: str) -> Unit:
    """What a value of a metric is in."""
    return named(name).unit


def has_floor(name: str) -> bool:
    """Whether an absolute floor (`--ethrex-floor`, ms) is one of this metric: of what is in ns."""
    return unit(name) == "ns"
