"""One number an invocation, whatever is judged: its times as printed, or what was counted beside them.

Everything that reads samples reads them here. Counts are compared by their identity (`results.Count`): what
was counted in another way is another thing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge import sample as repeats
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ethrex_perf.records.measurement import Count, Invocation, StoredSession


def sample(invocation: Invocation, metric: str, drop: int) -> float:
    """The logarithm of `metric` in one repeat: the median of the repeats after the first `drop`.

    Counts have left out the first repeat by themselves. Raises `MeasurementError` for what was not counted,
    or not all the time, ValueError for repeats that nobody can have measured.
    """
    if metric in TIMES:
        return repeats.log_median(invocation.repeats(metric), drop)
    return math.log(_judged(invocation, metric))


def samples(invocations: Iterable[Invocation], metric: str, drop: int) -> list[float]:
    """`sample` of each."""
    return [sample(invocation, metric, drop) for invocation in invocations]


def has(invocation: Invocation, metric: str) -> bool:
    """Whether it has a sample: counts end with their decision."""
    return metric in TIMES or metric in invocation.counts


def step(invocations: Iterable[Invocation], metric: str) -> float:
    """Coarsest resolution of a sample of `invocations` as a logarithm, 0 of none; raises as `sample` does.

    It is the last digit that is printed of a time, one event of a count.
    """
    return max((_step(invocation, metric) for invocation in invocations), default=0.0)


def _step(invocation: Invocation, metric: str) -> float:
    if metric in TIMES:
        return repeats.step(invocation.repeats(metric))
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


def identity(invocations: Iterable[Invocation], metric: str) -> str | None:
    """How `metric` was counted in all of `invocations`; None of times, and where it was not counted.

    Raises `MeasurementError` where it was counted in different ways.
    """
    if metric in TIMES:
        return None
    found = (invocation.counts.get(metric) for invocation in invocations)
    identities = sorted({count.identity for count in found if count is not None and not count.missing})
    if len(identities) > 1:
        raise MeasurementError(
            f"{metric} was counted in different ways, which are never compared: {'; '.join(identities)} "
            "(programs with and without symbols? strip both or none)"
        )
    return identities[0] if identities else None


def comparable(session: StoredSession, metric: str, like: str | None) -> list[Invocation]:
    """The invocations of a stored session in which `metric` is what it is in those to be compared with it.

    All of them for times (none where the session belongs to a machine only by what callgrind counts); for
    counts those that have it, counted exactly and `like` this (`identity`).
    """
    if metric in TIMES:
        return list(session.invocations) if session.times else []
    counts = ((invocation, invocation.counts.get(metric)) for invocation in session.invocations)
    return [
        one
        for one, count in counts
        if count and count.identity == like and is_at_home(count, times=session.times) and _is_usable(count)
    ]


def _is_usable(count: Count) -> bool:
    return count.is_exact and count.value is not None and count.value > 0


def usual(recorded: Sequence[StoredSession], metric: str) -> str | None:
    """How the newest stored session counted `metric`: what is expected before anything is measured."""
    for session in reversed(recorded):
        for invocation in session.invocations:
            count = invocation.counts.get(metric)
            if count is not None and count.is_exact and is_at_home(count, times=session.times):
                return count.identity
    return None


def is_at_home(count: Count, *, times: bool) -> bool:
    """Whether a count in a session belongs there: what callgrind counts is compared without times only."""
    return (count.instrument != "callgrind") is times


def stored(
    recorded: Sequence[StoredSession], metric: str, drop: int, like: str | None = None
) -> list[list[float]]:
    """Samples of the stored sessions that can be compared, those less than 6 h apart as one."""
    from pytest_ethrex_perf.judge import stored as judge

    found = [(one.started, samples(comparable(one, metric, like), metric, drop)) for one in recorded]
    known = [(started, values) for started, values in found if values]
    return judge.merge_sessions([started for started, _ in known], [values for _, values in known])


def by_callgrind(invocations: Iterable[Invocation], metric: str) -> bool:
    """Whether callgrind counted `metric`."""
    counts = (invocation.counts.get(metric) for invocation in invocations)
    return any(count is not None and count.instrument == "callgrind" for count in counts)


def first_counts(invocations: Iterable[Invocation]) -> dict[str, Count]:
    """One count of every metric that the invocations have any of, those with values first: for its names."""
    found: dict[str, Count] = {}
    for invocation in invocations:
        for name, count in invocation.counts.items():
            if name not in found or (found[name].missing and not count.missing):
                found[name] = count
    return found
