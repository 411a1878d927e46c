"""Flamegraphs as one piece of HTML each: no other file, no network; zoom by click, search as you type.

A frame of a differential flamegraph is as wide as the larger of both sides, so that what is gone is still
seen; red grew, blue shrank.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile.names import printable
from pytest_ethrex_perf.profile.stacks import cut_off, cut_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_ethrex_perf.profile.stacks import Frames

SMALLEST = 0.0005
"""Frames narrower than this fraction of the whole are left out, or the file would be megabytes."""
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

    __slots__ = ("base", "children", "head", "width")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.base = self.head = self.width = 0.0


def graph(title: str, stacks: Mapping[Frames, float], *, unit: str = "samples") -> str:
    """One flamegraph as a `<figure>`; `style()` and `script()` belong on its page once.

    `stacks` are values in `unit` by stack, root first. Below it stand only the frames that are wide enough to
    be seen (`SMALLEST`).
    """
    notes = filter(None, [cut_sentence(cut_off(stacks))])
    return _figure(title, _tree({}, stacks), unit, notes, differential=False)


def differential(
    title: str, base: Mapping[Frames, float], head: Mapping[Frames, float], *, unit: str = "ms"
) -> str:
    """Base against head as a `<figure>`, both in `unit` per block so that they can be compared."""
    sides = (("base's ", base), ("head's ", head))
    notes = filter(None, (cut_sentence(cut_off(stacks), whose) for whose, stacks in sides))
    return _figure(title, _tree(base, head), unit, notes, differential=True)


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
        for frame in (None, *frames):
            if frame is not None:
                node = node.children.setdefault(frame, _Node())
            node.base += old
            node.head += new
            node.width += max(old, new)
    return root


def _figure(title: str, root: _Node, unit: str, notes: Iterable[str], *, differential: bool) -> str:
    names: dict[str, int] = {}
    left_out: Counter[str] = Counter()

    def packed(name: str, node: _Node) -> list[object]:
        """[name, width, base, head, children]; children by name, as flamegraphs are."""
        children = []
        for child_name, child in sorted(node.children.items()):
            if child.width >= SMALLEST * root.width:
                children.append(packed(child_name, child))
            else:
                left_out["frames"] += 1
        values = [float(f"{value:.5g}") for value in (node.width, node.base, node.head)]
        return [names.setdefault(name, len(names)), *values, children]

    tree = packed("all", root)
    content = {"unit": unit, "differential": differential, "tree": tree, "names": list(map(printable, names))}
    # `</` would end the script element, `<!--` would open a comment in it
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    note = f" Frames below {100 * SMALLEST:g} % are left out." if left_out else ""
    note += "".join(f" {sentence}." for sentence in notes)
    colours = " Red grew, blue shrank; a frame is as wide as the larger side." if differential else ""
    return (
        f'<figure class="flamegraph"><figcaption>{html.escape(title)}</figcaption>'
        '<div class="flamegraph-tools"><label>Search <input type="search" placeholder="regular expression" '
        'spellcheck="false"></label><button type="button">Whole graph</button>'
        '<output></output></div><div class="flamegraph-frames" role="tree"></div>'
        f'<p class="flamegraph-detail" aria-live="polite">Click a frame to zoom.{colours}{note}</p>'
        f'<noscript>This graph needs JavaScript.</noscript><script type="application/json">{data}</script>'
        "</figure>"
    )
