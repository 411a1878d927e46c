"""A baseline's history for people: its sessions as a table and a sparkline, and two of them side by side."""

from __future__ import annotations

import math
import statistics
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.baseline.schema import BaselineError, moment
from pytest_ethrex_perf.host.machine import changes
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import METRICS, TIMES
from pytest_ethrex_perf.records.result import PastEpoch, PastSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ethrex_perf.baseline.schema import Baseline, Epoch, Session

WIDTH = 80
DROP = 1
_BARS = "▁▂▃▄▅▆▇█"
_SHORT = 8  # hex digits of a program's sha256 that people read
_NARROW = 9  # cells of a level's column
_COLUMNS = "{:<12}  {:<10}  {:<8}  {:>3}  {:>9}  {:>6}  {:>7}  {:>7}"


class Row(NamedTuple):
    """One session of the table; changes and sd as fractions."""

    session: Session
    level: float | None
    """In the metric's unit; None where it was not counted."""
    sd: float | None
    """Between its invocations, relative; None for a single one."""
    against_first: float | None
    """Change against the first session of its epoch; None for that one."""
    against_previous: float | None
    """Change against the session before, over epochs; None for the very first."""


class Reference(NamedTuple):
    """A session that results are also shown against, so that creep is seen."""

    label: str
    session: Session


def references(baseline: Baseline) -> list[Reference]:
    """The current epoch's first session and every tagged one of any epoch, each once."""
    first = baseline.epoch.sessions[0]
    tagged = f" (tagged {', '.join(first.tags)})" if first.tags else ""
    found = [Reference(f"epoch's first session{tagged}", first)]
    found += [
        Reference(f"session tagged {', '.join(one.tags)}", one)
        for one in baseline.sessions()
        if one.tags and one is not first
    ]
    return found


def past(baseline: Baseline, metrics: Iterable[str], drop: int) -> list[PastEpoch]:
    """The whole history in short, for results: the level of each of `metrics`, counted as it was last."""
    like = {metric: usual(baseline, metric) for metric in metrics}

    def levels(session: Session) -> dict[str, float]:
        (raw,) = baseline.raw([session])
        known = {name: samples.comparable(raw, name, identity) for name, identity in like.items()}
        return {
            name: math.exp(statistics.fmean(samples.of(taken, name, drop)))
            for name, taken in known.items()
            if taken
        }

    return [
        PastEpoch(
            number=number,
            reason=epoch.reason,
            started=epoch.started,
            sessions=tuple(
                PastSession(
                    id=session.id,
                    started=session.started,
                    tags=session.tags,
                    invocations=len(session.invocations),
                    levels=levels(session),
                )
                for session in epoch.sessions
            ),
        )
        for number, epoch in enumerate(baseline.epochs, 1)
    ]


def level(
    baseline: Baseline, sessions: Iterable[Session], metric: str, drop: int = DROP, like: str | None = None
) -> float | None:
    """Median over the invocations of `sessions` of the median of each one's repeats after `drop`.

    In the metric's unit; None where it was not counted `like` this (None: as in the baseline's newest
    session).
    """
    like = like or usual(baseline, metric)
    medians = [one for session in sessions for one in _medians(baseline, session, metric, drop, like)]
    return statistics.median(medians) if medians else None


def usual(baseline: Baseline, metric: str) -> str | None:
    """How the newest session that has it counted `metric`; None of times."""
    return samples.usual(baseline.raw(list(baseline.sessions())), metric)


def _medians(baseline: Baseline, session: Session, metric: str, drop: int, like: str | None) -> list[float]:
    (raw,) = baseline.raw([session])
    taken = samples.comparable(raw, metric, like)
    if metric in TIMES:
        return [statistics.median(invocation.repeats(metric)[drop:]) for invocation in taken]
    counts = (invocation.counts[metric].value for invocation in taken)
    return [value for value in counts if value is not None]


def main_metric(baseline: Baseline) -> str:
    """What a baseline is about, where nobody says: exec, or instructions where it has no times to compare."""
    return "exec" if baseline.times else "instructions"


def rows(baseline: Baseline, metric: str, drop: int = DROP) -> list[list[Row]]:
    """The table's rows, a list for each epoch; changes are those of the levels shown beside them."""
    like = usual(baseline, metric)
    table: list[list[Row]] = []
    previous: float | None = None
    for epoch in baseline.epochs:
        first = level(baseline, epoch.sessions[:1], metric, drop, like)
        table.append([])
        for index, session in enumerate(epoch.sessions):
            medians = _medians(baseline, session, metric, drop, like)
            here = statistics.median(medians) if medians else None
            table[-1].append(
                Row(
                    session=session,
                    level=here,
                    sd=statistics.stdev(medians) / statistics.fmean(medians) if len(medians) > 1 else None,
                    against_first=here / first - 1 if index and here and first else None,
                    against_previous=here / previous - 1 if here and previous else None,
                )
            )
            previous = here or previous
    return table


def show(baseline: Baseline, metric: str | None = None, drop: int = DROP) -> str:
    """The history as text of at most 80 columns: an epoch's reason, its sessions, then a sparkline of all.

    `metric` None: what the baseline is about.
    """
    metric = metric or main_metric(baseline)
    lines = [
        f"{baseline.block_id} · {baseline.kind} · {metric} · {baseline.repeat} repeats, first {drop} dropped",
        f"machine {baseline.machine}",
    ]
    if baseline.prefix:
        lines += _wrapped(f"prefix {' '.join(baseline.prefix)}")
    table = rows(baseline, metric, drop)
    for number, (epoch, epoch_rows) in enumerate(zip(baseline.epochs, table, strict=True), 1):
        lines += ["", *_epoch_lines(number, epoch, epoch_rows, metric)]
    levels = [row.level for epoch_rows in table for row in epoch_rows if row.level is not None]
    if not levels:
        return "\n".join([*lines, "", f"{metric} was not counted in any session"]) + "\n"
    spread = f"{units.level(min(levels), metric)} to {units.level(max(levels), metric)}"
    room = WIDTH - len(spread) - 2
    lines += ["", f"{sparkline(levels[-room:])}  {spread}"]
    return "\n".join(lines) + "\n"


def _epoch_lines(number: int, epoch: Epoch, epoch_rows: list[Row], metric: str) -> list[str]:
    heading = metric if len(metric) <= _NARROW else "level"
    lines = [
        *_wrapped(f"epoch {number} since {moment(epoch.started).date()}: {epoch.reason}"),
        _COLUMNS.format("session", "date", "program", "n", heading, "sd", "Δ first", "Δ prev"),
    ]
    for row in epoch_rows:
        session = row.session
        lines.append(
            _COLUMNS.format(
                session.id,
                str(moment(session.started).date()),
                (session.program.commit or session.program.sha256)[:_SHORT],
                len(session.invocations),
                units.level(row.level, metric),
                units.deviation(row.sd) if row.sd is not None else units.NOTHING,
                units.change(row.against_first),
                units.change(row.against_previous),
            ).rstrip()
        )
        notes = [f"tagged {', '.join(session.tags)}"] if session.tags else []
        notes += [session.note] if session.note else []
        lines += [line for note in notes for line in _wrapped(f"  {note}")]
    return lines


def sparkline(values: Sequence[float]) -> str:
    """One bar a value, from the smallest to the largest; a flat line where they are equal."""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)


class Side(NamedTuple):
    """One side of `diff`: sessions of one baseline, and what to call them."""

    label: str
    baseline: Baseline
    sessions: tuple[Session, ...]


def select(baseline: Baseline, selector: str | None, name: str) -> Side:
    """The sessions that `selector` means: none the current epoch's, `first`, `last`, a tag, or an id's start.

    `name` is how the baseline is called. Raises `BaselineError` for none or several.
    """
    if selector is None:
        return Side(f"{name}, epoch {len(baseline.epochs)}", baseline, baseline.epoch.recent)
    if selector in {"first", "last"}:
        chosen = baseline.epoch.sessions[0 if selector == "first" else -1]
        return Side(f"{name}@{chosen.id}", baseline, (chosen,))
    sessions = list(baseline.sessions())
    found = [one for one in sessions if selector in one.tags]
    found = found or [one for one in sessions if one.id.startswith(selector)]
    if len(found) != 1:
        known = ", ".join([*(tag for one in sessions for tag in one.tags), *(one.id for one in sessions)])
        several = "several sessions" if found else "no session"
        raise BaselineError(
            f"{name}: {several} for {selector!r}: say `first`, `last`, a tag or an id: {known}"
        )
    return Side(f"{name}@{found[0].id}", baseline, (found[0],))


def diff(a: Side, b: Side, drop: int = DROP) -> str:
    """Two sides as text: their levels of each metric, and everything else in which they differ.

    A description, not a judgement: it says nothing about what the noise alone could do.
    """
    lines = [f"A  {a.label}: {_told(a)}", f"B  {b.label}: {_told(b)}", ""]
    levels = {
        metric: tuple(
            level(side.baseline, side.sessions, metric, drop, usual(b.baseline, metric)) for side in (a, b)
        )
        for metric in METRICS
    }
    known = {metric: found for metric, found in levels.items() if any(found)}
    room = max(map(len, known), default=0) + 2
    lines.append(f"{'':<{room}}{'A':>12}{'B':>12}{'change':>10}")
    for metric, (before, after) in known.items():
        values = (f"{units.level(one, metric):>12}" for one in (before, after))
        change = after / before - 1 if before and after else None
        lines.append(f"{metric:<{room}}{''.join(values)}{units.change(change):>10}")
    differences = list(_differences(a, b))
    return "\n".join([*lines, *(["", *differences] if differences else [])]) + "\n"


def _told(side: Side) -> str:
    count = sum(len(session.invocations) for session in side.sessions)
    return f"{len(side.sessions)} session(s), {count} invocations, {side.sessions[-1].started[:10]}"


def _differences(a: Side, b: Side) -> Iterable[str]:
    for name in ("network", "block", "kind", "machine", "repeat", "prefix", "cache"):
        before, after = getattr(a.baseline, name), getattr(b.baseline, name)
        if before != after:
            yield f"not comparable: another {name}: {before} → {after}"
    before, after = a.sessions[-1].program, b.sessions[-1].program
    if before.sha256 != after.sha256:
        yield f"program: {before.label} ({before.sha256[:12]}) → {after.label} ({after.sha256[:12]})"
    for change in changes(a.sessions[-1].machine, b.sessions[-1].machine):
        yield f"machine: {change}"


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent="  ")
