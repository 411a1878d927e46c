"""A static site of a history: a page over all blocks and one for each; nothing is loaded from anywhere.

The templates escape every value; a content security policy allows no script at all.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import EXEC, unit
from pytest_ethrex_perf.report import page_files, timeline_charts, timeline_text
from pytest_ethrex_perf.report.timeline_charts import Dot, Mark, Shift

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from markupsafe import Markup

    from pytest_ethrex_perf.records.history import BlockHistory, History, HistoryChange, HistorySession

INDEX = "index.html"
SPEED = "Ggas/s"
_LATEST = 100  # changes that the first page lists; every block's page has its own


class Row(NamedTuple):
    """A change on a page."""

    block: BlockHistory
    href: str
    change: HistoryChange
    kind: str
    """`regression`, `improvement` or `waived`: a class of the style sheet."""
    word: str
    before: str
    after: str
    standing: str


class Summary(NamedTuple):
    """A block's row on the first page."""

    block: BlockHistory
    href: str
    name: str
    sessions: int
    level: str
    speed: str
    change: str
    """Of the main metric, from the first level to the last one."""
    changes: int
    kind: str
    course: Markup | str


def pages(
    history: History, metrics: Sequence[str], feed: PurePosixPath | None = None
) -> Iterator[tuple[str, str]]:
    """Yield every page with its path in the site; `feed` is where the Atom feed is from the first page."""
    style = page_files.content("history.css")
    index, page = (
        page_files.template(
            name,
            gas=units.gas,
            change=units.change,
            number=timeline_text.number,
            interval=timeline_text.interval,
        )
        for name in ("history.html.jinja", "history_block.html.jinja")
    )
    rows = [row for block in history.blocks for row in _rows(block)]
    rows.sort(key=lambda row: _time(row.change.start.started), reverse=True)
    newest = {id(change) for _, change in timeline_text.slowdowns(history)}
    open_rows = [row for row in rows if id(row.change) in newest]
    summaries = [_summary(block, metrics, {id(row.change) for row in open_rows}) for block in history.blocks]
    summaries.sort(key=lambda summary: summary.kind != "regression")
    yield (
        INDEX,
        index.render(
            history=history,
            metrics=metrics,
            style=style,
            open=open_rows,
            latest=rows[:_LATEST],
            rows=len(rows),
            summaries=summaries,
            until=max((b.sessions[-1].started for b in history.blocks), key=_time, default="")[:10],
            feed=feed,
        ),
    )
    for block in history.blocks:
        path = page_path(block)
        content = page.render(
            history=history,
            block=block,
            name=_name(block),
            style=style,
            home=os.path.relpath(INDEX, os.path.dirname(path)),  # noqa: PTH120 - of a URL
            rows=list(reversed(list(_rows(block)))),
            figures=list(_figures(block, history, metrics)),
            metrics=[metric for metric in metrics if any(metric in s.levels for s in block.sessions)],
            speed=SPEED if any(EXEC in s.levels for s in block.sessions) else None,
            sessions=list(_table(block, metrics)),
        )
        yield path, content


def page_path(block: BlockHistory) -> str:
    """Where a block's page is in the site."""
    network, _, name = block.block.partition("/")
    plain = name.replace(",", "-").replace("=", "")
    return f"blocks/{network}-{plain}/{block.machine}-{block.kind}.html"


def _name(block: BlockHistory) -> str:
    return f"{block.block} on {block.machine}" + (f" ({block.kind})" if block.kind != "ethrex" else "")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _kind(change: HistoryChange) -> str:
    if change.change < 0:
        return "improvement"
    return "regression" if timeline_text.is_open(change) else "waived"


def _rows(block: BlockHistory) -> Iterator[Row]:
    for change in block.changes:
        yield Row(
            block=block,
            href=page_path(block),
            change=change,
            kind=_kind(change),
            word=timeline_text.word(change),
            before=timeline_text.point(change.before),
            after=timeline_text.point(change.after),
            standing=timeline_text.standing(change).removeprefix(", "),
        )


def _summary(block: BlockHistory, metrics: Sequence[str], still_open: set[int]) -> Summary:
    metric = next((m for m in metrics if m in block.sessions[-1].levels), metrics[0])
    having = [session for session in block.sessions if metric in session.levels]
    level = having[-1].levels[metric].mean if having else None
    ratio = 1.0
    for change in block.changes:
        if change.metric == metric:
            ratio *= 1 + change.change
    slower = any(id(change) in still_open for change in block.changes)
    name = _name(block)
    title = f"course of {metric}: {timeline_text.number(len(having), 'session')}"
    return Summary(
        block=block,
        href=page_path(block),
        name=name,
        sessions=len(block.sessions),
        level=f"{units.quantity(level, unit(metric))}{'' if metric == EXEC else f' {metric}'}",
        speed=units.quantity(_speed(block, having[-1]), SPEED) if having else units.NOTHING,
        change=units.change(ratio - 1) if ratio != 1.0 else "",
        changes=len(block.changes),
        kind="regression" if slower else "",
        course=timeline_charts.small(_dots(having, metric), title) if having else "",
    )


def _dots(sessions: Sequence[HistorySession], metric: str) -> list[Dot]:
    return [Dot(_time(s.started), s.levels[metric].mean) for s in sessions]


def _speed(block: BlockHistory, session: HistorySession) -> float | None:
    """Ggas/s: gas / exec in ns."""
    return block.gas / session.levels[EXEC].mean if EXEC in session.levels and block.gas else None


def _figures(block: BlockHistory, history: History, metrics: Sequence[str]) -> Iterator[tuple[str, Markup]]:
    """Title and chart of each metric, and of the speed."""
    marks = list(_marks(block, history))
    for metric in metrics:
        having = [session for session in block.sessions if metric in session.levels]
        if not having:
            continue
        changes = [change for change in block.changes if change.metric == metric]
        own = [*marks, *(_waived(session, metric) for session in having if metric in session.waived)]
        yield _figure(block, metric, _dots(having, metric), changes, own, unit(metric))
        if metric == EXEC and block.gas:
            dots = [Dot(dot.at, block.gas / dot.value) for dot in _dots(having, EXEC)]
            yield _figure(block, SPEED, dots, changes, own, "")


def _figure(
    block: BlockHistory,
    name: str,
    dots: Sequence[Dot],
    changes: Sequence[HistoryChange],
    marks: Sequence[Mark],
    of: str,
) -> tuple[str, Markup]:
    shifts = [
        Shift(
            _time(change.before.started),
            _time(change.after.started),
            tuple(_time(step.started) for step in change.steps),
            _kind(change),
        )
        for change in changes
    ]
    words = "; ".join(timeline_text.sentence(change) for change in changes) or "no change"
    span = f"{dots[0].at.date()} to {dots[-1].at.date()}"
    title = f"{name} of {block.block}, {timeline_text.number(len(dots), 'session')}, {span}: {words}"
    return name, timeline_charts.course(dots, shifts, marks, title, of)


def _marks(block: BlockHistory, history: History) -> Iterator[Mark]:
    """Epochs, tags and releases."""
    for number, epoch in enumerate(block.epochs, 1):
        yield Mark(_time(epoch.started), "epoch", f"epoch {number}")
    for session in block.sessions:
        if session.tags:
            yield Mark(_time(session.started), "tag", ", ".join(session.tags))
    last = _time(block.sessions[-1].started)
    for release in history.releases:
        if _time(release.date) <= last:
            yield Mark(_time(release.date), "release", release.name)


def _waived(session: HistorySession, metric: str) -> Mark:
    return Mark(_time(session.started), "waived", f"{metric} waived")


def _table(block: BlockHistory, metrics: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A row for each session, the newest first: start, id, commit, invocations, levels, speed, notes."""
    shown = [metric for metric in metrics if any(metric in s.levels for s in block.sessions)]
    timed = EXEC in shown
    for session in reversed(block.sessions):
        levels = (units.level(session.levels[m].mean if m in session.levels else None, m) for m in shown)
        said = [f"tagged {', '.join(session.tags)}"] if session.tags else []
        said += [f"{metric} waived: {reason}" for metric, reason in session.waived.items()]
        said += [session.note] if session.note else []
        yield (
            session.started[:16].replace("T", " "),
            session.id,
            timeline_text.commit(session.point()),
            str(session.invocations),
            *levels,
            *((units.quantity(_speed(block, session), SPEED),) if timed else ()),
            "; ".join(said),
        )
