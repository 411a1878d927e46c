"""The change of every block against its gas: whether large blocks are hit, or small ones, or all alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report import text, verdict
from pytest_ethrex_perf.report.drawing import Drawing, Scale, tick

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from pytest_ethrex_perf.report.block_view import BlockView

LEAST_BLOCKS = 3
"""Fewer are read in the table."""
WIDTH, HEIGHT = 1180, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 14, 26, 34
_LETTER = 6.4
_SHAPES = {
    "regression": ((0, -5.5), (5, 4), (-5, 4)),
    "improvement": ((0, 5.5), (5, -4), (-5, -4)),
    "waived": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
}
"""Corners of what must be told apart without colours; the others are round."""


class Mark(NamedTuple):
    """One block."""

    id: str
    """Of its row in the table."""
    kind: str
    gas: int
    estimate: float
    """A log, as the interval."""
    ci95: tuple[float, float]
    title: str


def figures(views: Sequence[BlockView]) -> Iterator[tuple[str, Markup]]:
    """Title and chart of each metric that at least three blocks, not all as large, have a change of."""
    metrics = dict.fromkeys(metric.metric for view in views for metric in view.block.metrics)
    for name in metrics:
        marks, rules = [], set()
        for view in views:
            for metric in view.block.metrics:
                decision, gas = metric.decision, view.block.gas
                if metric.metric != name or decision.estimate is None or decision.ci95 is None or gas is None:
                    continue
                change = (
                    f"{verdict.change(decision, metric.rules)} {verdict.interval(decision, metric.rules)}"
                )
                title = f"{view.block.block}: {change}, {units.gas(gas)}"
                marks.append(Mark(view.id, text.kind(metric), gas, decision.estimate, decision.ci95, title))
                rules.add((metric.rules.margin, metric.rules.tolerance))
        if len(marks) >= LEAST_BLOCKS and len({mark.gas for mark in marks}) > 1:
            title = f"{name}: change of each block against its gas, with 95 % intervals"
            yield title, by_gas(marks, title, *(rules.pop() if len(rules) == 1 else ()))


def by_gas(marks: Sequence[Mark], title: str, margin: float | None = None, tolerance: float = 0.0) -> Markup:
    """A mark for each block; bands of margin and tolerance where all blocks have the same."""
    kinds = {kind: [mark for mark in marks if mark.kind == kind] for kind in _order(marks)}
    spoken = "; ".join(f"{len(group)} {kind}: {_range(group)}" for kind, group in kinds.items())
    drawing = Drawing(WIDTH, HEIGHT, f"{title}: {spoken}", "chart wide")
    x, y = _scales(marks, math.log1p(tolerance))
    if margin is not None:
        for band, limit in (("tolerance", math.log1p(tolerance)), ("margin", math.log1p(margin))):
            drawing.box(band, x.start, y(-limit), x.end, y(limit))
    changes = Scale(math.expm1(y.low), math.expm1(y.high), 0, 1).ticks()
    for value in changes:
        at = y(math.log1p(value))
        drawing.line("grid" if value else "zero", x.start, at, x.end, at)
        drawing.label("tick y", _LEFT - 6, at + 4, tick(value, changes, "%"))
    ticks = x.ticks(8)
    for value in ticks:
        drawing.line("grid", x(value), y.start, x(value), y.start + 4)
        drawing.label("tick x", x(value), y.start + 17, f"{tick(value, ticks, '')} gas")
    for kind, group in reversed(kinds.items()):  # the worst on top
        style = kind.replace(" ", "-")
        drawing.whiskers(f"reach {style}", [(x(m.gas), y(m.ci95[0]), y(m.ci95[1])) for m in group])
    for kind, group in reversed(kinds.items()):
        for mark in group:
            _mark(drawing, kind, x(mark.gas), y(mark.estimate), mark)
    _legend(drawing, {kind: len(group) for kind, group in kinds.items()}, margin, tolerance)
    return drawing.markup()


def _order(marks: Sequence[Mark]) -> list[str]:
    """Kinds as the page orders its blocks, which `marks` are in: the worst first."""
    return list(dict.fromkeys(mark.kind for mark in marks))


def _scales(marks: Sequence[Mark], tolerance: float) -> tuple[Scale, Scale]:
    """Of gas and of changes; an interval may reach beyond, no mark does."""
    gas = [mark.gas for mark in marks]
    room = 0.03 * (max(gas) - min(gas)) or 0.05 * max(gas) or 1.0
    x = Scale(max(0.0, min(gas) - room), max(gas) + room, _LEFT, WIDTH - _RIGHT)
    changes = [mark.estimate for mark in marks]
    ends = sorted(max(abs(end) for end in mark.ci95) for mark in marks)
    usual = ends[len(ends) * 9 // 10]
    low, high = min([*changes, -usual, -tolerance]), max([*changes, usual, tolerance])
    pad = 0.05 * (high - low)
    return x, Scale(low - pad, high + pad, HEIGHT - _BOTTOM, _TOP)


def _mark(drawing: Drawing, kind: str, x: float, y: float, mark: Mark | None = None) -> None:
    title, target = (mark.title, mark.id) if mark else ("", "")
    drawing.sign(kind.replace(" ", "-"), x, y, _SHAPES.get(kind, ()), title, target)


def _legend(drawing: Drawing, kinds: dict[str, int], margin: float | None, tolerance: float) -> None:
    at = float(_LEFT)
    for kind, count in kinds.items():
        name = f"{kind} {count}"
        _mark(drawing, kind, at + 5, 11)
        drawing.label("legend", at + 15, 15, name)
        at += 15 + _LETTER * len(name) + 16
    if margin is not None:
        drawing.label(
            "legend", at + 8, 15, f"bands: margin {units.limit(margin)}, tolerance {units.limit(tolerance)}"
        )


def _range(marks: Sequence[Mark]) -> str:
    ends = [
        units.log_percent(end) for end in (min(m.estimate for m in marks), max(m.estimate for m in marks))
    ]
    return ends[0] if len(marks) == 1 else " to ".join(ends)
