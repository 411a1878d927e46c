"""The charts of a history: levels over months with what was found in them, and a small course for a table."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.report.drawing import Drawing, Scale, tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

WIDTH, HEIGHT = 860, 250
LEFT, RIGHT, TOP, BOTTOM = 60, 60, 40, 28
SMALL_WIDTH, SMALL_HEIGHT = 160, 24
_SMALL_POINTS = 60
_LABELS = 6
_LETTER = 6.2  # width of a small letter
_MARK_ROWS = (10, 22)  # heights of the names of marks, so that neighbours do not overlap


class Dot(NamedTuple):
    """A session's level."""

    at: datetime
    value: float


class Mark(NamedTuple):
    """Something that happened at a time."""

    at: datetime
    kind: str
    """`release`, `epoch`, `tag` or `waived`: a class of the style sheet."""
    name: str


class Shift(NamedTuple):
    """A change: where it lies, and where levels begin."""

    low: datetime
    high: datetime
    starts: tuple[datetime, ...]
    kind: str
    """`regression`, `improvement` or `waived`: a class of the style sheet."""


def course(
    dots: Sequence[Dot], shifts: Sequence[Shift], marks: Iterable[Mark], title: str, unit: str
) -> Markup:
    """Levels over time, the mean of each level as a line, changes as bands, marks as named lines."""
    drawing = Drawing(WIDTH, HEIGHT, title, "chart wide")
    values = [dot.value for dot in dots]
    low, high = min(values), max(values)
    pad = 0.08 * (high - low) or 0.01 * abs(high) or 1.0
    y = Scale(low - pad, high + pad, HEIGHT - BOTTOM, TOP)
    ticks = y.ticks()
    for value in ticks:
        at = y(value)
        drawing.line("grid", LEFT, at, WIDTH - RIGHT, at)
        for side, edge in (("y", LEFT - 6), ("end", WIDTH - RIGHT + 6)):  # a phone shows one end of it
            drawing.label(f"tick {side}", edge, at + 4, tick(value, ticks, unit))
    x = _days(dots, LEFT + 6, WIDTH - RIGHT - 6)
    first = dots[0].at
    label = ""
    for part in range(_LABELS + 1):
        day = x.low + (x.high - x.low) * part / _LABELS
        before, label = label, (first + timedelta(days=day)).date().isoformat()[2:]
        if label != before:
            drawing.label("tick x", x(day), HEIGHT - BOTTOM + 16, label)
    for shift in shifts:
        band = (x(_day(first, shift.low)), x(_day(first, shift.high)))
        drawing.box(f"shift {shift.kind}", band[0], TOP, max(band[1], band[0] + 2), HEIGHT - BOTTOM)
    _marks(drawing, [(x(_day(first, mark.at)), mark) for mark in marks if dots[0].at <= mark.at])
    drawing.dots("base", [(x(_day(first, dot.at)), y(dot.value)) for dot in dots])
    starts = sorted({start for shift in shifts for start in shift.starts})
    for begin, end in pairwise([dots[0].at, *starts, dots[-1].at + timedelta(seconds=1)]):
        held = [dot for dot in dots if begin <= dot.at < end]
        if held:
            level = y(math.exp(math.fsum(math.log(dot.value) for dot in held) / len(held)))
            drawing.line("level", x(_day(first, held[0].at)), level, x(_day(first, held[-1].at)), level)
    return drawing.markup()


def small(dots: Sequence[Dot], title: str) -> Markup:
    """The course of levels as one thin line, of at most 60 points."""
    drawing = Drawing(SMALL_WIDTH, SMALL_HEIGHT, title, "small")
    size = math.ceil(len(dots) / _SMALL_POINTS)
    means = [
        sum(dot.value for dot in part) / len(part)
        for part in (dots[start : start + size] for start in range(0, len(dots), size))
    ]
    low, high = min(means), max(means)
    pad = 0.01 * abs(high) or 1.0  # what is within one percent looks level
    y = Scale(low - pad, high + pad, SMALL_HEIGHT - 1, 1)
    x = Scale(0, max(len(means) - 1, 1), 1, SMALL_WIDTH - 1)
    drawing.way("course", [(x(index), y(value)) for index, value in enumerate(means)])
    return drawing.markup()


def _days(dots: Sequence[Dot], start: float, end: float) -> Scale:
    return Scale(0.0, max(_day(dots[0].at, dots[-1].at), 1.0), start, end)


def _day(first: datetime, at: datetime) -> float:
    return (at - first) / timedelta(days=1)


def _marks(drawing: Drawing, marks: Sequence[tuple[float, Mark]]) -> None:
    """Lines with names above them, as far as there is room; all are in the table as well."""
    free = [0.0] * len(_MARK_ROWS)
    for at, mark in sorted(marks, key=lambda pair: pair[0]):
        drawing.line(mark.kind, at, TOP - 4, at, HEIGHT - BOTTOM)
        name = mark.name if len(mark.name) <= 20 else f"{mark.name[:19]}…"  # noqa: PLR2004 - letters
        start = min(at, WIDTH - RIGHT - _LETTER * len(name))
        row = next((row for row, end in enumerate(free) if start >= end), None)
        if row is not None:
            drawing.label("band", start, _MARK_ROWS[row], name)
            free[row] = start + _LETTER * len(name) + 6
