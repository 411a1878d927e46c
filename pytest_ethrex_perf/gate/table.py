"""Base and head of one block, summed up over their invocations: what a block's table shows, judged or not."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from pytest_ethrex_perf.counters import rates
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records.metric import TIMES, named
from pytest_ethrex_perf.records.result import Row, SideResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.records.measurement import Count, Invocation, Program

_OTHERS: tuple[tuple[str, Literal["ns", "KiB", ""], Callable[[Invocation], float | None]], ...] = (
    ("CPU time", "ns", lambda i: i.usage.cpu_ns),
    ("max RSS", "KiB", lambda i: i.usage.max_rss_kib),
    ("page faults", "", lambda i: i.usage.faults),
    ("opcodes", "", lambda i: i.opcodes),
)
_ENOUGH = 2  # values have a standard deviation


class Sides(NamedTuple):
    """The invocations of both sides."""

    base: Sequence[Invocation]
    head: Sequence[Invocation]
    counted: Sequence[Invocation] = ()
    """Of base, too, but only their counts can be compared."""


def summed_up(
    invocations: Sequence[Invocation], label: str, program: Program | None, drop: int, *, times: bool = True
) -> SideResult | None:
    """One side over its invocations, the first `drop` repeats of each left out; None without any.

    Without `times` only what was counted is comparable.
    """
    if not invocations:
        return None
    side = SideResult(
        label=label,
        program=program,
        invocations=len(invocations),
        exec_ns=None,
        prep_ns=None,
        ggas_per_s=None,
    )
    if not times:
        return side
    exec_ns, prep_ns = (math.exp(statistics.fmean(samples.of(invocations, metric, drop))) for metric in TIMES)
    return msgspec.structs.replace(
        side,
        exec_ns=exec_ns,
        prep_ns=prep_ns,
        ggas_per_s=invocations[0].gas / exec_ns,
        phases={
            name: statistics.median(i.phases[name] for i in invocations if name in i.phases)
            for name in dict.fromkeys(name for i in invocations for name in i.phases)
        },
        opcodes=invocations[0].opcodes,
    )


def rows(
    sides: Sides, base: SideResult | None, head: SideResult | None, drop: int, vendor: str | None = None
) -> list[Row]:
    """The block's table: each quantity of both sides' invocations, the sides' throughput, counts and rates.

    `vendor` of the CPU says which cache its events are about (`machine`).
    """
    lines = [
        _row(
            name,
            "ns",
            *([math.exp(x) for x in samples.of(taken, name, drop)] for taken in (sides.base, sides.head)),
            metric=name,
        )
        for name in TIMES
    ]
    if head is not None:
        before = base.ggas_per_s if base else None
        lines.append(
            Row(
                name="throughput",
                unit="Ggas/s",
                base=before,
                head=head.ggas_per_s,
                change=head.ggas_per_s / before - 1 if before and head.ggas_per_s else None,
            )
        )
    for name, unit, read in _OTHERS:
        values = [[v for i in taken if (v := read(i)) is not None] for taken in (sides.base, sides.head)]
        if values[1]:
            lines.append(_row(name, unit, *values))
    return [*lines, *_counts(sides, vendor)]


def _counts(sides: Sides, vendor: str | None) -> Iterator[Row]:
    """What was counted, and the rates that follow, where both sides were counted alike."""
    counted = {n: count for n, count in samples.first_counts(sides.head).items() if not count.missing}
    for metric, count in counted.items():
        earlier = sides.counted if sides.counted and count.instrument == "callgrind" else sides.base
        before, after = (_values(taken, metric, count.identity) for taken in (earlier, sides.head))
        yield _row(
            f"{rates.label(metric, vendor)} ({count.way})",
            count.unit,
            before,
            after,
            metric=metric,
            counted=True,
            identity=count.identity,
            detail=named(metric).detail,
        )
    identities = {count.identity for count in counted.values()}
    before_rates, after_rates = (
        _rates(taken, identities) for taken in (sides.counted or sides.base, sides.head)
    )
    for rate in rates.RATES:
        values = after_rates.get(rate.name, [])
        if values:
            yield _row(
                rates.label(rate.name, vendor),
                rate.unit,
                before_rates.get(rate.name, []),
                values,
                counted=True,
                remark=rates.note(rate.name, statistics.geometric_mean(values)) or "",
                detail=rate.detail,
            )


def _values(invocations: Sequence[Invocation], metric: str, identity: str) -> list[float]:
    """What was counted in each invocation that has it, in this way."""
    counts: list[Count] = [i.counts[metric] for i in invocations if metric in i.counts]
    return [count.value for count in counts if count.value is not None and count.identity == identity]


def _rates(invocations: Sequence[Invocation], identities: set[str]) -> dict[str, list[float]]:
    """Every rate in each invocation that has it, from counts that came about like this."""
    values: dict[str, list[float]] = {}
    for invocation in invocations:
        alike = {name: count for name, count in invocation.counts.items() if count.identity in identities}
        for name, value in rates.rates(alike, invocation.gas).items():
            if value > 0:
                values.setdefault(name, []).append(value)
    return values


def _row(
    name: str,
    unit: Literal["ns", "KiB", "%", "ratio", ""],
    base: Sequence[float],
    head: Sequence[float],
    **about: Any,
) -> Row:
    (base_value, base_sd), (head_value, head_sd) = _mean_and_sd(base), _mean_and_sd(head)
    change = head_value / base_value - 1 if base_value and head_value is not None else None
    return Row(
        name=name,
        unit=unit,
        base=base_value,
        head=head_value,
        base_sd=base_sd,
        head_sd=head_sd,
        change=change,
        **about,
    )


def _mean_and_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Geometric mean, as of samples everywhere, and relative standard deviation."""
    positive = [value for value in values if value > 0]
    if not positive:
        return None, None
    logs = [math.log(value) for value in positive]
    return math.exp(statistics.fmean(logs)), statistics.stdev(logs) if len(logs) >= _ENOUGH else None
