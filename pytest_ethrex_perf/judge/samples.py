"""One number an invocation, whatever is judged: the log of its times as printed, or of what was counted.

The repeats of a process share its memory layout and its minute, so only this one number per invocation takes
part in a decision. What disturbs a repeat only ever makes it slower: the highest are left out, and the mean
of the rest says more than the median of all. On recorded noise the sd of a pair is 9.0 % instead of 10.3 %,
and 4.7 % instead of 6.7 %. Everything that reads samples reads them here. Counts are compared by their
`Count.identity`: what was counted in another way is another thing.
"""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ethrex_perf.records.measurement import Count, Invocation, Sample, StoredSession

DROP = 1
"""Repeats dropped at the start of an invocation: the first is 10-20 % slower than the rest."""


CURRENT: Sample = "lowest"
"""How times are read, unless an older results file says that it was decided with another."""
WORDS: dict[Sample, str] = {
    "median": "the median",
    "lowest": "the mean (of logs) of the lowest 70 %",
}
"""What it is of the repeats that count."""


def sample(invocation: Invocation, metric: str, drop: int, kind: Sample = CURRENT) -> float:
    """Return the logarithm of `metric` in one repeat: of times `of_repeats`, in ns.

    Counts have left out the first repeat by themselves. Raises `MeasurementError` for what was not counted,
    or not all the time, ValueError for repeats that nobody can have measured.
    """
    if metric in TIMES:
        return of_repeats(invocation.repeats(metric), drop, kind)
    return math.log(_count(invocation, metric))


def of(invocations: Iterable[Invocation], metric: str, drop: int, kind: Sample = CURRENT) -> list[float]:
    """Return the `sample` of each invocation."""
    return [sample(invocation, metric, drop, kind) for invocation in invocations]


def of_repeats(repeats: Sequence[float], drop: int = DROP, kind: Sample = CURRENT) -> float:
    """Return the mean of the lowest 70 % of the logs of `repeats[drop:]`: of ten, of the seven lowest.

    Their number is rounded up. For `kind` median, it is the log of the median. Raises ValueError when no
    repeat is left after the drop, or when one is not a positive, finite number.
    """
    counted = _counted(repeats, drop)
    if kind == "median":
        return math.log(median(counted))
    return fmean(map(math.log, sorted(counted)[: -(-7 * len(counted) // 10)]))


def has(invocation: Invocation, metric: str) -> bool:
    """Whether it has a sample: counts end with their decision."""
    return metric in TIMES or metric in invocation.counts


def while_counted(invocations: Sequence[Invocation], metric: str) -> Sequence[Invocation]:
    """Return `invocations` up to the last that has `metric`: counts end with their decision.

    All of them where none has it, so that the next to read a sample says what is missing.
    """
    last = next((n for n in range(len(invocations), 0, -1) if has(invocations[n - 1], metric)), None)
    return invocations[:last]


def resolution(value_ns: float) -> float:
    """Return the step in ns at which ethrex-replay prints a duration of this size.

    It prints Rust's `{:.2?}`: two decimals of ns, µs, ms or s (there are no minutes), hence 0.01 of the unit;
    durations are whole nanoseconds, hence at least 1 ns.
    """
    unit = next((unit for unit in (1e9, 1e6, 1e3) if value_ns >= unit), 1.0)
    return max(0.01 * unit, 1.0)


def step(invocations: Iterable[Invocation], metric: str) -> float:
    """Return the coarsest resolution of a sample of `invocations` as a logarithm; 0 of no invocations.

    It is `step_of_repeats` of a time, one event of a count. Raises as `sample` does.
    """
    return max((_step(invocation, metric) for invocation in invocations), default=0.0)


def _step(invocation: Invocation, metric: str) -> float:
    if metric in TIMES:
        return step_of_repeats(invocation.repeats(metric))
    return math.log1p(1 / _count(invocation, metric))


def step_of_repeats(repeats_ns: Sequence[float]) -> float:
    """Return the resolution of a sample as a logarithm: one printed step at the median of all repeats.

    Raises ValueError as `of_repeats` does.
    """
    level = median(_counted(repeats_ns))
    return math.log1p(resolution(level) / level)


def _counted(repeats: Sequence[float], drop: int = 0) -> Sequence[float]:
    if drop < 0:
        raise ValueError(f"cannot drop {drop} repeats")
    if len(repeats) <= drop:
        raise ValueError(f"{len(repeats)} repeats with the first {drop} dropped leave nothing to measure")
    for index, value in enumerate(repeats, 1):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"repeat {index} is {value!r}: a repeat is a positive, finite number")
    return repeats[drop:]


def _count(invocation: Invocation, metric: str) -> float:
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
    """Return how `metric` was counted in all of `invocations`; None of times, and where it was not counted.

    Raises `MeasurementError` where it was counted in different ways.
    """
    if metric in TIMES:
        return None
    counts = (invocation.counts.get(metric) for invocation in invocations)
    identities = sorted({count.identity for count in counts if count is not None and not count.missing})
    if len(identities) > 1:
        raise MeasurementError(
            f"{metric} was counted in different ways, which are never compared: {'; '.join(identities)} "
            "(programs with and without symbols? strip both or none)"
        )
    return identities[0] if identities else None


def comparable(session: StoredSession, metric: str, identity: str | None) -> list[Invocation]:
    """Return the invocations of a stored session that have a sample to compare with.

    Of times all of them (none where the session belongs to a machine only by what callgrind counts); of
    counts those that were counted exactly and as `identity` says.
    """
    if metric in TIMES:
        return list(session.invocations) if session.times else []
    counts = ((invocation, invocation.counts.get(metric)) for invocation in session.invocations)
    return [
        invocation
        for invocation, count in counts
        if count and count.identity == identity and belongs(count, times=session.times) and _is_usable(count)
    ]


def _is_usable(count: Count) -> bool:
    return count.is_exact and count.value is not None and count.value > 0


def usual(sessions: Sequence[StoredSession], metric: str) -> str | None:
    """Return how the newest stored session counted `metric`: to be expected before anything is measured."""
    for session in reversed(sessions):
        for invocation in session.invocations:
            count = invocation.counts.get(metric)
            if count is not None and count.is_exact and belongs(count, times=session.times):
                return count.identity
    return None


def belongs(count: Count, *, times: bool) -> bool:
    """Whether a count belongs to a session with or without `times`.

    callgrind counts belong to baselines without times; perf counts to those with times.
    """
    return (count.instrument != "callgrind") is times


def stored(
    sessions: Sequence[StoredSession],
    metric: str,
    drop: int,
    identity: str | None = None,
    kind: Sample = CURRENT,
) -> list[list[float]]:
    """Return the samples of the `comparable` invocations by session, those less than 6 h apart as one."""
    from pytest_ethrex_perf.judge import stored as judge

    each = [
        (session.started, of(comparable(session, metric, identity), metric, drop, kind))
        for session in sessions
    ]
    there = [(started, samples) for started, samples in each if samples]
    return judge.merge_sessions([started for started, _ in there], [samples for _, samples in there])


def by_callgrind(invocations: Iterable[Invocation], metric: str) -> bool:
    """Whether callgrind counted `metric`."""
    counts = (invocation.counts.get(metric) for invocation in invocations)
    return any(count is not None and count.instrument == "callgrind" for count in counts)


def first_counts(invocations: Iterable[Invocation]) -> dict[str, Count]:
    """Return a count of every metric that the invocations have any of, those with values first.

    It is for the names of what was counted.
    """
    first: dict[str, Count] = {}
    for invocation in invocations:
        for name, count in invocation.counts.items():
            if name not in first or (first[name].missing and not count.missing):
                first[name] = count
    return first
