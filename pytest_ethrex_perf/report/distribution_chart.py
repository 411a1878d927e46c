"""How the samples of base and head are spread: which share of each is at most so large (ECDF)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.report.charts import spoken
from pytest_ethrex_perf.report.drawing import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Drawing, Scale, tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEGEND = 62  # width of a name and its line
_ROOM = 12  # above the lines, for the names


class Spread(NamedTuple):
    """Samples that belong together: a side's of this run, or those of a stored session."""

    side: str
    values: Sequence[float]


def ecdf(spreads: Sequence[Spread], title: str, unit: str = "ns") -> Markup:
    """A rising line for each of `spreads`, from 0 to 100 % of its samples; values in `unit`."""
    values = [value for spread in spreads for value in spread.values]
    sides = list(dict.fromkeys(spread.side for spread in spreads))
    alternative = [
        spoken(side, [value for spread in spreads if spread.side == side for value in spread.values], unit)
        for side in sides
    ]
    drawing = Drawing(WIDTH, HEIGHT, f"{title}: {'; '.join(alternative)}", "chart")
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.01 * abs(high) or 1.0
    x, y = Scale(low - pad, high + pad, LEFT, WIDTH - RIGHT), Scale(0, 1, HEIGHT - BOTTOM, TOP + _ROOM)
    for share in _SHARES:
        drawing.line("grid", x.start, y(share), x.end, y(share))
        drawing.label("tick y", LEFT - 6, y(share) + 4, f"{share:.0%}".replace("%", " %"))
    ticks = x.ticks()
    for value in ticks:
        drawing.line("grid", x(value), y.start, x(value), y.end)
        drawing.label("tick x", x(value), y.start + 15, tick(value, ticks, unit))
    alone = {side: sum(spread.side == side for spread in spreads) == 1 for side in sides}
    for side, samples in spreads:
        drawing.stairs(f"rise {side}{'' if alone[side] else ' many'}", _stairs(samples, x, y))
    for place, side in enumerate(sides):
        at = x.end - _LEGEND * (len(sides) - place)
        drawing.line(f"rise {side}", at, TOP - 4, at + 22, TOP - 4)
        drawing.label("legend", at + 27, TOP, side)
    return drawing.markup()


def _stairs(values: Sequence[float], x: Scale, y: Scale) -> list[tuple[float, float]]:
    """Where the line turns upwards, and how far up."""
    number = len(values)
    steps = [(x(value), y(rank / number)) for rank, value in enumerate(sorted(values), 1)]
    return [(x.start, y(0)), *steps, (x.end, y(1))]
