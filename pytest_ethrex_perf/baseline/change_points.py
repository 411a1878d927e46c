"""The change points of a block's history: found on its sessions' means, named by sessions and commits."""

from __future__ import annotations

import hashlib
import math
import re
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pytest_ethrex_perf.baseline.schema import FIRST_REASON, moment
from pytest_ethrex_perf.baseline.segments import propose
from pytest_ethrex_perf.baseline.timeline import SHOWN
from pytest_ethrex_perf.judge import changes
from pytest_ethrex_perf.records.history import HistoryChange, HistoryStep
from pytest_ethrex_perf.records.metric import EXEC, limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.judge.changes import Change
    from pytest_ethrex_perf.records.history import BlockHistory, HistorySession

_COMMIT = re.compile("[0-9a-f]{7,64}")
_TOGETHER = timedelta(hours=6)
"""Sessions of one program that are nearer to each other share the machine's day: they are one."""
_Z95 = 1.959964
_LEAST_SHARE = 0.1  # of the margin: no noise is smaller, so that equal counts have none


class Night(NamedTuple):
    """Sessions of one program that are less than 6 h apart."""

    first: HistorySession
    last: HistorySession
    mean: float
    """Log."""
    error: float
    """Of the mean, as a log; NaN where it is not known."""


def with_changes(block: BlockHistory, metrics: Sequence[str]) -> BlockHistory:
    """Return `block` with the changes of `metrics`; changes that it had keep their ids.

    Raises `MeasurementError` where the library is not installed.
    """
    found = [change for metric in metrics for change in _changes(block, metric)]
    found.sort(key=lambda change: moment(change.start.started))
    return msgspec.structs.replace(block, changes=tuple(found))


def nights(block: BlockHistory, metric: str) -> list[Night]:
    """Return the sessions that have `metric`, counted as in the newest of them, those of one night as one."""
    having = [session for session in block.sessions if metric in session.levels]
    if not having:
        return []
    counted = having[-1].levels[metric].counted
    groups: list[list[HistorySession]] = []
    for session in having:
        if session.levels[metric].counted != counted:
            continue
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and last.program == session.program
            and moment(session.started) - moment(last.started) < _TOGETHER
        ):
            groups[-1].append(session)
        else:
            groups.append([session])
    return [_night(group, metric) for group in groups]


def _night(group: Sequence[HistorySession], metric: str) -> Night:
    levels = [session.levels[metric] for session in group]
    squares = sum(math.nan if level.error is None else level.error**2 for level in levels)
    mean = math.fsum(math.log(level.mean) for level in levels) / len(levels)
    return Night(group[0], group[-1], mean, math.sqrt(squares) / len(levels))


def _changes(block: BlockHistory, metric: str) -> Iterator[HistoryChange]:
    row = nights(block, metric)
    level = row[-1].last.levels[metric] if row else None
    if level is None:
        return
    limit = limits(metric, callgrind="callgrind" in (level.counted or ""))
    margin, tolerance = math.log1p(limit.margin), math.log1p(limit.tolerance)
    steps = changes.find(
        [night.mean for night in row], [night.error for night in row], propose, least=_LEAST_SHARE * margin
    )
    ends = [*(step.start for step in steps), len(row)][1:]
    end_of = {step.start: end for step, end in zip(steps, ends, strict=True)}
    for change in changes.changes(steps, margin, tolerance):
        yield _named(block, metric, row, change, end_of[change.steps[-1].start])


def _named(block: BlockHistory, metric: str, row: Sequence[Night], change: Change, end: int) -> HistoryChange:
    """The change in terms of sessions; its last level holds until the night before `end`."""
    before = row[max(change.steps[0].earliest - 1, 0)].last.point()
    after = row[change.steps[-1].latest].first.point()
    start = row[change.steps[0].start].first.point()
    old = row[max(change.steps[-1].earliest - 1, 0)].last  # of the last step
    reach = _Z95 * change.se
    named = HistoryChange(
        id=_id(block, metric, start.session),
        metric=metric,
        change=math.expm1(change.change),
        low=math.expm1(change.change - reach),
        high=math.expm1(change.change + reach),
        before=before,
        after=after,
        start=start,
        steps=tuple(
            HistoryStep(started=row[step.start].first.started, change=math.expm1(step.change))
            for step in change.steps
        ),
        accepted=_accepted(block, metric, old.started, row[end - 1].last.started),
    )
    return msgspec.structs.replace(
        named, id=_earlier_id(block, named) or named.id, bisect=_bisect(block, named)
    )


def _id(block: BlockHistory, metric: str, session: str) -> str:
    text = f"{block.block}\n{block.kind}\n{block.machine}\n{metric}\n{session}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _earlier_id(block: BlockHistory, change: HistoryChange) -> str | None:
    """The id that the change had in an earlier history: of its metric and direction, and its time."""
    for earlier in block.changes:
        if (
            earlier.metric == change.metric
            and (earlier.change > 0) == (change.change > 0)
            and moment(earlier.before.started) < moment(change.after.started)
            and moment(change.before.started) < moment(earlier.after.started)
        ):
            return earlier.id
    return None


def _accepted(block: BlockHistory, metric: str, before: str, until: str) -> str | None:
    """How the level was accepted that began after `before` and held `until` then."""
    low, high = moment(before), moment(until)
    for epoch in block.epochs:
        if epoch.reason != FIRST_REASON and low < moment(epoch.started) <= high:
            return f"accepted on {epoch.started[:10]}: {epoch.reason}"
    for session in block.sessions:
        if metric in session.waived and low < moment(session.started) <= high:
            return f"waived on {session.started[:10]}: {session.waived[metric]}"
    return None


def _bisect(block: BlockHistory, change: HistoryChange) -> str | None:
    good, bad = change.before.commit, change.after.commit
    if good == bad or change.is_same_program or change.change < 0:
        return None
    if not all(commit and _COMMIT.fullmatch(commit) for commit in (good, bad)):
        return None  # not known, or a worktree with changes of its own
    words = ["ethrex-perf", "bisect", str(good)[:SHOWN], str(bad)[:SHOWN], "--block", block.block]
    if change.metric != EXEC:
        words += ["--metric", change.metric]
    if len(change.steps) > 1:
        words.append("--all")
    return shlex.join(words)
