"""Base and head of one block, summed up over their invocations: what a block's table shows, judged or not."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.judge import sample
from pytest_ethrex_perf.results import Row, SideResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ethrex_perf.results import Invocation, Program

_TIMES = ("exec", "prep")
_OTHERS: tuple[tuple[str, Literal["ns", "KiB", ""], Callable[[Invocation], float | None]], ...] = (
    ("CPU time", "ns", lambda i: i.usage.user_ns + i.usage.system_ns),
    ("max RSS", "KiB", lambda i: i.usage.max_rss_kib),
    ("opcodes", "", lambda i: i.opcodes),
)


def summed_up(
    invocations: Sequence[Invocation], label: str, program: Program | None, drop: int
) -> SideResult | None:
    """One side over its invocations, the first `drop` repeats of each left out; None without any."""
    if not invocations:
        return None
    exec_ns, prep_ns = (math.exp(statistics.fmean(_logs(invocations, metric, drop))) for metric in _TIMES)
    return SideResult(
        label=label,
        program=program,
        invocations=len(invocations),
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
    base_taken: Sequence[Invocation],
    head_taken: Sequence[Invocation],
    base: SideResult | None,
    head: SideResult | None,
    drop: int,
) -> list[Row]:
    """The block's table: each quantity of both sides' invocations, and the sides' throughput."""
    found = [
        _row(
            name,
            "ns",
            *([math.exp(x) for x in _logs(taken, name, drop)] for taken in (base_taken, head_taken)),
        )
        for name in _TIMES
    ]
    if head is not None:
        found.append(
            Row(
                name="throughput",
                unit="Ggas/s",
                base=base.ggas_per_s if base else None,
                head=head.ggas_per_s,
                change=head.ggas_per_s / base.ggas_per_s - 1 if base else None,
            )
        )
    for name, unit, read in _OTHERS:
        values = [[v for i in taken if (v := read(i)) is not None] for taken in (base_taken, head_taken)]
        if values[1]:
            found.append(_row(name, unit, *values))
    return found


def _logs(invocations: Sequence[Invocation], metric: str, drop: int) -> list[float]:
    return [sample.log_median(invocation.repeats(metric), drop) for invocation in invocations]


def _row(name: str, unit: Literal["ns", "KiB", ""], base: Sequence[float], head: Sequence[float]) -> Row:
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
    )


def _mean_and_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Geometric mean, as of samples everywhere, and relative standard deviation."""
    positive = [value for value in values if value > 0]
    if not positive:
        return None, None
    logs = [math.log(value) for value in positive]
    return math.exp(statistics.fmean(logs)), statistics.stdev(logs) if len(logs) > 1 else None
