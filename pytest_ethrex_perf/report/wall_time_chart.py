"""Times of base and head over wall time, and under them what else the machine did meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report.charts import spoken
from pytest_ethrex_perf.report.drawing import LEFT, RIGHT, TOP, WIDTH, Drawing, Scale, tick

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

HEIGHT = 288
_LEGEND, _ROOM = 62, 12  # width of a name with its dot; height above the dots
_TIMES_END = 124
_LANE, _LANE_GAP = 24, 18
_TIME_UNITS = ((3 * 3600, 3600, "h"), (180, 60, "min"), (0, 1, "s"))


class Moment(NamedTuple):
    """One invocation: when it ran, in seconds since the first, and what was measured meanwhile."""

    side: str
    start: float
    end: float
    value: float
    """ns."""
    load: float | None
    """One-minute load average at its start."""
    steal: int | None
    """Clock ticks that the host took from all CPUs."""
    pressure: float | None
    """Share of the time in which something waited for a CPU."""


class _Lane(NamedTuple):
    """One line of what the machine did."""

    name: str
    value: Callable[[Moment], float | None]
    shown: Callable[[float], str]
    least: float
    """The lane is at least so high, so that next to nothing looks like it."""


_LANES = (
    _Lane("load average of one minute", lambda moment: moment.load, "{:.3g}".format, 1.0),
    _Lane("steal: clock ticks of all CPUs", lambda moment: moment.steal, "{:.0f}".format, 10.0),
    _Lane(
        "PSI: share of the time that something waited for a CPU",
        lambda moment: moment.pressure,
        units.percent,
        0.01,
    ),
)


def over_time(moments: Sequence[Moment], title: str) -> Markup:
    """A dot for each invocation where it ran, and lanes of load, steal and CPU pressure."""
    sides = [side for side in ("base", "head") if any(moment.side == side for moment in moments)]
    spoken_sides = [spoken(side, [m.value for m in moments if m.side == side], "ns") for side in sides]
    alternative = "; ".join([*spoken_sides, *(_spoken(lane, moments) for lane in _LANES)])
    drawing = Drawing(WIDTH, HEIGHT, f"{title}: {alternative}", "chart")
    last = max(moment.end for moment in moments)
    x = Scale(0, last, LEFT, WIDTH - RIGHT)
    y = _times([moment.value for moment in moments], drawing)
    _seconds(drawing, x)
    for place, side in enumerate(sides):
        drawing.dots(
            f"moments {side}",
            [(x((m.start + m.end) / 2), y(m.value)) for m in moments if m.side == side],
            hollow=side == "base",
        )
        at = x.end - _LEGEND * (len(sides) - place)
        drawing.dot(side, at + 16, TOP - 4)
        drawing.label("legend", at + 27, TOP, side)
    for place, lane in enumerate(_LANES):
        _draw(drawing, lane, moments, x, _TIMES_END + (place + 1) * (_LANE + _LANE_GAP))
    return drawing.markup()


def _times(values: Sequence[float], drawing: Drawing) -> Scale:
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.01 * high
    y = Scale(low - pad, high + pad, _TIMES_END, TOP + _ROOM)
    ticks = y.ticks()
    for value in ticks:
        drawing.line("grid", LEFT, y(value), WIDTH - RIGHT, y(value))
        drawing.label("tick y", LEFT - 6, y(value) + 4, tick(value, ticks, "ns"))
    return y


def _seconds(drawing: Drawing, x: Scale) -> None:
    """The axis of all lanes, at the bottom."""
    bottom = HEIGHT - 26
    size, unit = next((size, unit) for least, size, unit in _TIME_UNITS if x.high >= least)
    for value in Scale(0, x.high / size, 0, 1).ticks():
        at = x(value * size)
        drawing.line("grid", at, TOP + _ROOM, at, bottom)
        drawing.label("tick x", at, bottom + 15, f"{value:g} {unit}")


def _draw(drawing: Drawing, lane: _Lane, moments: Sequence[Moment], x: Scale, bottom: float) -> None:
    values = [value for moment in moments if (value := lane.value(moment)) is not None]
    drawing.label("band", LEFT, bottom - _LANE - 4, lane.name if values else f"{lane.name}: not known here")
    drawing.line("grid", LEFT, bottom, WIDTH - RIGHT, bottom)
    if not values:
        return
    top = max([*values, lane.least])
    y = Scale(0, top, bottom, bottom - _LANE)
    drawing.label("tick y", LEFT - 6, bottom + 1, lane.shown(0.0))
    drawing.label("tick y", LEFT - 6, y.end + 7, lane.shown(top))
    bars = [
        (x(moment.start), max(x(moment.end), x(moment.start) + 1), y(value))
        for moment in moments
        if (value := lane.value(moment)) is not None
    ]
    drawing.bars("lane", bars, bottom)


def _spoken(lane: _Lane, moments: Sequence[Moment]) -> str:
    values = [value for moment in moments if (value := lane.value(moment)) is not None]
    if not values:
        return f"{lane.name} not known here"
    return f"{lane.name} {lane.shown(min(values))} to {lane.shown(max(values))}"
