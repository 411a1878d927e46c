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
    """Title and chart of all epochs that know `metric`, with this session at `now`; nothing without both."""
    epochs: list[tuple[str, list[Point]]] = []
    days: list[str] = []
    for epoch in block.history:
        known = [one for one in epoch.sessions if metric in one.levels]
        if known:
            points = [Point("base", one.levels[metric], _session(one, metric)) for one in known]
            epochs.append((f"epoch {epoch.number}", points))
            days += [one.started[5:10] for one in known]
    if not epochs or now is None:
        return
    head = Point("head", now, f"this session: {units.quantity(now, unit(metric))}")
    title = (
        f"{metric}: the baseline's history, {len(epochs)} epoch{'s' * (len(epochs) > 1)}, and this session"
    )
    yield title, charts.history([*epochs, ("", [head])], [*days, "now"], title, unit(metric))


def _session(one: PastSession, metric: str) -> str:
    tags = f", tagged {', '.join(one.tags)}" if one.tags else ""
    level = units.quantity(one.levels[metric], unit(metric))
    return f"{one.started[:10]}, session {one.id}{tags}, {one.invocations} invocations: {level}"


def table(block: BlockResult) -> list[tuple[str, list[list[str]]]]:
    """Each epoch in words, with a line for every session of it: start, id, tags, invocations, levels."""
    return [
        (
            f"epoch {epoch.number} since {epoch.started[:10]}: {epoch.reason}",
            [
                [
                    one.started[:16].replace("T", " "),
                    one.id,
                    ", ".join(one.tags),
                    str(one.invocations),
                    *(units.quantity(one.levels.get(name), unit(name)) for name in block.rules),
                ]
                for one in epoch.sessions
            ],
        )
        for epoch in block.history
    ]
