"""A worker's share of a distributed run: its blocks one after the other, each with the machine to itself.

The family is that of the whole run, since every worker collects all of it. What a worker is not given is
neither planned nor measured here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.schedule import Patience, Schedule
from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.records.result import BlockResult, RunResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.pace import Site
    from pytest_ethrex_perf.gate.run import Run
    from pytest_ethrex_perf.gate.run_result import Results


class OneByOne:
    """Each block is a schedule of its own, and holds the machine for just as long.

    The budget of time and the patience are shared out over the run's blocks; what one leaves over goes to
    those after it.
    """

    def __init__(self) -> None:
        self._schedules: dict[Block, Schedule] = {}
        self._left_s = 0.0
        self._patience_left_s = 0.0

    @contextmanager
    def schedule(self, site: Site, block: Block) -> Iterator[Schedule]:
        """The schedule of `block` alone; the machine is taken first, so that nothing disturbs who has it."""
        if block in self._schedules:  # it is decided, and takes no more turns
            yield self._schedules[block]
            return
        try:
            try:
                site.machine.take()
            except MeasurementError as error:
                block.fail(str(error))
            else:
                site.plan([block])
            planned = [block] if block.is_open else []
            patience = Patience(self._patience_left_s + site.patience_s / len(site.blocks))
            schedule = Schedule(
                planned, site.is_active, self._share_s(site), patience, site.undecided(planned)
            )
            self._schedules[block] = schedule
            yield schedule
        finally:
            site.machine.release()
            finished = self._schedules.get(block)
            if finished is not None and finished.blocks:
                self._left_s = max(0.0, finished.budget.left_s or 0.0)
                self._patience_left_s = max(0.0, finished.patience.left_s)

    def _share_s(self, site: Site) -> float | None:
        budget_s = site.time_budget_s
        return None if budget_s is None else self._left_s + budget_s / len(site.blocks)

    @contextmanager
    def machine(self, site: Site) -> Iterator[None]:
        """Take the machine, and let go of it afterwards, whatever happened."""
        try:
            site.machine.take()
            yield
        finally:
            site.machine.release()


class WorkerMessage(Record, frozen=True, kw_only=True):
    """What a worker sends the controller, with the report of a test."""

    run: RunResult
    """Its run so far, without blocks."""
    measured: dict[int, BlockResult]
    """What it has not sent yet, by the block's number in the run."""
    unmeasured: tuple[BlockResult, ...] = ()
    """Every block of the run before it is measured, in order; sent once."""


class Outbox:
    """What a worker has measured and not sent yet."""

    def __init__(self, run: Run, results: Results) -> None:
        self._run = run
        self._results = results
        self._sent: set[Block] = set()
        self._introduced = False

    def next_message(self) -> WorkerMessage | None:
        """What is new since the last message; None if nothing is."""
        blocks = self._run.blocks
        new = [block for block in blocks if block.is_begun and block not in self._sent]
        if not new:
            return None
        self._sent.update(new)
        unmeasured = () if self._introduced else tuple(map(self._results.unmeasured, blocks))
        self._introduced = True
        measured = {blocks.index(block): self._results.block(block) for block in new}
        return WorkerMessage(
            run=msgspec.structs.replace(self._results.run(measured.values()), blocks=()),
            measured=measured,
            unmeasured=unmeasured,
        )
