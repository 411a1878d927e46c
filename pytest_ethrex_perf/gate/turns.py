"""In which order blocks and sides take turns: rounds over all blocks, ABBA inside a block.

Three programs of a search take turns in rounds of their own. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.records.measurement import Side

T = TypeVar("T")


def first_side(pair: int) -> Side:
    """Side that runs first in pair number `pair` (from 0): ABBA, so that linear drift cancels over two."""
    return "base" if pair % 2 == 0 else "head"


def in_order(round_: int, first: T, second: T, third: T) -> tuple[T, T, T]:
    """Return the order of three in round number `round_` (from 0).

    Every second round mirrors the one before, so that linear drift cancels over two; over six, each order
    comes once, so that each of the three stands in each place twice.
    """
    orders = (
        (first, second, third),
        (third, second, first),
        (second, third, first),
        (first, third, second),
        (third, first, second),
        (second, first, third),
    )
    return orders[round_ % len(orders)]


def turns(blocks: Sequence[T], active: Callable[[T], bool]) -> Iterator[T]:
    """Yield the block whose turn it is until none is active, one turn a block in each round.

    Each round starts one block later than the round before, so that drift of the machine hits all alike.
    `active` is asked before each turn: a decided block drops out.
    """
    round_ = 0
    while any(active(block) for block in blocks):
        start = round_ % len(blocks)
        for block in (*blocks[start:], *blocks[:start]):
            if active(block):
                yield block
        round_ += 1
