"""A baseline's history on the HTML page: its epochs and sessions, and this session at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import unit
from pytest_ethrex_perf.report import charts
from pytest_ethrex_perf.report.charts import Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup

    from pytest_ethrex_perf.records.result import BlockResult, PastSession


def figure(block: BlockResult, metric: str, now: float | None) -> Iterator[tuple[str, Markup]]:
    """Title and chart of all epochs that have `metric`, with this session at `now`; nothing without both."""
    epochs: list[tuple[str, list[Point]]] = []
    days: list[str] = []
    for epoch in block.history:
        sessions = [session for session in epoch.sessions if metric in session.levels]
        if sessions:
            points = [Point("base", s.levels[metric], _description(s, metric)) for s in sessions]
            epochs.append((f"epoch {epoch.number}", points))
            days += [session.started[5:10] for session in sessions]
    if not epochs or now is None:
        return
    head = Point("head", now, f"this session: {units.quantity(now, unit(metric))}")
    title = (
        f"{metric}: the baseline's history, {len(epochs)} epoch{'s' * (len(epochs) > 1)}, and this session"
    )
    yield title, charts.history([*epochs, ("", [head])], [*days, "now"], title, unit(metric))


def _description(session: PastSession, metric: str) -> str:
    tags = f", tagged {', '.join(session.tags)}" if session.tags else ""
    level = units.quantity(session.levels[metric], unit(metric))
    return f"{session.started[:10]}, session {session.id}{tags}, {session.invocations} invocations: {level}"


def table(block: BlockResult) -> list[tuple[str, list[list[str]]]]:
    """Each epoch in words, with a line for every session of it: start, id, tags, invocations, levels."""
    return [
        (
            f"epoch {epoch.number} since {epoch.started[:10]}: {epoch.reason}",
            [
                [
                    session.started[:16].replace("T", " "),
                    session.id,
                    ", ".join(session.tags),
                    str(session.invocations),
                    *(units.quantity(session.levels.get(name), unit(name)) for name in block.rules),
                ]
                for session in epoch.sessions
            ],
        )
        for epoch in block.history
    ]
