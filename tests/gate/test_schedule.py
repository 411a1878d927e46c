"""For how long what is measured: a budget of time, the ordinary plan, patience beyond it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.gate.schedule import Budget, Patience, Schedule, seconds_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.gate.block import Block


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_starts_with_the_first_question() -> None:
    clock = Clock()
    budget = Budget(10, clock)
    clock.now += 1000
    assert not budget.exhausted()
    clock.now += 9.9
    assert not budget.exhausted()
    clock.now += 0.1
    assert budget.exhausted()


def test_no_limit_lasts_for_ever() -> None:
    clock = Clock()
    budget = Budget(None, clock)
    assert not budget.exhausted()
    clock.now += 1e9
    assert not budget.exhausted()


def test_what_is_done_while_it_is_paused_takes_nothing_of_a_budget() -> None:
    clock = Clock()
    budget = Budget(10, clock)
    with budget.paused():  # not begun yet: nothing to pause
        clock.now += 1000
    assert not budget.exhausted()
    clock.now += 9
    with budget.paused():
        clock.now += 1000
    assert not budget.exhausted()
    clock.now += 1
    assert budget.exhausted()


@dataclass(eq=False)
class Measured:
    """A block whose plan asks for so many turns, 24 of them ordinary, of so many seconds each."""

    name: str
    samples_planned: int
    seconds_a_turn: float = 1.0
    decided_at: int | None = None
    samples_taken: int = 24
    samples_ordinary: int = 24

    @property
    def decided(self) -> bool:
        return self.samples_taken >= min(self.samples_planned, self.decided_at or self.samples_planned)

    @property
    def in_ordinary_plan(self) -> bool:
        return not self.decided and self.samples_taken < self.samples_ordinary

    @property
    def seconds_of_last_turn(self) -> float:
        return self.seconds_a_turn

    def turns_left(self) -> dict[Any, int]:
        return {self: self.samples_planned - self.samples_taken}


@dataclass
class Together:
    """A mean over blocks that asks for so many rounds."""

    blocks: Sequence[Measured]
    planned: int
    turns: list[str] = field(default_factory=list)

    @property
    def decided(self) -> bool:
        return all(block.samples_taken >= self.planned for block in self.blocks)

    def turns_left(self) -> dict[Any, int]:
        return {block: max(self.planned - block.samples_taken, 0) for block in self.blocks}


def run(patience: Patience, *candidates: Any) -> str:
    """Take the turns beyond the plan; their order, as the names of the blocks."""
    order = ""
    for turn in patience.turns(candidates):
        block = cast("Measured", turn)
        order += block.name
        block.samples_taken += 1
    return order


def test_without_patience_nothing_goes_on() -> None:
    assert run(Patience(0), Measured("A", 36)) == ""


def test_who_needs_the_least_time_goes_first() -> None:
    slow, far, near = Measured("S", 26, seconds_a_turn=5), Measured("F", 34), Measured("N", 27)
    assert run(Patience(1000), slow, far, near) == "N" * 3 + "S" * 2 + "F" * 10


def test_what_is_decided_early_leaves_its_time_to_the_others() -> None:
    early, other = Measured("E", 84, decided_at=30), Measured("O", 120)
    assert run(Patience(102), early, other) == "E" * 6 + "O" * 96


def test_who_need_more_than_there_is_share_it_alike() -> None:
    blocks = [Measured(name, 900) for name in "AB"]
    assert run(Patience(100), *blocks) == "A" * 50 + "B" * 50


def test_a_share_that_is_left_over_goes_to_those_who_are_still_undecided() -> None:
    first, second = Measured("A", 900), Measured("B", 901, decided_at=34)
    assert run(Patience(100), first, second) == "A" * 50 + "B" * 10 + "A" * 40


def test_the_mean_over_blocks_takes_whole_rounds() -> None:
    blocks = [Measured("A", 24), Measured("B", 24, samples_taken=25)]
    assert run(Patience(100), *blocks, Together(blocks, 27)) in ("AABAB", "ABAAB", "AABBA", "ABABA")


@given(
    st.floats(0.5, 200),
    st.lists(st.tuples(st.integers(25, 90), st.floats(0.1, 9), st.integers(25, 90)), min_size=1, max_size=5),
)
def test_patience_ends_after_its_time_or_when_all_is_decided(
    limit_s: float, plans: list[tuple[int, float, int]]
) -> None:
    blocks = [Measured("ABCDE"[n], planned, s, at) for n, (planned, s, at) in enumerate(plans)]
    patience = Patience(limit_s)
    run(patience, *blocks)
    spent = sum((block.samples_taken - 24) * block.seconds_a_turn for block in blocks)
    assert all(block.decided for block in blocks) or spent >= limit_s - 1e-6
    longest = max(block.seconds_a_turn for block in blocks)
    assert spent <= limit_s + longest + 1e-6, "the last turn may end late"


def schedule(*blocks: Measured, limit_s: float | None = None, patience_s: float = 0) -> Schedule:
    planned = cast("tuple[Block, ...]", blocks)
    return Schedule(planned, lambda block: block.in_ordinary_plan, limit_s, Patience(patience_s), planned)


def test_further_turns_follow_the_ordinary_plan_of_all() -> None:
    blocks = [Measured(name, 26, samples_taken=22) for name in "AB"]
    times = schedule(*blocks, patience_s=100)
    order = ""
    while (turn := times.next()) is not None:
        block = cast("Measured", turn)
        order += block.name
        block.samples_taken += 1
    assert order == "ABBA" + "AABB"


def test_the_time_left_is_that_of_the_plan_and_of_patience_within_the_budget() -> None:
    ordinary, further = Measured("A", 24, samples_taken=20), Measured("B", 124, seconds_a_turn=2.0)
    assert schedule(ordinary, further).left_s == 4
    assert schedule(ordinary, further, patience_s=50).left_s == 4 + 50
    assert schedule(ordinary, further, patience_s=900).left_s == 4 + 200
    times = schedule(ordinary, further, patience_s=900, limit_s=100)
    assert 99 < times.left_s <= 100


def test_nothing_is_left_of_what_is_decided() -> None:
    assert seconds_left(cast("Any", Measured("A", 90, decided_at=24))) == 0
