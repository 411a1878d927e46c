"""One pytest run: the family of everything that it judges, one schedule for all of it, one result."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ethrex_perf import __version__
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.config.settings import check_limits, check_marker
from pytest_ethrex_perf.counters import probe
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.gate import pilot, schedule
from pytest_ethrex_perf.gate.block import Gate
from pytest_ethrex_perf.gate.explanation import Found, Profiling
from pytest_ethrex_perf.gate.mean import Suite
from pytest_ethrex_perf.gate.planner import NothingToDo, Planner
from pytest_ethrex_perf.gate.policy import settle
from pytest_ethrex_perf.host.machine import identify
from pytest_ethrex_perf.judge import family
from pytest_ethrex_perf.records.metric import TIMES, limits
from pytest_ethrex_perf.records.request import Gating, Request
from pytest_ethrex_perf.records.result import BlockResult, Outcome, RunResult, SuiteResult
from pytest_ethrex_perf.replay.instrument import NOTHING
from pytest_ethrex_perf.replay.invocation import invoke
from pytest_ethrex_perf.replay.redaction import Redactor, redact_url, redact_words, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.counters.choice import Chosen
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.decision import Decision, Rules
    from pytest_ethrex_perf.records.measurement import Invocation, Machine, Program

_NOTHING_FOUND = Found()
FIRST_TIMEOUT_S = 900.0  # nothing is known of the block yet
TIMEOUT_FACTOR, TIMEOUT_BASE_S = 10.0, 60.0  # afterwards: ten times the slowest so far, and a minute


@dataclass(frozen=True, slots=True)
class Status:
    """Where a run stands, after each turn."""

    gate: Gate
    blocks: int
    decided: int
    left_s: float
    """Time left at the most: if no block is decided before its last look."""


def _machine(settings: Settings) -> Machine:
    """This machine, and which perf it counts with: another one may be worth a warning."""
    found = identify(name=settings.get("machine"))
    if settings.get("counters") not in ("auto", "perf"):
        return found
    version = probe.version(settings.environ)
    if version is None:
        return found
    return msgspec.structs.replace(found, recorded={**found.recorded, "perf": version})


class Campaign:
    """All blocks of one pytest run. Requests are collected first; the first `measure` fixes nothing more.

    `on_turn` is told the status after each turn, `say` what else people should know, in sentences.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_turn: Callable[[Status], None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.planner = Planner(settings, _machine(settings))
        self._on_turn = on_turn
        self._say = say
        self._requests: list[Request] = []
        self._suite_requests: tuple[Request, ...] = ()
        self._suite: Suite | None = None
        self._family = 0
        self._gatings = family.Gatings(1.0, None)
        self._gates: dict[Request, Gate] | None = None
        self._errors: dict[Request, str] = {}
        self._skipped: dict[Request, str] = {}
        self._recorded: dict[Request, str] = {}
        self._slowest: dict[BlockId, float] = {}
        self._judged_counts: tuple[str, ...] = ()
        self._chosen: Chosen | None = None
        self._found: dict[Request, Found] = {}
        self._budget = schedule.Budget(settings.get("time_budget"))
        self._turns: Iterator[Gate] = iter(())
        self._turn_s: list[float] = []
        self._started = dt.datetime.now(dt.UTC)
        self._clock = time.monotonic()
        self._held = ExitStack()
        self._holds = False
        self._not_held: str | None = None

    @property
    def started(self) -> bool:
        """Whether anything was planned: a run of which nothing was asked has no result."""
        return self._gates is not None

    @cached_property
    def _profiling(self) -> Profiling:
        return Profiling(
            self.settings, cache_dir=self.planner.cache_dir, secrets=self.planner.secrets, say=self._say
        )

    # --- the family -----------------------------------------------------------------------------------------

    def request(self, block: BlockId, marker: Mapping[str, Any] | None = None) -> Request:
        """What a test with these marker keywords asks of `block`. Raises `UsageError`."""
        marker = marker or {}
        check_marker(marker)
        settings = self.settings
        repeat, drop = settings.get("repeat", block, None, marker), settings.get("drop", block, None, marker)
        if repeat != AUTO and repeat <= drop:
            raise UsageError(
                f"{block}: {repeat} repeats, the first {drop} dropped, leave nothing: raise --ethrex-repeat"
            )
        names = settings.get("metrics", block, None, marker)
        for name in names:
            check_limits(settings, block, name, marker)
        gatings = tuple(self._gating(name, block, marker) for name in names)
        return Request(block, None if repeat == AUTO else repeat, drop, gatings)

    def _gating(self, metric: str, block: BlockId | None, marker: Mapping[str, Any] | None = None) -> Gating:
        margin, tolerance, floor = (
            self.settings.get(limit, block, metric, marker) for limit in ("margin", "tolerance", "floor")
        )
        drift = limits(metric, callgrind=self.settings.get("counters") == "callgrind").drift
        return Gating(metric, margin, tolerance, floor, drift)

    def fix(
        self,
        requests: Iterable[Request],
        suite: Iterable[Request] = (),
        elsewhere: Iterable[Request] = (),
    ) -> None:
        """Fix the family: alpha is spent over the gatings of `requests` and over the mean of `suite`.

        Those `elsewhere` belong to the family as well: other shards measure them.
        """
        self._requests = list(dict.fromkeys(requests))
        self._suite_requests = tuple(dict.fromkeys(suite))
        whole = (*self._requests, *elsewhere)
        self._family = len({(r.block, r.repeat, r.drop, gating) for r in whole for gating in r.gatings})
        self._gatings = family.gatings(max(self._family, 1), len(self.suite_metrics()))
        self._judged_counts = tuple(sorted({metric for request in whole for metric in request.counts}))

    def suite_metrics(self) -> tuple[str, ...]:
        """Metrics whose mean over blocks is judged: those that every block of the suite is gated on."""
        if not self._suite_requests or self.planner.recording:
            return ()
        names = [gating.metric for gating in self._suite_requests[0].gatings]
        return tuple(
            name for name in names if all(name in {g.metric for g in r.gatings} for r in self._suite_requests)
        )

    def _rules(self, gating: Gating, gatings: float) -> Rules:
        return gating.rules(
            alpha=self.settings.get("alpha"), gatings=gatings, looks=self.settings.get("looks")
        )

    # --- measuring ------------------------------------------------------------------------------------------

    def measure(self, request: Request) -> Gate:
        """Advance the shared schedule until the block of `request` is decided.

        Raises `MeasurementError` if it could not be measured, `NothingToDo` if it need not be.
        """
        gates = self._prepare()
        if request in self._skipped:
            raise NothingToDo(self._skipped[request])
        if request in self._errors:
            raise MeasurementError(self._errors[request])
        gate = gates[request]
        self._advance(lambda: gate.decided)
        if gate.error is not None:
            raise MeasurementError(gate.error)
        self._profile(request, gate)
        return gate

    def _profile(self, request: Request, gate: Gate) -> None:
        """Find out where the time of a decided block goes, once; the machine is still ours."""
        recorded = self._recorded.get(request)
        if request in self._found or not self._profiling.wanted(gate, self._settle, recorded=bool(recorded)):
            return
        with self._budget.paused():
            result = gate.result(self._settle, recorded)
            self._found[request] = self._profiling.find_out(gate.plan, result)

    def measure_suite(self) -> None:
        """Advance until the mean over blocks is decided; raises `MeasurementError` if a block is missing."""
        gates = self._prepare()
        for request in self._suite_requests:
            if request in self._skipped:
                raise NothingToDo(self._skipped[request])
            if request in self._errors:
                raise MeasurementError(
                    f"no mean over blocks without {request.block}: {self._errors[request]}"
                )
        self._advance(lambda: self._suite is None or self._suite.decided)
        for request in self._suite_requests:
            if gates[request].error:
                raise MeasurementError(f"no mean over blocks without {request.block}: {gates[request].error}")

    def replay(self, block: BlockId, repeat: int) -> Invocation:
        """One invocation of the program under test, measured and judged by nobody."""
        self.planner.cache(block)
        self._hold()
        return self._invoke(self.planner.head, block, repeat=repeat, label="replay", turn=0)

    def _prepare(self) -> dict[Request, Gate]:
        """Plan every block before the first is measured: what is missing is found now."""
        if self._gates is not None:
            return self._gates
        self._gates = {}
        self._choose_counters()
        for request in self._requests:
            if request not in self._errors:
                self._plan(request, self._gates)
        suite = [self._gates[request] for request in self._suite_requests if request in self._gates]
        if suite and len(suite) == len(self._suite_requests):
            self._suite = Suite(suite, {name: self._suite_rules(name) for name in self.suite_metrics()})
        if self._gates:
            try:
                self._hold()
            except MeasurementError as error:  # every block's error, not the first one's alone
                self._errors |= dict.fromkeys(self._gates, str(error))
                self._gates.clear()
        self._turns = schedule.turns(list(self._gates.values()), self._active)
        return self._gates

    def _choose_counters(self) -> None:
        """What is counted with; what is to be judged by counts that can't be had gets its error."""
        try:
            self._chosen = self.planner.counters(self._judged_counts)
        except UsageError as error:
            self._errors |= {request: str(error) for request in self._requests if request.counts}

    def _suite_counts(self, request: Request) -> bool:
        """Whether the mean over blocks still waits for counts of this block."""
        waits = self._suite is not None and not self._suite.decided and request in self._suite_requests
        return waits and not set(self.suite_metrics()) <= set(TIMES)

    def _plan(self, request: Request, gates: dict[Request, Gate]) -> None:
        """Add the gate of `request` to `gates`, or keep the reason why there is none."""
        try:
            plan = self.planner.plan(request, request.repeat or self._chosen_repeat(request))
        except NothingToDo as reason:
            self._skipped[request] = str(reason)
        except (MeasurementError, UsageError) as error:
            self._errors[request] = str(error)
        else:
            rules = {gating: self._rules(gating, self._gatings.block) for gating in request.gatings}
            gates[request] = Gate(plan, rules, self._invoke)
            gates[request].keep_counting = partial(self._suite_counts, request)

    def _chosen_repeat(self, request: Request) -> int:
        """`--ethrex-repeat auto`: the baseline's, or else what a short pilot finds best."""
        known = self.planner.recorded_repeat(request)
        if known is not None:
            return known
        self.planner.cache(request.block)
        self._hold()
        taken = [
            self._invoke(
                self.planner.head,
                request.block,
                repeat=pilot.REPEATS,
                label=f"pilot-{number:03}",
                turn=number,
                count=False,
            )
            for number in range(1, pilot.INVOCATIONS + 1)
        ]
        return pilot.repeats(taken, request.drop)

    def _hold(self) -> None:
        """Take the machine: two gates on one host would measure each other."""
        if self._not_held is not None:  # waited in vain: not once more for every block
            raise MeasurementError(self._not_held)
        if not self._holds:
            try:
                self._held.enter_context(self._machine())
            except MeasurementError as error:
                self._not_held = str(error)
                raise
            self._holds = True

    def _machine(self) -> AbstractContextManager[object]:
        return self.planner.hold_machine(self._say)

    def _active(self, gate: Gate) -> bool:
        suite = self._suite
        wanted = suite is not None and gate in suite.gates and not suite.decided
        return gate.error is None and (not gate.decided or wanted)

    def _advance(self, done: Callable[[], bool]) -> None:
        gates = self._prepare()
        while not done():
            if self._budget.exhausted():
                self._finish()
                return
            gate = next(self._turns)
            started = time.monotonic()
            gate.take_turn()
            self._turn_s.append(time.monotonic() - started)
            if self._suite is not None:
                self._suite.judge()
            self._record(gate)
            self._on_turn(self._status(gate, gates))

    def _finish(self) -> None:
        for gate in (self._gates or {}).values():
            gate.finish()
        if self._suite is not None:
            self._suite.judge(final=True)

    def _suite_rules(self, metric: str) -> Rules:
        gating = dataclasses.replace(self._gating(metric, None), floor=0.0)  # the blocks' levels differ
        return self._rules(gating, self._gatings.suite or 1.0)

    def _record(self, gate: Gate) -> None:
        """Write the session of a block that has all its invocations; a refused one is the block's error."""
        request = gate.plan.request
        if gate.plan.mode == "record" and gate.decided and not gate.error and request not in self._recorded:
            try:
                self._recorded[request] = self.planner.record(gate)
            except MeasurementError as error:
                gate.error, gate.refused = str(error), True

    def _status(self, gate: Gate, gates: Mapping[Request, Gate]) -> Status:
        turns = sum(g.samples_planned - g.samples_taken for g in gates.values() if self._active(g))
        return Status(
            gate=gate,
            blocks=len(gates),
            decided=sum(g.decided for g in gates.values()),
            left_s=turns * sum(self._turn_s) / len(self._turn_s),
        )

    def _invoke(
        self, program: Program, block: BlockId, *, repeat: int, label: str, turn: int, count: bool = True
    ) -> Invocation:
        settings = self.settings
        chosen = self._chosen or self.planner.counters()
        counting = count or not chosen.instrument.apart
        slowest = self._slowest.get(block)
        timeout = settings.get("timeout") or (
            FIRST_TIMEOUT_S if slowest is None else slowest * TIMEOUT_FACTOR + TIMEOUT_BASE_S
        )
        invocation = invoke(
            program,
            block,
            cache_dir=self.planner.cache_dir,
            repeat=repeat,
            timeout=timeout,
            environ=settings.environ,
            log_dir=settings.get("log_dir"),
            label=label,
            secrets=self.planner.secrets,
            instrument=chosen.instrument if counting else NOTHING,
            turn=turn,
        )
        self._slowest[block] = max(slowest or 0.0, invocation.wall_ns / 1e9)
        return invocation

    # --- the result -----------------------------------------------------------------------------------------

    def _settle(self, block: BlockId | None, metric: str, decision: Decision) -> tuple[Outcome, str]:
        return settle(self.settings, self._started.date(), block, metric, decision)

    def result(self, request: Request) -> BlockResult:
        """The result of one block, at any time; without secrets, whatever it is told of the program."""
        result = self._result(request)
        words = msgspec.structs.replace(result, pairs=(), invocations=(), baseline=())
        clean = redact_words(msgspec.to_builtins(words), self.redactor())
        return msgspec.structs.replace(
            msgspec.convert(clean, BlockResult),
            pairs=result.pairs,
            invocations=result.invocations,
            baseline=result.baseline,
        )

    def redactor(self) -> Redactor:
        """What takes this run's secrets out of a text."""
        return Redactor([*self.planner.secrets, *secrets_in(self.settings.environ)])

    def _result(self, request: Request) -> BlockResult:
        gates = self._prepare()
        if request in gates:
            result = gates[request].result(self._settle, self._recorded.get(request))
            return self._found.get(request, _NOTHING_FOUND).told_in(result)
        return self._unmeasured(request)

    def _unmeasured(self, request: Request) -> BlockResult:
        return BlockResult(
            block=str(request.block),
            mode=self.planner.mode(request),
            aa=self.settings.get("aa"),
            repeat=request.repeat,
            drop=request.drop,
            rules={gating.metric: self._rules(gating, self._gatings.block) for gating in request.gatings},
            error=self._errors.get(request),
            skipped=self._skipped.get(request),
        )

    def suite_results(self) -> tuple[SuiteResult, ...]:
        """The mean over blocks of each metric, as far as it was judged."""
        return self._suite.results(self._settle) if self._suite is not None else ()

    def run_result(self, blocks: Iterable[BlockResult] | None = None) -> RunResult:
        """Everything about this run so far; with `blocks`, of those alone."""
        if blocks is None:
            blocks = (self.result(request) for request in self._requests)
        machine = self.planner.machine
        return RunResult(
            version=__version__,
            started=self._started.isoformat(timespec="seconds"),
            wall_s=round(time.monotonic() - self._clock, 3),
            machine=machine.key,
            measured_on=machine,
            counted_on=self._chosen.machine if self._chosen else None,
            counters=self._chosen.told if self._chosen else "",
            gatings=self._family,
            shard=self.settings.get("shard"),
            settings=self._shown_settings(),
            blocks=tuple(blocks),
            suite=self.suite_results(),
        )

    def _shown_settings(self) -> dict[str, str]:
        shown = {name: self.settings.get(name) for name in OPTIONS if name not in ("block", "rpc_url")}
        url = self.planner.rpc_url
        redact = self.redactor()
        return {
            "block": ", ".join(str(request.block) for request in self._requests),
            **{name: redact(str(value)) for name, value in shown.items() if value not in (None, "", False)},
            **({"rpc_url": redact_url(url)} if url else {}),
        }

    def close(self) -> None:
        """Let go of the machine; keep what may be accepted from a results file."""
        self._held.close()
        measured = any(gate.samples_taken and not gate.error for gate in (self._gates or {}).values())
        if measured and self.settings.get("json") and not self.planner.recording:
            missing = self.planner.keep(self.planner.head)
            if missing is not None:
                self._say(f"head is not kept in the archive: {missing}")
