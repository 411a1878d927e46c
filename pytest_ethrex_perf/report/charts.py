"""The HTML report's charts, coloured by the page's style sheet, light or dark.

Each takes plain data and gives an `<svg>` that scales with its column.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report.drawing import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Drawing,
    Scale,
    frame,
    spaced,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

    from pytest_ethrex_perf.records.decision import Decision, Rules

FOREST_WIDTH, FOREST_HEIGHT = 180, 20
_LINE = 10  # of small text
_LEAST_TICKS = 2
_TICK_WIDTH = 42
_TICK_MARGIN = 28
"""Half of a label in the largest type that a page gives it: less would cut off its sign."""
_LEAST_REACH, _MOST_REACH = 0.05, 0.25  # of a scale that rows share, logs


class Point(NamedTuple):
    """One invocation: its value (ns, or a count), and what a reader who points at it reads."""

    side: str
    value: float
    title: str


class Cluster(NamedTuple):
    """Invocations that belong together: a pair, a stored session, the new session."""

    label: str
    points: tuple[Point, ...]


def samples(
    clusters: Sequence[Cluster], title: str, interval: tuple[float, float] | None = None, unit: str = "ns"
) -> Markup:
    """Samples in the order they ran, one dot an invocation, with a box of each side at the right.

    A box spans the quartiles, its line is the median, its whiskers reach the extremes. `interval` (as the
    samples in `unit`, ns or nothing) is drawn at the last cluster: where the head lies, by the 95 % interval
    of its change.
    """
    points = [point for cluster in clusters for point in cluster.points]
    values = [point.value for point in points] + list(interval or ())
    sides = [side for side in ("base", "head") if any(point.side == side for point in points)]
    alternative = [spoken(side, [p.value for p in points if p.side == side], unit) for side in sides]
    if interval is not None:
        low, high = (units.quantity(end, unit) for end in interval)
        alternative.append(f"head lies between {low} and {high} by the 95 % interval of its change")
    drawing, y = frame(f"{title}: {'; '.join(alternative)}", values, unit)
    room = WIDTH - RIGHT - 34 * len(sides) - 12
    x = _positions(drawing, clusters, room)
    for index, cluster in enumerate(clusters):
        grouped = {side: [p for p in cluster.points if p.side == side] for side in sides}
        if len(cluster.points) == 2 and all(len(group) == 1 for group in grouped.values()):  # noqa: PLR2004
            drawing.line("link", *(end for p in cluster.points for end in (x(index), y(p.value))))
        for group in grouped.values():
            spread = min(10.0, 0.35 * (x(1) - x(0))) if len(group) > 1 else 0.0
            for place, point in enumerate(group):
                shift = spread * (2 * place / (len(group) - 1) - 1) if spread else 0.0
                drawing.dot(point.side, x(index) + shift, y(point.value), point.title)
            if spread:
                typical = y(statistics.geometric_mean(point.value for point in group))
                drawing.line(
                    f"median {group[0].side}", x(index) - spread - 5, typical, x(index) + spread + 5, typical
                )
    if interval is not None:
        last = x(len(clusters) - 1)
        drawing.line("whisker head", last, y(interval[0]), last, y(interval[1]))
    for index, side in enumerate(sides):
        _box(drawing, side, room + 24 + 34 * index, [p.value for p in points if p.side == side], y)
    return drawing.markup()


def repeats(clusters: Sequence[tuple[str, Sequence[float]]], drop: int, title: str) -> Markup:
    """Every raw repeat, ns: (side, repeats) of each invocation, in their order; the dropped ones faint."""
    drawing, y = frame(title, [value for _, values in clusters for value in values])
    x = Scale(0, len(clusters), LEFT + 4, WIDTH - RIGHT)
    for side in ("base", "head"):
        kept: list[tuple[float, float]] = []
        dropped: list[tuple[float, float]] = []
        for index, (of, values) in enumerate(clusters):
            for place, value in enumerate(values if of == side else ()):
                at = x(index + 0.1 + 0.8 * place / max(1, len(values) - 1))
                (dropped if place < drop else kept).append((at, y(value)))
        drawing.dots(f"{side} dropped", dropped)
        drawing.dots(side, kept)
    return drawing.markup()


def history(
    epochs: Sequence[tuple[str, Sequence[Point]]], labels: Sequence[str], title: str, unit: str = "ns"
) -> Markup:
    """Levels of a baseline's sessions, one dot each with its label below, and a line where an epoch begins.

    An epoch is its name and its sessions; the session of this run is an epoch without a name.
    """
    drawing, y = frame(title, [point.value for _, points in epochs for point in points], unit)
    x = Scale(-0.7, max(len(labels), 2) - 0.3, LEFT, WIDTH - RIGHT)
    labelled = spaced(range(len(labels)))
    for index in (*labelled[: -1 if len(labelled) > 1 else None], len(labels) - 1):
        drawing.label("tick x", x(index), HEIGHT - BOTTOM + 15, labels[index])
    index, free = 0, 0.0
    for number, (name, points) in enumerate(epochs):
        places = [(x(index + place), y(point.value)) for place, point in enumerate(points)]
        start = x(index - 0.5)
        if number:
            drawing.line("epoch" if name else "epoch now", start, TOP - 4, start, HEIGHT - BOTTOM)
        if name and start >= free:
            drawing.label("band", start + 4, TOP + 4, name)
            free = start + 7 * len(name)
        if len(places) > 1:
            drawing.way("course", places)
        for place, point in zip(places, points, strict=True):
            drawing.dot(point.side, *place, point.title)
        index += len(points)
    return drawing.markup()


def looks(decision: Decision, rules: Rules, changes: Sequence[float], title: str) -> Markup:
    """The change of each pair (log), and at each look the interval closing in on margin and tolerance."""
    margin, tolerance = math.log1p(rules.margin), math.log1p(rules.tolerance)
    reached = [end for look in decision.looks for end in (look.low, look.high) if math.isfinite(end)]
    values = [*changes, *reached, 1.15 * tolerance, -1.15 * tolerance]
    alternative = [
        f"after {look.pairs} pairs {units.log_percent(look.estimate)}, "
        f"interval {units.log_percent(look.low)} to {units.log_percent(look.high)}"
        for look in decision.looks[-1:]
    ]
    drawing, y = frame(": ".join([title, *alternative]), values, "%")
    x = Scale(0.3, len(changes) + 0.7, LEFT, WIDTH - RIGHT)
    drawing.box("tolerance", x.start, y(-tolerance), x.end, y(tolerance))
    drawing.box("margin", x.start, y(-margin), x.end, y(margin))
    drawing.line("zero", x.start, y(0), x.end, y(0))
    bands = [
        (y(margin), f"margin {units.limit(rules.margin)}"),
        (y(tolerance), f"tolerance {units.limit(rules.tolerance)}"),
    ]
    if bands[0][0] - bands[1][0] < _LINE:  # no room for both
        bands = [(bands[1][0], ", ".join(name for _, name in bands))]
    for at, name in bands:
        drawing.label("band", x.start + 4, at - 3, name)
    if len(decision.looks) > 1:
        low = [(x(look.pairs), y(look.low)) for look in decision.looks]
        high = [(x(look.pairs), y(look.high)) for look in decision.looks]
        drawing.way("funnel", [*low, *reversed(high)], closed=True)
    for index, change in enumerate(changes):
        used = "" if index < decision.pairs else " unused"
        drawing.dot(
            f"pair{used}", x(index + 1), y(change), f"pair {index + 1}: {units.log_percent(change)}", 3
        )
    for look in decision.looks:
        kind = str(look.verdict or (decision.verdict if look is decision.looks[-1] else None) or "open")
        at, title = x(look.pairs), f"after {look.pairs} pairs: {units.log_percent(look.estimate)}"
        drawing.line(f"interval {kind}", at, y(look.low), at, y(look.high))
        for end in (look.low, look.high):
            drawing.line(f"interval {kind}", at - 5, y(end), at + 5, y(end))
        drawing.dot(f"estimate {kind}", at, y(look.estimate), title, 4.5)
    for pair in spaced(range(1, len(changes) + 1)):
        drawing.label("tick x", x(pair), HEIGHT - BOTTOM + 15, str(pair))
    return drawing.markup()


def forest(decision: Decision, kind: str, reach: float, rules: Rules) -> Markup | str:
    """A change on the scale of all rows of a table, from -reach to reach (logs); nothing without an estimate.

    The thick bar is its 95 % interval, the thin whisker the interval at the level that decides; behind them
    are the tolerance and, darker, the margin.
    """
    if decision.estimate is None:
        return ""
    ends = [units.log_percent(end) for end in decision.ci95 or ()]
    label = f"{units.log_percent(decision.estimate)}, 95 % interval {' to '.join(ends) or 'unknown'}"
    if decision.interval is not None:
        label += f", deciding {' to '.join(map(units.log_percent, decision.interval))}"
    drawing = Drawing(FOREST_WIDTH, FOREST_HEIGHT, label, "forest")
    x, middle = Scale(-reach, reach, 4, FOREST_WIDTH - 4), FOREST_HEIGHT / 2
    for name, limit in (("tolerance", math.log1p(rules.tolerance)), ("margin", math.log1p(rules.margin))):
        drawing.box(name, x(-limit), 0, x(limit), FOREST_HEIGHT)
    drawing.line("zero", x(0), 0, x(0), FOREST_HEIGHT)
    for name, interval in (("decides", decision.interval), ("thick", decision.ci95)):
        if interval is not None:
            drawing.line(f"interval {name} {kind}", x(interval[0]), middle, x(interval[1]), middle)
    _estimate(drawing, kind, decision.estimate, x)
    return drawing.markup()


def bar(estimate: float, ci95: tuple[float, float] | None, reach: float) -> Markup:
    """A change that is judged by nothing, with its 95 % interval, on a scale as that of `forest`."""
    ends = " to ".join(map(units.log_percent, ci95 or ())) or "unknown"
    label = f"{units.log_percent(estimate)}, 95 % interval {ends}"
    drawing = Drawing(FOREST_WIDTH, FOREST_HEIGHT, label, "forest")
    x, middle = Scale(-reach, reach, 4, FOREST_WIDTH - 4), FOREST_HEIGHT / 2
    drawing.line("zero", x(0), 0, x(0), FOREST_HEIGHT)
    if ci95 is not None:
        drawing.line("interval thick informing", x(ci95[0]), middle, x(ci95[1]), middle)
    _estimate(drawing, "informing", estimate, x)
    return drawing.markup()


def _estimate(drawing: Drawing, kind: str, estimate: float, x: Scale) -> None:
    """A dot, or an arrow where it lies beyond the scale."""
    beyond = (estimate > x.high) - (estimate < x.low)
    if beyond:
        tip, middle = x(estimate) + 3.5 * beyond, FOREST_HEIGHT / 2
        points = [(tip, middle), *((tip - 8 * beyond, middle + side) for side in (-5, 5))]
        drawing.way(f"estimate {kind}", points, closed=True)
    else:
        drawing.dot(f"estimate {kind}", x(estimate), FOREST_HEIGHT / 2, "", 4)


def reach(intervals: Iterable[tuple[float, float] | None]) -> float:
    """Half the width of a scale that intervals (logs) share: the widest of them, within reason."""
    ends = (abs(end) for interval in intervals for end in interval or () if math.isfinite(end))
    return min(max([*ends, _LEAST_REACH]), _MOST_REACH) * 1.05


def forest_axis(reach: float) -> Markup:
    """The axis of the column that `forest` fills: a few changes in percent."""
    drawing = Drawing(FOREST_WIDTH, FOREST_HEIGHT, "axis of changes", "forest axis")
    x = Scale(-reach, reach, 4, FOREST_WIDTH - 4)
    free = 0.0
    changes = Scale(math.expm1(-reach), math.expm1(reach), 0, 1)
    for tick in next(ticks for count in range(3, 9) if len(ticks := changes.ticks(count)) > _LEAST_TICKS):
        at = x(math.log1p(tick))
        drawing.line("zero", at, FOREST_HEIGHT - 4, at, FOREST_HEIGHT)
        place = min(max(at, _TICK_MARGIN), FOREST_WIDTH - _TICK_MARGIN)
        if place >= free:
            drawing.label("tick x", place, FOREST_HEIGHT - 7, f"{100 * tick:+z.3g} %")
            free = place + _TICK_WIDTH
    return drawing.markup()


def _positions(drawing: Drawing, clusters: Sequence[Cluster], room: float) -> Scale:
    """Where each cluster is, with labels below as far as there is room for them."""
    x = Scale(-0.6, max(len(clusters), 2) - 0.4, LEFT, room)
    for index in spaced(range(len(clusters))):
        drawing.label("tick x", x(index), HEIGHT - BOTTOM + 15, clusters[index].label)
    return x


def _box(drawing: Drawing, side: str, x: float, values: Sequence[float], y: Scale) -> None:
    low, high = y(min(values)), y(max(values))
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    first, middle, third = (y(quartile) for quartile in quartiles)
    drawing.line(f"whisker {side}", x, low, x, high)
    drawing.box(f"box {side}", x - 8, third, x + 8, first)
    drawing.line(f"median {side}", x - 8, middle, x + 8, middle)
    drawing.label("tick x", x, HEIGHT - BOTTOM + 15, side)


def spoken(side: str, values: Sequence[float], unit: str) -> str:
    """What a chart says of a side to who does not see it: `head 44.3 ms (43.9 ms to 45.1 ms)`."""
    low, middle, high = (
        units.quantity(value, unit) for value in (min(values), statistics.median(values), max(values))
    )
    return f"{side} {middle} ({low} to {high})"
