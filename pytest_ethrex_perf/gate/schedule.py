"""When which block is measured and for how long: the ordinary plan, patience beyond it, a budget of time."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from pytest_ethrex_perf.gate.turns import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.gate.block import Block


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


class Undecided(Protocol):
    """What more pairs may decide: a block, or the mean over blocks."""

    @property
    def decided(self) -> bool:
        """Whether it needs nothing more."""
        ...

    def turns_left(self) -> Mapping[Block, int]:
        """The turns of each block up to the end of its plan, as far as that is known."""
        ...


class Patience:
    """So many seconds of turns beyond the ordinary plan; `left_s` of them are left.

    How many pairs an undecided plan asks for is fixed by the noise of its first look. Here it is only shared
    out what they cost: whoever needs the least time goes first, for it will most surely be decided.
    """

    def __init__(self, limit_s: float) -> None:
        self.left_s = limit_s

    def turns(self, candidates: Sequence[Undecided]) -> Iterator[Block]:
        """Yield the block whose turn it is, until all are decided or nothing is left.

        The candidate that needs the least time may take all that it needs. Those that need more than there is
        share it alike; what one of them leaves over goes to the others.
        """
        while self.left_s > 0:
            waiting = sorted((each for each in candidates if not each.decided), key=seconds_left)
            if not waiting:
                return
            for number, undecided in enumerate(waiting):
                fits = seconds_left(undecided) <= self.left_s
                share_s = self.left_s if fits else self.left_s / (len(waiting) - number)
                yield from self._turns_of(undecided, until_s=self.left_s - share_s)

    def _turns_of(self, undecided: Undecided, until_s: float) -> Iterator[Block]:
        while not undecided.decided and self.left_s > until_s:
            left = undecided.turns_left()
            block = max(left, key=lambda each: left[each])
            yield block
            self.left_s -= block.seconds_of_last_turn


def seconds_left(undecided: Undecided) -> float:
    """Seconds to the end of its plan, by what the turns of its blocks have taken; 0 of what is decided."""
    if undecided.decided:
        return 0.0
    return sum(turns * block.seconds_a_turn for block, turns in undecided.turns_left().items())


class Schedule:
    """The turns of some blocks: the ordinary plan's, and what `patience` has for the `undecided` beyond it.

    `active` is asked before each turn of the ordinary plan; `limit_s` is the budget of time, None without.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        active: Callable[[Block], bool],
        limit_s: float | None = None,
        patience: Patience | None = None,
        undecided: Sequence[Undecided] = (),
    ) -> None:
        self.blocks = tuple(blocks)
        self.budget = Budget(limit_s)
        self.patience = patience or Patience(0)
        self._active = active
        self._undecided = tuple(undecided)
        self._turns = chain(turns(self.blocks, active), self.patience.turns(self._undecided))

    def next(self) -> Block | None:
        """The block whose turn it is; None when there are no more turns."""
        return next(self._turns, None)

    @property
    def left_s(self) -> float:
        """Seconds left at the most, by what turns have taken: if nothing is decided before its last look."""
        measured = [block.seconds_a_turn for block in self.blocks if block.samples_taken]
        usual_s = sum(measured) / max(len(measured), 1)
        ordinary_s = sum(
            max(block.samples_ordinary - block.samples_taken, 0) * (block.seconds_a_turn or usual_s)
            for block in self.blocks
            if self._active(block)
        )
        beyond_s = sum(map(seconds_left, self._undecided)) - ordinary_s
        left_s = ordinary_s + min(max(beyond_s, 0.0), self.patience.left_s)
        budget_s = self.budget.left_s
        return left_s if budget_s is None else max(0.0, min(left_s, budget_s))
