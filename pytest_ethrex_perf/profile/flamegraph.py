"""Flamegraphs as one piece of HTML each: no other file, no network; zoom by click, search as you type.

A frame of a differential flamegraph is as wide as the larger of both sides, so that what is gone is still
seen. Red grew, blue shrank, grey is within two standard errors; full colour is the same change whatever else
changed, so that a program against itself is grey or pale.
"""

from __future__ import annotations

import html
import json
import math
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile.differential import SDS
from pytest_ethrex_perf.profile.names import printable
from pytest_ethrex_perf.profile.stacks import cut_off, cut_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.profile.stacks import Frames

SMALLEST = 0.0005
"""Frames narrower than this fraction of the whole are left out, or the file would be megabytes."""
DEEPEST = 300
"""Frames of a stack that are drawn; perf is asked for 255. Python and browsers call themselves for each."""
_FULL = 0.05  # of base's time: the change that has full colour
_ROUNDING = 1.0 + 1e-9
_BY_CHANCE = 0.05  # of frames that did not change, how many are outside two standard errors
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.25rem; margin: 0 0 1rem; }}
{style}
</style>
</head>
<body>
<h1>{title}</h1>
{graphs}
<script>
{script}
</script>
</body>
</html>
"""


class _Node:
    """A frame below one path of callers."""

    __slots__ = ("base", "children", "error", "head", "width")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.base = self.head = self.width = 0.0
        self.error: float | None = None
        """Standard error of the change."""

    @property
    def changed(self) -> bool:
        """Whether it changed by more than two standard errors."""
        return self.error is not None and abs(self.head - self.base) > SDS * self.error


def graph(title: str, stacks: Mapping[Frames, float], *, unit: str = "samples") -> str:
    """One flamegraph as a `<figure>`; `style()` and `script()` belong on its page once.

    `stacks` are values in `unit` by stack, root first. Below it stand only the frames that are wide enough to
    be seen (`SMALLEST`).
    """
    return _figure(title, _tree({}, stacks), unit, _notes({"": stacks}), differential=False)


def differential(
    title: str,
    base: Mapping[Frames, float],
    head: Mapping[Frames, float],
    errors: Mapping[Frames, float],
    *,
    unit: str = "ms",
) -> str:
    """Base against head as a `<figure>`, both in `unit` per block so that they can be compared.

    `errors` are the standard errors of the changes by path, as `differential.frame_errors` has them; those of
    `paths` are needed.
    """
    notes = _notes({"base's ": base, "head's ": head})
    root = _tree(base, head)
    for path, node in _drawn(root):
        node.error = errors.get(path)
    return _figure(title, root, unit, notes, differential=True)


def _notes(sides: Mapping[str, Mapping[Frames, float]]) -> Iterator[str]:
    """What the pictures of stacks do not show, by whose they are (`head's `)."""
    for whose, stacks in sides.items():
        if sentence := cut_sentence(cut_off(stacks), whose):
            yield sentence
    if any(len(frames) > DEEPEST for stacks in sides.values() for frames in stacks):
        yield f"What is more than {DEEPEST} calls deep is in the frame above which it stands"


def paths(base: Mapping[Frames, float], head: Mapping[Frames, float]) -> list[Frames]:
    """The frames that a differential graph shows, each by the path to it; () is the whole."""
    return [path for path, _ in _drawn(_tree(base, head))]


def _drawn(root: _Node) -> Iterator[tuple[Frames, _Node]]:
    """The frames that are wide enough to be seen, callers first."""
    waiting: list[tuple[Frames, _Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        waiting += [
            ((*path, name), child)
            for name, child in node.children.items()
            if child.width >= SMALLEST * root.width
        ]


def page(title: str, figures: Sequence[str]) -> str:
    """A whole page of figures."""
    return _PAGE.format(title=html.escape(title), style=style(), script=script(), graphs="\n".join(figures))


def style() -> str:
    """CSS that figures need."""
    return _asset("flamegraph.css")


def script() -> str:
    """JavaScript that figures need; it finds them when it runs, so it stands after them."""
    return _asset("flamegraph.js")


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8").strip()


def _tree(base: Mapping[Frames, float], head: Mapping[Frames, float]) -> _Node:
    root = _Node()
    for frames in dict.fromkeys((*head, *base)):
        old, new = base.get(frames, 0.0), head.get(frames, 0.0)
        node = root
        for frame in (None, *frames[:DEEPEST]):
            if frame is not None:
                node = node.children.setdefault(frame, _Node())
            node.base += old
            node.head += new
            node.width += max(old, new)
    return root


def _scale(root: _Node) -> float:
    """The change, in ms per block, from which on a frame has full colour: about 5 % of base, as 1, 2 or 5.

    What changed has no say in it, and it is the same in every run of the block.
    """
    most = _FULL * (root.base or root.head)
    if not most:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return float(f"{power * max(step for step in (1, 2, 5) if step * power <= most * _ROUNDING):.1g}")


def _verdict(root: _Node) -> str:
    """What to say first where no frame changed, or no more of them than chance makes."""
    nodes = [node for _, node in _drawn(root)]
    if any(node.error is None for node in nodes):
        return ""
    outside = sum(node.changed for node in nodes)
    if not outside:
        sentence = "Nothing changed beyond noise: every frame is within two standard errors."
        return f'<p class="flamegraph-verdict">{sentence}</p>'
    if outside > _BY_CHANCE * len(nodes):
        return ""
    are = "is" if outside == 1 else "are"
    return (
        f'<p class="flamegraph-legend">Of {len(nodes)} frames {outside} {are} outside two standard '
        "errors; chance alone puts about one in twenty there.</p>"
    )


def _legend(scale: float, unit: str, *, known: bool) -> str:
    grey = "grey: within two standard errors" if known else "this file has no errors of the frames"
    return (
        f'<p class="flamegraph-legend"><span>faster: −{scale:g} {unit} per block or more</span>'
        '<i class="flamegraph-scale"></i>'
        f"<span>slower: +{scale:g} {unit} or more</span><span>{grey}</span></p>"
    )


def _figure(title: str, root: _Node, unit: str, notes: Iterable[str], *, differential: bool) -> str:
    names: dict[str, int] = {}
    left_out: Counter[str] = Counter()

    def packed(name: str, node: _Node) -> list[object]:
        """[name, width, base, head, children, error]; children by name, as flamegraphs are."""
        children = []
        for child_name, child in sorted(node.children.items()):
            if child.width >= SMALLEST * root.width:
                children.append(packed(child_name, child))
            else:
                left_out["frames"] += 1
        values = [float(f"{value:.5g}") for value in (node.width, node.base, node.head)]
        error = [] if node.error is None else [float(f"{node.error:.3g}")]
        return [names.setdefault(name, len(names)), *values, children, *error]

    tree = packed("all", root)
    content: dict[str, object] = {"unit": unit, "differential": differential}
    content |= {"tree": tree, "names": list(map(printable, names))}
    above = ""
    if differential:
        content |= {"scale": (scale := _scale(root)), "sds": SDS}
        above = _verdict(root) + _legend(scale, unit, known=root.error is not None)
    # `</` would end the script element, `<!--` would open a comment in it
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    note = f" Frames below {100 * SMALLEST:g} % are left out." if left_out else ""
    note += "".join(f" {sentence}." for sentence in notes)
    colours = " A frame is as wide as the larger side." if differential else ""
    return (
        f'<figure class="flamegraph"><figcaption>{html.escape(title)}</figcaption>{above}'
        '<div class="flamegraph-tools"><label>Search <input type="search" placeholder="regular expression" '
        'spellcheck="false"></label><button type="button">Whole graph</button>'
        '<output></output></div><div class="flamegraph-frames" role="tree"></div>'
        f'<p class="flamegraph-detail" aria-live="polite">Click a frame to zoom.{colours}{note}</p>'
        '<p class="flamegraph-script">This graph needs JavaScript.</p>'
        f'<script type="application/json">{data}</script>'
        "</figure>"
    )
