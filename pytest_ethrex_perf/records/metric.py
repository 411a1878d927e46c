"""What can be judged of an invocation, by name: times as the program prints them, and counts beside them.

Stdlib only: pytest imports this module in every run on the machine.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

TIMES = ("exec", "prep")
PREP_INSTRUCTIONS = "prep-instructions"
COUNTS = (
    *("instructions", PREP_INSTRUCTIONS, "cycles", "branches", "branch-misses"),
    *("cache-references", "cache-misses", "L1-dcache-load-misses", "task-clock", "page-faults"),
)
METRICS = (*TIMES, *COUNTS)


class Limits(NamedTuple):
    """What a metric is judged by where nobody set anything: fractions, the floor in ns."""

    margin: float
    tolerance: float
    floor: float
    """Of times only: what a million instructions are worth, nobody can say."""
    drift: float
    """Standard deviation between a stored baseline's sessions, taken for granted while there are few."""


_OF_TIMES = Limits(0.01, 0.03, 0.2e6, 0.01)
_OF_COUNTS = Limits(0.01, 0.03, 0.0, 0.01)
# it repeats itself to 0.003 to 0.07 % (threaded Rust), and no machine's day is in it
_OF_CALLGRIND = Limits(0.003, 0.01, 0.0, 0.001)


def limits(metric: str, *, callgrind: bool) -> Limits:
    """Margin, tolerance, floor and drift of `metric`; what callgrind counts is sharpest."""
    if metric in TIMES:
        return _OF_TIMES
    return _OF_CALLGRIND if callgrind else _OF_COUNTS


def unit(metric: str) -> Literal["ns", ""]:
    """What a value of `metric` is in: times in ns, counts in nothing."""
    return "ns" if metric in (*TIMES, "task-clock") else ""
