"""When which block is measured: rounds over all blocks, ABBA inside a block, a budget of time. Pure."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.records.measurement import Side

T = TypeVar("T")


def first_side(pair: int) -> Side:
    """Side that runs first in pair number `pair` (from 0): ABBA, so that linear drift cancels over two."""
    return "base" if pair % 2 == 0 else "head"


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


class Budget:
    """A limit on the time that a run measures; it starts with the first question."""

    def __init__(self, limit_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._start: float | None = None

    def exhausted(self) -> bool:
        """Whether the time is up; the first call starts the clock."""
        left_s = self.left_s
        return left_s is not None and left_s <= 0

    @property
    def left_s(self) -> float | None:
        """Seconds left, None where there is no limit; the first question starts the clock."""
        if self._start is None:
            self._start = self._clock()
        return None if self._limit_s is None else self._limit_s - (self._clock() - self._start)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done in it takes no time of the budget."""
        began = self._clock()
        try:
            yield
        finally:
            if self._start is not None:
                self._start += self._clock() - began


class Schedule(Generic[T]):
    """The turns of some blocks, within a budget of time (None: without)."""

    def __init__(
        self, blocks: Sequence[T], active: Callable[[T], bool], limit_s: float | None = None
    ) -> None:
        self.blocks = tuple(blocks)
        self.budget = Budget(limit_s)
        self._active = active
        self._turns = turns(self.blocks, active)

    def next(self) -> T:
        """The block whose turn it is; raises StopIteration when none is active."""
        return next(self._turns)

    def active(self) -> list[T]:
        """The blocks that still need turns."""
        return [block for block in self.blocks if self._active(block)]
