"""A history in words: a line for each change, and what `--check` fails on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.records.history import BlockHistory, History, HistoryChange, PointInTime

_SHORT = 8  # hex digits of a commit that people read


def lines(history: History, metrics: Sequence[str]) -> Iterator[str]:
    """Yield the history in lines: how much there is, then each block's changes, the newest last."""
    sessions = sum(len(block.sessions) for block in history.blocks)
    changes = sum(len(block.changes) for block in history.blocks)
    yield (
        f"{number(len(history.blocks), 'history', 'histories')} of {', '.join(metrics)}, "
        f"{number(sessions, 'session')}, {number(changes, 'change')}"
    )
    several = len({(block.machine, block.kind) for block in history.blocks}) > 1
    for block in history.blocks:
        name = f"{block.block} on {block.machine} ({block.kind})" if several else block.block
        for change in block.changes:
            yield f"{name}: {sentence(change)}"
            if change.bisect and change.accepted is None:
                yield f"  {change.bisect}"


def number(count: int, word: str, plural: str | None = None) -> str:
    """`1 session`, `2 sessions`."""
    return f"{count:,} {word if count == 1 else plural or f'{word}s'}"


def headline(change: HistoryChange) -> str:
    """`exec 8.0 % slower`."""
    return f"{change.metric} {units.change(abs(change.change)).removeprefix('+')} {word(change)}"


def sentence(change: HistoryChange) -> str:
    """`exec +8.0 % [+7.1, +8.9] between 1a2b3c4d (2026-03-01) and …, accepted on …: why`."""
    steps = f" in {len(change.steps)} steps" if len(change.steps) > 1 else ""
    where = f"between {point(change.before)} and {point(change.after)}"
    return (
        f"{change.metric} {units.change(change.change)} {interval(change)}{steps} {where}{standing(change)}"
    )


def interval(change: HistoryChange) -> str:
    """The 95 % confidence interval of a change: `[+7.1, +8.9]`, in percent."""
    return units.interval((math.log1p(change.low), math.log1p(change.high)))


def word(change: HistoryChange) -> str:
    """`slower` or `faster` of times, `more` or `fewer` of counts."""
    return ("slower", "faster", "more", "fewer")[2 * (unit(change.metric) != "ns") + (change.change < 0)]


def standing(change: HistoryChange) -> str:
    """What became of a change: `, accepted on …: why`; empty where nothing did."""
    if change.accepted is not None:
        return f", {change.accepted}"
    if change.is_same_program:
        return ", of one program: it was the machine that changed"
    return ""


def point(at: PointInTime) -> str:
    """`1a2b3c4d (2026-03-01)`; the program's hash where no commit is known."""
    return f"{commit(at)} ({at.started[:10]})"


def commit(at: PointInTime) -> str:
    """The commit in short, or the program where that is not known."""
    return at.commit[:_SHORT] if at.commit else f"binary {at.program[:_SHORT]}"


def slowdowns(history: History) -> list[tuple[BlockHistory, HistoryChange]]:
    """Return the newest change of each block and metric that is a slowdown nobody accepted or waived.

    Where one program has both levels it was the machine that changed, and no commit is to blame.
    """
    found = []
    for block in history.blocks:
        newest = {change.metric: change for change in block.changes}
        found += [(block, change) for change in newest.values() if is_open(change)]
    return found


def is_open(change: HistoryChange) -> bool:
    """Whether it is a slowdown that nobody accepted, and that a commit is to blame for."""
    return change.change > 0 and change.accepted is None and not change.is_same_program
