"""Shapes of SVG by hand, and the axes that the charts share; the page's style sheet colours them.

Text is escaped here.
"""

from __future__ import annotations

import html
import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from pytest_ethrex_perf.report import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 420, 215
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 12, 30
_MOST_LABELS = 8
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_PREFIXES = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (0.0, "ns")),
    "": ((1e9, "G"), (1e6, "M"), (1e3, "k"), (0.0, "")),
}


class Scale(NamedTuple):
    """A linear map from values to units of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where `value` is; what lies beyond an end is drawn there."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """About `count` round values within the scale."""
        rough = (self.high - self.low) / count
        magnitude = 10.0 ** math.floor(math.log10(rough))
        step = next(size * magnitude for size in _STEPS if size * magnitude >= rough)
        first = math.ceil(self.low / step)
        return [step * index for index in range(first, math.floor(self.high / step) + 1)]


class Drawing:
    """Shapes, one after the other."""

    def __init__(self, width: int, height: int, label: str, kind: str) -> None:
        self._parts = [
            f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{_safe(label)}">'
        ]

    def line(self, kind: str, *ends: float) -> None:
        """A line from (x1, y1) to (x2, y2); `kind` are classes of the style sheet."""
        x1, y1, x2, y2 = map(_number, ends)
        self._parts.append(f'<path class="{kind}" d="M{x1} {y1}L{x2} {y2}"/>')

    def box(self, kind: str, *ends: float) -> None:
        """A rectangle between two corners."""
        x1, y1, x2, y2 = ends
        left, top = _number(min(x1, x2)), _number(min(y1, y2))
        size = f'width="{_number(abs(x2 - x1))}" height="{_number(abs(y2 - y1))}"'
        self._parts.append(f'<rect class="{kind}" x="{left}" y="{top}" {size}/>')

    def dot(self, kind: str, x: float, y: float, title: str = "", radius: float = 3.5) -> None:
        """A dot, and what a reader who points at it reads."""
        content = f"<title>{_safe(title)}</title>" if title else ""
        self._parts.append(
            f'<circle class="{kind}" cx="{_number(x)}" cy="{_number(y)}" r="{radius:g}">{content}</circle>'
        )

    def dots(self, kind: str, points: Iterable[tuple[float, float]], *, hollow: bool = False) -> None:
        """Many dots as one path, each at whole units and from the one before: a page has 100,000 of them."""
        places = [(0, 0), *((round(x), round(y)) for x, y in points)]
        steps = ((x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in itertools.pairwise(places))
        path = "".join(f"m{dx}{dy}h0" if dy < 0 else f"m{dx} {dy}h0" for dx, dy in steps)
        if path:
            self._parts.append(f'<path class="dots {kind}" d="{path}"/>')
        if path and hollow:
            self._parts.append(f'<path class="dots {kind} hollow" d="{path}"/>')

    def way(self, kind: str, points: Sequence[tuple[float, float]], *, closed: bool = False) -> None:
        """A line through all points."""
        path = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._parts.append(f'<path class="{kind}" d="M{path}{"Z" if closed else ""}"/>')

    def stairs(self, kind: str, points: Sequence[tuple[float, float]]) -> None:
        """A line through all points, first to the place of each and then up or down to it."""
        (left, start), *turns = points
        path = "".join(f"H{_number(x)}V{_number(y)}" for x, y in turns)
        self._parts.append(f'<path class="{kind}" d="M{_number(left)} {_number(start)}{path}"/>')

    def bars(self, kind: str, bars: Iterable[tuple[float, float, float]], bottom: float) -> None:
        """Rectangles from `bottom` up, at whole units, as one path: (left, right, top) of each."""
        path = "".join(f"M{a:.0f} {bottom:.0f}V{y:.0f}H{b:.0f}V{bottom:.0f}" for a, b, y in bars)
        self._parts.append(f'<path class="{kind}" d="{path}"/>')

    def whiskers(self, kind: str, whiskers: Iterable[tuple[float, float, float]]) -> None:
        """Upright lines as one path: place, and both ends of each."""
        path = "".join(f"M{_number(x)} {_number(a)}V{_number(b)}" for x, a, b in whiskers)
        self._parts.append(f'<path class="{kind}" d="{path}"/>')

    def sign(
        self, kind: str, x: float, y: float, corners: Sequence[tuple[float, float]], title: str, target: str
    ) -> None:
        """A small shape around a place, round without corners; `target` is the row that it stands for."""
        of = f' data-of="{_safe(target)}"' if target else ""
        content = f"<title>{_safe(title)}</title>" if title else ""
        if corners:
            path = "L".join(f"{_number(x + right)} {_number(y + down)}" for right, down in corners)
            self._parts.append(f'<path class="sign {kind}"{of} d="M{path}Z">{content}</path>')
        else:
            place = f'cx="{_number(x)}" cy="{_number(y)}" r="4"'
            self._parts.append(f'<circle class="sign {kind}"{of} {place}>{content}</circle>')

    def label(self, kind: str, x: float, y: float, content: str) -> None:
        """A text."""
        self._parts.append(f'<text class="{kind}" x="{_number(x)}" y="{_number(y)}">{_safe(content)}</text>')

    def markup(self) -> Markup:
        """The drawing as SVG."""
        return Markup("".join([*self._parts, "</svg>"]))  # noqa: S704 - every value in it is escaped above


def frame(title: str, values: Sequence[float], unit: str = "ns") -> tuple[Drawing, Scale]:
    """An empty chart whose y axis holds `values`: ns, counts, or logs that are shown in `%`."""
    percent = unit == "%"
    drawing = Drawing(WIDTH, HEIGHT, title, "chart")
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.01 * abs(high) or 1.0
    y = Scale(low - pad, high + pad, HEIGHT - BOTTOM, TOP)
    ticks = Scale(math.expm1(y.low), math.expm1(y.high), 0, 1).ticks() if percent else y.ticks()
    for value in ticks:
        at = y(math.log1p(value) if percent else value)
        drawing.line("grid", LEFT, at, WIDTH - RIGHT, at)
        drawing.label("tick y", LEFT - 6, at + 4, tick(value, ticks, unit))
    return drawing, y


def tick(value: float, ticks: Sequence[float], unit: str) -> str:
    """A tick's value, all ticks of an axis in one unit and with the decimals that tell them apart."""
    if unit == "%":
        return f"{100 * value:+z.3g} %"
    least, name = next((least, name) for least, name in _PREFIXES[unit] if ticks[-1] >= least)
    size = least or 1.0
    step = (ticks[1] - ticks[0]) / size if len(ticks) > 1 else 1.0
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
    decimals += abs(round(step, decimals) - step) > step / 100  # 2.5 needs one more than 2
    return f"{value / size:.{decimals}f} {name}".rstrip()


def spaced(places: range) -> range:
    """As many of `places` as have room for a label."""
    return places[:: max(1, math.ceil(len(places) / _MOST_LABELS))]


def _safe(content: str) -> str:
    return html.escape(escape.plain(content))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
