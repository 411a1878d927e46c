"""What is judged of an invocation, by name: its times as printed, and what was counted beside them.

One number an invocation, whatever it is of: everything that reads samples reads them here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge import sample as samples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ethrex_perf.results import Count, Invocation

TIMES = ("exec", "prep")
COUNTS = (
    *("instructions", "cycles", "branches", "branch-misses", "cache-references", "cache-misses"),
    *("L1-dcache-load-misses", "task-clock", "page-faults"),
)
METRICS = (*TIMES, *COUNTS)


class Limits(NamedTuple):
    """Defaults of a metric: fractions, the floor in the metric's unit."""

    margin: float
    tolerance: float
    floor: float


_OF_TIMES = Limits(0.01, 0.03, 0.2e6)
_OF_COUNTS = Limits(0.01, 0.03, 0.0)
_OF_CALLGRIND = Limits(0.003, 0.01, 0.0)  # it repeats itself to 0.003 to 0.07 % (threaded Rust)


def limits(metric: str, *, callgrind: bool) -> Limits:
    """Margin, tolerance and floor of `metric` where nobody set any; what callgrind counts is sharpest."""
    if metric in TIMES:
        return _OF_TIMES
    return _OF_CALLGRIND if callgrind else _OF_COUNTS


def sample(invocation: Invocation, metric: str, drop: int) -> float:
    """The logarithm of `metric` in one repeat: the median of the repeats after the first `drop`.

    Counts have left out the first repeat by themselves. Raises `MeasurementError` for what was not counted,
    or not all the time.
    """
    if metric in TIMES:
        return samples.log_median(invocation.repeats(metric), drop)
    return math.log(_judged(invocation, metric))


def step(invocation: Invocation, metric: str) -> float:
    """Resolution of a sample as a logarithm: what is printed of a time, one event of a count."""
    if metric in TIMES:
        return samples.step(invocation.repeats(metric))
    return math.log1p(1 / _judged(invocation, metric))


def _judged(invocation: Invocation, metric: str) -> float:
    count = invocation.counts.get(metric)
    if count is None:
        raise MeasurementError(f"{metric} was not counted: see --ethrex-counters")
    if not count.is_exact or count.value is None:
        why = count.missing or f"it was counted {count.running:g} % of the time only, and extrapolated"
        raise MeasurementError(f"{metric} can't be judged: {why}")
    if count.value <= 0:
        raise MeasurementError(f"{metric} can't be judged: {count.value:g} in a repeat is too few")
    return count.value


def check_alike(invocations: Iterable[Invocation], metric: str) -> None:
    """Raise `MeasurementError` where `metric` was not counted in one and the same way in all of them."""
    if metric in TIMES:
        return
    found = (invocation.counts.get(metric) for invocation in invocations)
    identities = sorted({count.identity for count in found if count is not None and not count.missing})
    if len(identities) > 1:
        raise MeasurementError(
            f"{metric} was counted in different ways, which are never compared: {'; '.join(identities)} "
            "(programs with and without symbols? strip both or none)"
        )


def first_counts(invocations: Iterable[Invocation]) -> dict[str, Count]:
    """One count of every metric that the invocations have any of, those with values first: for its names."""
    found: dict[str, Count] = {}
    for invocation in invocations:
        for name, count in invocation.counts.items():
            if name not in found or (found[name].missing and not count.missing):
                found[name] = count
    return found
