"""One worker's share of a distributed run: its blocks one after the other, each with the machine to itself.

The family is that of the whole run, since every worker collects all of it. What a worker is not given is
neither planned nor measured here.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate import schedule
from pytest_ethrex_perf.gate.run import Campaign
from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.records.result import BlockResult, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.block import Gate
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.request import Request


class Told(Record, frozen=True, kw_only=True):
    """What a worker tells the controller, with the report of a test."""

    run: RunResult
    """Its run so far, without blocks."""
    measured: dict[int, BlockResult]
    """What it has not told yet, by the block's number in the run."""
    unmeasured: tuple[BlockResult, ...] = ()
    """Every block of the run before it is measured, in order; told once."""


class WorkerCampaign(Campaign):
    """The blocks of a run of which this process is given some; `run` is what its workers have in common.

    Each block is a schedule of its own, and holds the machine for just as long. The budget of time is shared
    out over the run's blocks; what one leaves over goes to those that this worker measures after it.
    """

    def __init__(self, settings: Settings, run: str, *, say: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(settings, say=say)
        self._run = run
        self._untold: dict[Request, None] = {}
        self._asked: set[Request] = set()
        self._introduced = self._waited = False
        self._left_s = 0.0
        self._deadline: float | None = None

    def measure(self, request: Request) -> Gate:
        """Measure the block of `request` until it is decided; raises as `Campaign.measure` does."""
        if request in self._asked:
            return super().measure(request)
        self._asked.add(request)
        self._untold[request] = None
        with self._turn():
            self._begin(request)
            return super().measure(request)

    def replay(self, block: BlockId, repeat: int) -> Invocation:
        """One invocation, judged by nobody; raises as `Campaign.replay` does."""
        with self._turn():
            return super().replay(block, repeat)

    def news(self) -> Told | None:
        """What the controller was not told yet; None if there is nothing."""
        if not self._untold:
            return None
        new = list(self._untold)
        self._untold.clear()
        unmeasured = () if self._introduced else tuple(map(self._unmeasured, self._requests))
        self._introduced = True
        return Told(
            run=self.run_result(()),
            measured={self._requests.index(request): self.result(request) for request in new},
            unmeasured=unmeasured,
        )

    def _prepare(self) -> dict[Request, Gate]:
        """The gates so far: a block is planned when its turn comes."""
        if self._gates is None:
            self._gates = {}
            self._choose_counters()
        return self._gates

    def _begin(self, request: Request) -> None:
        """Take the machine, then plan: that reads, hashes and tries counters while nobody measures."""
        try:
            self._hold()
        except MeasurementError as error:
            self._errors[request] = str(error)
            return
        gates = self._prepare()
        if request not in self._errors:
            self._plan(request, gates)
        if request in gates:
            limit = self.settings.get("time_budget")
            if limit is not None:
                limit = self._left_s + limit / len(self._requests)
                self._deadline = time.monotonic() + limit
            self._budget = schedule.Budget(limit)
            self._turns = schedule.turns([gates[request]], self._active)

    def _profile(self, request: Request, gate: Gate) -> None:
        """Profile as any run does; that takes nothing of the blocks' time here, either."""
        began = time.monotonic()
        super()._profile(request, gate)
        if self._deadline is not None:
            self._deadline += time.monotonic() - began

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let go of the machine afterwards, whatever happened, and keep what is left of the time."""
        try:
            yield
        finally:
            self._held.close()
            self._holds = False
            if self._deadline is not None:
                self._left_s = max(0.0, self._deadline - time.monotonic())
                self._deadline = None

    def _machine(self) -> AbstractContextManager[object]:
        return self.planner.hold_machine(self._say_once, self._run)

    def _say_once(self, sentence: str) -> None:
        """A run that measures for long is waited for with each block anew: it is said once."""
        if not self._waited:
            self._waited = True
            self._say(sentence)
