"""One run: the family of everything that it judges, measured turn by turn until all is decided."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.archive import NotArchivedError
from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError, UsageError
from pytest_ethrex_perf.gate import cautions
from pytest_ethrex_perf.gate.block import Block
from pytest_ethrex_perf.gate.equipment import Equipment
from pytest_ethrex_perf.gate.explanation import Explainer
from pytest_ethrex_perf.gate.family import Family
from pytest_ethrex_perf.gate.launch import Launcher, MachineHold
from pytest_ethrex_perf.gate.mean import Mean
from pytest_ethrex_perf.gate.pace import Together
from pytest_ethrex_perf.gate.plan import NothingToDo
from pytest_ethrex_perf.gate.planner import Planner
from pytest_ethrex_perf.gate.policy import Policy
from pytest_ethrex_perf.gate.recorder import Recorder
from pytest_ethrex_perf.gate.result import block_result
from pytest_ethrex_perf.records.metric import TIMES
from pytest_ethrex_perf.replay import program_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.counters.choice import Chosen
    from pytest_ethrex_perf.gate.pace import Pace
    from pytest_ethrex_perf.gate.programs import Built
    from pytest_ethrex_perf.gate.schedule import Schedule, Undecided
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.request import Request


@dataclass(frozen=True, slots=True)
class Status:
    """Where a run stands, after each turn."""

    block: Block
    """Whose turn it was."""
    blocks: int
    decided: int
    left_s: float
    """Time left at the most."""
    worst: Block | None = None
    """The block that seems slowest so far, decided or not; None before there is any estimate."""
    news: tuple[str, ...] = ()
    """What this turn has shown of the plan: how far it goes on."""


class Run:
    """All blocks of one pytest run. `fix` says which; `measure` plans, measures and judges.

    `pace` says which blocks share a schedule (default: all), `run_id` what the workers of one distributed run
    have in common. `on_turn` is given the status after each turn, `say` what else people should know, in
    sentences, `show` the lines that a build prints. `label` says who we are to those who wait for us.
    `built` is what was built for this run elsewhere. Raises `UsageError` for a revision that there is not.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pace: Pace | None = None,
        run_id: str | None = None,
        label: str | None = None,
        on_turn: Callable[[Status], None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
        show: Callable[[str], None] = lambda _: None,
        built: Built | None = None,
    ) -> None:
        self.settings = settings
        self.machine = MachineHold(settings, say, run_id, label)
        self.equipment = Equipment(
            settings, hold=self.machine.take, say=say, show=show, run_id=run_id, built=built
        )
        self.planner = Planner(self.equipment)
        self.began = dt.datetime.now(dt.UTC)
        self.policy = Policy(settings, self.began.date())
        self.family = Family(settings)
        self.mean: Mean | None = None
        self.started = False
        """Whether anything was asked for: a run of which nothing was has no result."""
        self._pace = pace or Together()
        self._on_turn = on_turn
        self._say = say
        self._recorder = Recorder(self.equipment)
        self._blocks: dict[Request, Block] = {}

    @property
    def blocks(self) -> list[Block]:
        """Every block that is measured here, in the order in which the run has them."""
        return list(self._blocks.values())

    def block(self, request: Request) -> Block:
        """The block of `request`; raises KeyError for one that is not in the family."""
        return self._blocks[request]

    @property
    def time_budget_s(self) -> float | None:
        """How long the run may measure; None: as long as it takes."""
        return self.settings.time_budget

    @property
    def patience_s(self) -> float:
        """How long the run may go on beyond its ordinary plan; a plan by hand never does."""
        return self.settings.patience

    def fix(
        self, requests: Iterable[Request], mean: Iterable[Request] = (), elsewhere: Iterable[Request] = ()
    ) -> None:
        """Fix the family: alpha is spent over the gatings of `requests` and over the mean of `mean`.

        Those `elsewhere` belong to the family as well: other shards measure them.
        """
        self.family = Family.of(self.settings, requests, mean, elsewhere)
        self._blocks = {
            request: Block(request, {gating: self.family.rules(gating) for gating in request.gatings})
            for request in self.family.requests
        }

    # --- measuring ------------------------------------------------------------------------------------------

    def measure(self, request: Request) -> Block:
        """Advance the schedule until the block of `request` is decided.

        Raises `MeasurementError` if it could not be measured, `NothingToDo` if it need not be, and
        `NoAnswerError` where no block can be.
        """
        self.started = True
        self.equipment.programs.build()
        block = self._blocks[request]
        with self._answering(), self._pace.schedule(self, block) as schedule:
            if block.skipped is not None:
                raise NothingToDo(block.skipped)
            self._advance(schedule, lambda: block.decided)
            if block.error is not None:
                raise MeasurementError(block.error)
            self._explain(block, schedule)
        return block

    def measure_mean(self) -> None:
        """Advance until the mean over blocks is decided; raises `MeasurementError` if a block is missing."""
        self.started = True
        self.equipment.programs.build()
        blocks = [self._blocks[request] for request in self.family.mean]
        with self._answering(), self._pace.schedule(self, blocks[0]) as schedule:
            for block in blocks:
                if block.skipped is not None:
                    raise NothingToDo(block.skipped)
            self._advance(schedule, lambda: self.mean is None or self.mean.decided)
        for block in blocks:
            if block.error is not None:
                raise MeasurementError(f"no mean over blocks without {block.id}: {block.error}")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Make what a program does that is no ethrex-replay the error of every block that waits for it."""
        try:
            yield
        except NoAnswerError as error:
            for block in self.blocks:
                if not block.samples_taken and block.skipped is None:
                    block.fail(str(error))
            raise

    def replay(self, block: BlockId, repeat: int) -> Invocation:
        """One invocation of the program under test, measured and judged by nobody."""
        self.equipment.programs.build()
        self.equipment.cache(block)
        with self._pace.machine(self):
            return self._launch(self.equipment.head, block, repeat=repeat, label="replay", turn=0)

    def _advance(self, schedule: Schedule, done: Callable[[], bool]) -> None:
        while not done():
            block = None if schedule.budget.exhausted() else schedule.next()
            if block is None:
                self._finish(schedule)
                return
            was_decided = block.decided
            block.take_turn(self._launch, keep_counting=self._mean_counts(block))
            if block.decided and not was_decided:
                self._verify(block)
            if self.mean is not None and self.mean.judge():
                for each in self.mean.blocks:  # once more: the decided ones have gone on
                    self._verify(each)
            self._record(block)
            self._on_turn(self._status(block, schedule))

    def _finish(self, schedule: Schedule) -> None:
        for block in schedule.blocks:
            block.finish()
            self._verify(block)
        if self.mean is not None:
            self.mean.judge(final=True)

    def _verify(self, block: Block) -> None:
        """What was measured is an error if its files are not what they were at the start."""
        for program in (block.plan.head, block.plan.base):
            if program is None or block.error is not None:
                return
            try:
                self._launch.verify(program, block.id)
            except MeasurementError as error:
                block.fail(str(error))
        clause = block.plan.base and program_kinds.uncovered(block.plan.base)
        contradiction = next(cautions.departures(block), None) if clause else None
        if contradiction is not None:
            block.fail(f"{block.id}: {contradiction}; base {clause}, and may be another program now")

    def is_active(self, block: Block) -> bool:
        """Whether `block` needs turns of the ordinary plan, for itself or for the mean over blocks."""
        waits = self.mean is not None and block in self.mean.blocks and self.mean.in_ordinary_plan
        return block.error is None and (block.in_ordinary_plan or waits)

    def undecided(self, blocks: Sequence[Block]) -> list[Undecided]:
        """What the measuring of these may decide beyond the ordinary plan: each, and the mean over all."""
        mean = self.mean
        return [*blocks, mean] if mean is not None and set(mean.blocks) <= set(blocks) else [*blocks]

    def _mean_counts(self, block: Block) -> bool:
        """Whether the mean over blocks still waits for counts of this block."""
        waits = self.mean is not None and block in self.mean.blocks and not self.mean.decided
        return waits and not set(self.family.mean_metrics) <= set(TIMES)

    def _status(self, block: Block, schedule: Schedule) -> Status:
        return Status(
            block=block,
            blocks=len(schedule.blocks),
            decided=sum(each.decided for each in schedule.blocks),
            left_s=schedule.left_s,
            worst=max(
                (each for each in schedule.blocks if each.change is not None), key=_change, default=None
            ),
            news=tuple(block.asks_for()),
        )

    # --- planning -------------------------------------------------------------------------------------------

    @cached_property
    def _launch(self) -> Launcher:
        return Launcher(self.equipment, self.counters or self.equipment.counters())

    @property
    def counters(self) -> Chosen | None:
        """What the run counts with; None where what is to be judged by counts can't be counted."""
        return None if self._uncountable is not None else self.equipment.counters(self.family.counts)

    @cached_property
    def _uncountable(self) -> str | None:
        """Why what is to be judged by counts can't be counted."""
        try:
            self.equipment.counters(self.family.counts)
        except UsageError as error:
            return str(error)
        return None

    def plan(self, blocks: Iterable[Block]) -> None:
        """Plan these, or note in them why there is no plan; then the mean over blocks can be begun."""
        for block in blocks:
            self._plan(block)
        mean = [self._blocks[request] for request in self.family.mean]
        if mean and all(block.is_planned for block in mean):
            rules = {metric: self.family.mean_rules(metric) for metric in self.family.mean_metrics}
            self.mean = Mean(mean, rules)

    def _plan(self, block: Block) -> None:
        request = block.request
        if request.counts and self._uncountable is not None:
            block.fail(self._uncountable)
            return
        try:
            block.measure_by(self.planner.plan(request, request.repeat or self._repeat(request)))
        except NothingToDo as reason:
            block.skip(str(reason))
        except NoAnswerError:
            raise
        except (MeasurementError, UsageError) as error:
            block.fail(str(error))

    def _repeat(self, request: Request) -> int:
        """`--ethrex-repeat auto`: the baseline's, or else what a short pilot finds best."""
        recorded = self.planner.recorded_repeat(request)
        if recorded is not None:
            return recorded
        self.equipment.cache(request.block)
        self.machine.take()
        chosen = self._launch.pilot(request.block, request.drop)
        self._say(f"{request.block}: {chosen}")
        return chosen.repeats

    # --- what follows ---------------------------------------------------------------------------------------

    def _record(self, block: Block) -> None:
        """Write the session of a block that has all its invocations; a refused one is the block's error."""
        if block.plan.mode != "record" or not block.decided or block.error or block.recorded:
            return
        try:
            block.note_recorded(self._recorder.record(block.plan, block.invocations))
        except MeasurementError as error:
            block.fail(str(error), refused=True)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(
            self.settings, cache_dir=self.equipment.cache_dir, secrets=self.equipment.secrets, say=self._say
        )

    def _explain(self, block: Block, schedule: Schedule) -> None:
        """Find out where the time of a decided block goes, once; the machine is still ours."""
        if block.findings is None and self._explainer.wanted(block, self.policy):
            with schedule.budget.paused():
                findings = self._explainer.findings(block.plan, block_result(block, self.policy))
            block.note_findings(findings)

    def close(self) -> None:
        """Let go of the machine; keep what may be accepted from a results file."""
        self.machine.release()
        measured = any(block.samples_taken and not block.error for block in self.blocks)
        if measured and "json" in self.settings.written and not self.settings.recording:
            try:
                self._recorder.keep(self.equipment.head)
            except NotArchivedError as reason:
                self._say(f"head is not kept in the archive: {reason}")


def _change(block: Block) -> float:
    return block.change or 0.0
