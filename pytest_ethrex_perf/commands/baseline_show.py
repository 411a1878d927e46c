"""What `ethrex-perf baseline show` and `diff` print: a history, a reference, two selections."""

from __future__ import annotations

import statistics
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.baseline import history
from pytest_ethrex_perf.baseline.schema import moment
from pytest_ethrex_perf.host.machine import changes
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.baseline.reference import Hotspot, Reference
    from pytest_ethrex_perf.baseline.schema import Baseline, Epoch, Session
    from pytest_ethrex_perf.commands.baseline_files import Selection

WIDTH = 80
_BARS = "▁▂▃▄▅▆▇█"
_SHORT = 8  # hex digits of a program's sha256 that people read
_NARROW = 9  # cells of a level's column
_COLUMNS = "{:<12}  {:<10}  {:<8}  {:>3}  {:>9}  {:>6}  {:>7}  {:>7}"


# --- the history of one baseline ----------------------------------------------------------------------------


class SessionRow(NamedTuple):
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


def table(baseline: Baseline, metric: str, drop: int = history.DROP) -> list[list[SessionRow]]:
    """Return the rows of each epoch; changes are those of the levels shown beside them."""
    like = history.usual(baseline, metric)
    epochs: list[list[SessionRow]] = []
    previous: float | None = None
    for epoch in baseline.epochs:
        first = history.level(baseline, epoch.sessions[:1], metric, drop, like)
        rows: list[SessionRow] = []
        for index, session in enumerate(epoch.sessions):
            levels = history.levels(baseline, session, metric, drop, like)
            level = statistics.median(levels) if levels else None
            row = SessionRow(
                session=session,
                level=level,
                sd=statistics.stdev(levels) / statistics.fmean(levels) if len(levels) > 1 else None,
                against_first=level / first - 1 if index and level and first else None,
                against_previous=level / previous - 1 if level and previous else None,
            )
            rows.append(row)
            previous = level or previous
        epochs.append(rows)
    return epochs


def show(baseline: Baseline, metric: str | None = None, drop: int = history.DROP) -> str:
    """Return the history as text of at most 80 columns: each epoch with its sessions, and a sparkline of all.

    Without `metric` it is about the baseline's main one.
    """
    metric = metric or history.main_metric(baseline)
    lines = [
        f"{baseline.block_id} · {baseline.kind} · {metric} · {baseline.repeat} repeats, first {drop} dropped",
        f"machine {baseline.machine}",
    ]
    if baseline.prefix:
        lines += _wrapped(f"prefix {' '.join(baseline.prefix)}")
    epochs = table(baseline, metric, drop)
    for number, (epoch, rows) in enumerate(zip(baseline.epochs, epochs, strict=True), 1):
        lines += ["", *_epoch_lines(number, epoch, rows, metric)]
    levels = [row.level for rows in epochs for row in rows if row.level is not None]
    if not levels:
        return "\n".join([*lines, "", f"{metric} was not counted in any session"]) + "\n"
    spread = f"{units.level(min(levels), metric)} to {units.level(max(levels), metric)}"
    room = WIDTH - len(spread) - 2
    lines += ["", f"{sparkline(levels[-room:])}  {spread}"]
    return "\n".join(lines) + "\n"


def _epoch_lines(number: int, epoch: Epoch, rows: Sequence[SessionRow], metric: str) -> list[str]:
    heading = metric if len(metric) <= _NARROW else "level"
    lines = [
        *_wrapped(f"epoch {number} since {moment(epoch.started).date()}: {epoch.reason}"),
        _COLUMNS.format("session", "date", "program", "n", heading, "sd", "Δ first", "Δ prev"),
    ]
    for row in rows:
        session = row.session
        cells = (
            session.id,
            str(moment(session.started).date()),
            (session.program.commit or session.program.sha256)[:_SHORT],
            len(session.invocations),
            units.level(row.level, metric),
            units.deviation(row.sd) if row.sd is not None else units.NOTHING,
            units.change(row.against_first),
            units.change(row.against_previous),
        )
        lines.append(_COLUMNS.format(*cells).rstrip())
        notes = [f"tagged {', '.join(session.tags)}"] if session.tags else []
        notes += [session.note] if session.note else []
        lines += [line for note in notes for line in _wrapped(f"  {note}")]
    return lines


def sparkline(values: Sequence[float]) -> str:
    """Return a bar for each value, from the smallest to the largest; a flat line where they are equal."""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)


# --- two selections side by side ----------------------------------------------------------------------------


def diff(a: Selection, b: Selection, drop: int = history.DROP) -> str:
    """Return two selections as text: their levels of each metric, and everything else in which they differ.

    A description, not a judgement: it says nothing about what the noise alone could do.
    """
    lines = [f"A  {a.label}: {_summary(a)}", f"B  {b.label}: {_summary(b)}", ""]
    levels = {metric: _levels(a, b, metric, drop) for metric in METRICS}
    measured = {metric: pair for metric, pair in levels.items() if any(pair)}
    room = max(map(len, measured), default=0) + 2
    lines.append(f"{'':<{room}}{'A':>12}{'B':>12}{'change':>10}")
    for metric, (before, after) in measured.items():
        cells = f"{units.level(before, metric):>12}{units.level(after, metric):>12}"
        change = after / before - 1 if before and after else None
        lines.append(f"{metric:<{room}}{cells}{units.change(change):>10}")
    differences = list(_differences(a, b))
    return "\n".join([*lines, *(["", *differences] if differences else [])]) + "\n"


def _summary(selection: Selection) -> str:
    sessions = selection.sessions
    count = sum(len(session.invocations) for session in sessions)
    return f"{len(sessions)} session(s), {count} invocations, {sessions[-1].started[:10]}"


def _levels(a: Selection, b: Selection, metric: str, drop: int) -> tuple[float | None, float | None]:
    """Levels of both sides, of what was counted as in the newest session of `b`."""
    like = history.usual(b.baseline, metric)
    before, after = (history.level(side.baseline, side.sessions, metric, drop, like) for side in (a, b))
    return before, after


def _differences(a: Selection, b: Selection) -> Iterator[str]:
    for name in ("network", "block", "kind", "machine", "repeat", "prefix", "cache"):
        before, after = getattr(a.baseline, name), getattr(b.baseline, name)
        if before != after:
            yield f"not comparable: another {name}: {before} → {after}"
    before, after = a.sessions[-1].program, b.sessions[-1].program
    if before.sha256 != after.sha256:
        yield f"program: {before.label} ({before.build}) → {after.label} ({after.build})"
    for change in changes(a.sessions[-1].machine, b.sessions[-1].machine):
        yield f"machine: {change}"


# --- a published reference ----------------------------------------------------------------------------------


def show_reference(reference: Reference) -> str:
    """Return a reference with its tables, as text of at most 80 columns."""
    facts = [
        f"exec {units.duration(reference.exec_ns, 2)} (median, {reference.runs} runs)",
        f"{reference.ggas_per_s:g} Ggas/s",
        f"{reference.txs} txs, {reference.gas / 1e6:g} M gas",
    ]
    facts += [] if reference.ipc is None else [f"IPC {reference.ipc:g}"]
    facts += [] if reference.l1_miss_rate is None else [f"L1 miss rate {units.limit(reference.l1_miss_rate)}"]
    title = (
        f"{reference.network}/{reference.block} · reference, never gated against · {reference.machine} "
        f"({reference.about_machine}), {reference.measured}"
    )
    lines = [*_wrapped(title), *_wrapped(reference.source), *_wrapped(" · ".join(facts))]
    for name, hotspots in (
        ("self time by function", reference.hotspots),
        ("within add_block_pipeline", reference.pipeline),
        ("LEVM opcodes", reference.opcodes),
    ):
        lines += ["", name, *_hotspot_lines(hotspots)] if hotspots else []
    return "\n".join(lines) + "\n"


def _hotspot_lines(hotspots: Sequence[Hotspot]) -> list[str]:
    width = max(len(hotspot.function) for hotspot in hotspots)
    return [
        f"  {hotspot.function:<{width}}  {hotspot.samples / 1e6:>5.0f}M  "
        f"{'' if hotspot.share is None else units.percent(hotspot.share):>6}  {hotspot.what or ''}".rstrip()
        for hotspot in hotspots
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent="  ")
