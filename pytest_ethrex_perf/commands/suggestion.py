"""A small set of blocks that covers what many hold: low, middle, high and most of all that is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.embedded.census import Census
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.replay.contents import Contents

Counts = dict[str, float | None]
"""What is counted of a block, by name; None where it is not known."""
_LEVELS = ("low", "middle", "high")
_MOST = "most"


class Band(NamedTuple):
    """A part of the values of one count: `gas`, `high`."""

    counted: str
    level: str

    def __str__(self) -> str:
        return f"{self.level} {self.counted}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A block that was chosen, and what it is the first to cover."""

    block: BlockId
    covers: tuple[Band, ...]


def counts(contents: Contents, census: Census | None) -> Counts:
    """Return what is counted of a block: from its file, and what it executes where that is known.

    What a block executes replaces what its transactions show of it.
    """
    own: Counts = {"gas": contents.gas, "txs": contents.txs}
    if census is None:
        own |= {"slots": contents.slots, "creations": contents.creations, "precompiles": contents.precompiles}
    else:
        opcodes = census.opcodes
        own |= {
            "reads": opcodes["SLOAD"],
            "writes": opcodes["SSTORE"],
            "creations": contents.creations + opcodes["CREATE"] + opcodes["CREATE2"],
            "precompiles": census.precompiles.total(),
            "opcodes": opcodes.total(),
        }
    return own | {"witness": contents.witness_bytes}


def execute(contents: Contents) -> Census | str:
    """Return what a block executes, or why that is not known."""
    from pytest_ethrex_perf.embedded import census

    try:
        return census.take(contents.path)
    except MeasurementError as error:
        return str(error)


def bands(counted: Mapping[BlockId, Counts]) -> dict[BlockId, frozenset[Band]]:
    """Return the bands that each block is in: of each count a third, and `most` for the largest value.

    A third is one of the blocks by their order: equal values are in the same one, the smallest is low, the
    largest high. What is alike in all blocks has no bands.
    """
    names = dict.fromkeys(name for each in counted.values() for name in each)
    found: dict[BlockId, set[Band]] = {block: set() for block in counted}
    for name in names:
        values = {block: value for block, each in counted.items() if (value := each.get(name)) is not None}
        ordered = sorted(values.values())
        if len(set(ordered)) <= 1:
            continue
        for block, value in values.items():
            found[block].add(Band(name, _level(value, ordered)))
            if value == ordered[-1]:
                found[block].add(Band(name, _MOST))
    return {block: frozenset(each) for block, each in found.items()}


def _level(value: float, ordered: Sequence[float]) -> str:
    if value == ordered[0]:
        return "low"
    if value == ordered[-1]:
        return "high"
    # the middle of the places that this value has, from 0 to 1
    place = (ordered.index(value) + len(ordered) - 1 - ordered[::-1].index(value)) / 2
    return _LEVELS[min(2, int(3 * place / (len(ordered) - 1)))]


def choose(counted: Mapping[BlockId, Counts], count: int) -> list[Choice]:
    """Return at most `count` blocks, each the one that covers most of what the ones before it don't.

    Greedy, which covers at least 1 - 1/e of what any such set can (Nemhauser, Wolsey & Fisher 1978). Among
    equals the one with more gas goes first, then by name. It ends early where nothing more is to be covered.
    """
    left = bands(counted)
    covered: set[Band] = set()
    chosen: list[Choice] = []
    while left and len(chosen) < count:
        block = max(sorted(left), key=lambda each: (len(left[each] - covered), counted[each]["gas"] or 0))
        fresh = left.pop(block) - covered
        if chosen and not fresh:
            break
        covered |= fresh
        chosen.append(Choice(block, _in_order(fresh, counted[block])))
    return chosen


def _in_order(fresh: frozenset[Band], names: Counts) -> tuple[Band, ...]:
    order: Sequence[str] = list(names)
    return tuple(sorted(fresh, key=lambda band: (order.index(band.counted), band.level)))
