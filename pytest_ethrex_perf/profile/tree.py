"""Both sides' stacks as one tree of frames: what a results file keeps, and flamegraphs are drawn from.

What is too small to be seen is added to its caller, so that the sums of every frame that is left are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_ethrex_perf.profile.stacks import Frames
    from pytest_ethrex_perf.records.profile import StackFrame

SMALLEST = 0.0005
"""Frames with less than this fraction of the whole are added to their callers."""
MOST = 3000
"""Frames at most, some 100 KB in a results file: where there are more, larger ones go to their callers."""
_DEEPEST = 400  # frames of a stack: `perf script` is asked for 255 at most
_DIGITS = 4  # of ms: 0.1 µs


class _Node:
    """A frame below one path of callers: what it spent itself, and with everything below it."""

    __slots__ = ("base", "below", "children", "head")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.base = self.head = self.below = 0.0


def pack(
    base: Mapping[Frames, float], head: Mapping[Frames, float], *, most: int = MOST
) -> tuple[tuple[str, ...], tuple[StackFrame, ...]]:
    """Names and frames of a tree, from ms by stack, root first; see `results.BlockProfile`."""
    root = _Node()
    for frames in sorted({*base, *head}):
        old, new = base.get(frames, 0.0), head.get(frames, 0.0)
        node = root
        node.below += max(old, new)
        for frame in frames:
            node = node.children.setdefault(frame, _Node())
            node.below += max(old, new)
        node.base += old
        node.head += new
    smallest = SMALLEST * root.below
    while sum(1 for _ in _kept(root, smallest)) > most and smallest <= root.below:
        smallest *= 1.5
    names: dict[str, int] = {}
    taken = [
        (above, names.setdefault(name, len(names)), round(old, _DIGITS), round(new, _DIGITS))
        for above, name, old, new in _kept(root, smallest)
    ]
    return tuple(names), tuple(taken)


def _kept(root: _Node, smallest: float) -> Iterator[tuple[int, str, float, float]]:
    """Index of the caller, name, base and head of each frame that is large enough, callers first."""
    waiting = [(-1, name, node) for name, node in sorted(root.children.items(), reverse=True)]
    number = 0
    while waiting:
        above, name, node = waiting.pop()
        kept = {called: child for called, child in node.children.items() if child.below >= smallest}
        small = [child for called, child in node.children.items() if called not in kept]
        yield (
            above,
            name,
            node.base + sum(_total(child, "base") for child in small),
            node.head + sum(_total(child, "head") for child in small),
        )
        waiting += [(number, called, child) for called, child in sorted(kept.items(), reverse=True)]
        number += 1


def _total(node: _Node, side: str) -> float:
    """What `node` and everything below it spent on one side."""
    total, waiting = 0.0, [node]
    while waiting:
        node = waiting.pop()
        total += getattr(node, side)
        waiting += node.children.values()
    return total


def paths(names: Sequence[str], frames: Sequence[StackFrame]) -> list[Frames]:
    """The path to each of `frames`, from its thread; () for one whose caller or name is not there."""
    found: list[Frames] = []
    for number, (above, name, *_) in enumerate(frames):
        if not -1 <= above < number or not 0 <= name < len(names):
            found.append(())
            continue
        path = found[above] if above >= 0 else ()
        found.append((*path, names[name]) if len(path) < _DEEPEST else path)
    return found


def unpack(
    names: Sequence[str], frames: Sequence[StackFrame]
) -> tuple[dict[Frames, float], dict[Frames, float]]:
    """Ms by stack of base and of head; frames that name a caller or a name that is not there are left out."""
    base: dict[Frames, float] = {}
    head: dict[Frames, float] = {}
    for path, (_, _, old, new) in zip(paths(names, frames), frames, strict=True):
        if not path:
            continue
        for side, value in ((base, old), (head, new)):
            if value:
                side[path] = side.get(path, 0.0) + value
    return base, head
