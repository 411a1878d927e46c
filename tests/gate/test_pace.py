"""Which blocks share a schedule, and for how long the machine is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.block import Block
from pytest_ethrex_perf.gate.pace import Together
from pytest_ethrex_perf.gate.worker import OneByOne
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Machine:
    """A machine that says who took it and let go of it."""

    def __init__(self, *, busy: bool = False) -> None:
        self.events: list[str] = []
        self._busy = busy

    def take(self) -> None:
        self.events.append("take")
        if self._busy:
            raise MeasurementError("another run measures on this machine")

    def release(self) -> None:
        self.events.append("release")


class Site:
    """Two blocks that plan at once and are never decided."""

    def __init__(self, machine: Machine, time_budget_s: float | None = None) -> None:
        self.machine = machine
        self.time_budget_s = time_budget_s
        self.blocks = [Block(Request(BlockId("hoodi", number), 5, 1, ()), {}) for number in (1, 2)]
        self.planned: list[Block] = []

    patience_s = 60.0

    def undecided(self, blocks: Sequence[Block]) -> Sequence[Block]:
        return blocks

    def plan(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self.planned.append(block)
            block.measure_by(object())  # type: ignore[arg-type] # nothing of the plan is looked at here

    def is_active(self, block: Block) -> bool:
        return block.error is None


def test_together_plans_every_block_before_the_first_is_measured() -> None:
    site = Site(machine := Machine())
    pace = Together()
    with pace.schedule(site, site.blocks[1]) as first:
        assert site.planned == site.blocks
        assert list(first.blocks) == site.blocks
    with pace.schedule(site, site.blocks[0]) as second:
        assert second is first
    assert machine.events == ["take"], "the machine is kept to the end of the run"


def test_together_a_machine_that_is_never_free_is_every_blocks_error() -> None:
    site = Site(Machine(busy=True))
    with Together().schedule(site, site.blocks[0]):
        assert [block.error for block in site.blocks] == ["another run measures on this machine"] * 2


def test_one_by_one_a_block_is_planned_when_its_turn_comes_with_the_machine_in_hand() -> None:
    site = Site(machine := Machine())
    pace = OneByOne()
    with pace.schedule(site, site.blocks[1]) as schedule:
        assert site.planned == [site.blocks[1]]
        assert list(schedule.blocks) == [site.blocks[1]]
        assert machine.events == ["take"]
    assert machine.events == ["take", "release"]


def test_one_by_one_the_machine_is_let_go_whatever_happens() -> None:
    site = Site(machine := Machine())
    with pytest.raises(MeasurementError, match="trouble"), OneByOne().schedule(site, site.blocks[0]):
        raise MeasurementError("trouble")
    assert machine.events == ["take", "release"]


def test_one_by_one_a_machine_that_is_never_free_is_this_blocks_error() -> None:
    site = Site(Machine(busy=True))
    with OneByOne().schedule(site, site.blocks[0]):
        assert site.planned == []
    assert [block.error for block in site.blocks] == ["another run measures on this machine", None]


def test_one_by_one_the_time_is_shared_out_and_what_is_left_goes_to_the_next() -> None:
    site = Site(Machine(), time_budget_s=1000.0)
    pace = OneByOne()
    left = []
    for block in site.blocks:
        with pace.schedule(site, block) as schedule:
            left.append(schedule.budget.left_s or 0.0)
    assert 0 < left[0] <= 500
    assert 500 < left[1] <= 1000


def test_one_by_one_patience_is_shared_out_and_what_is_left_goes_to_the_next() -> None:
    site = Site(Machine())
    pace = OneByOne()
    left = []
    for block in site.blocks:
        with pace.schedule(site, block) as schedule:
            left.append(schedule.patience.left_s)
            schedule.patience.left_s -= 10
    assert left == [30, 50]
