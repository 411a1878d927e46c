"""Making the plan of each block: what it is compared with, and what must be there for that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import reference
from pytest_ethrex_perf.baseline.compatibility import IncomparableError
from pytest_ethrex_perf.baseline.files import BaselineFiles
from pytest_ethrex_perf.baseline.programs import BaselinePrograms, Comparison
from pytest_ethrex_perf.baseline.stored_base import StoredBase, stored_base
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError
from pytest_ethrex_perf.gate import reproduce
from pytest_ethrex_perf.gate.plan import NothingToDo, Plan
from pytest_ethrex_perf.judge import samples, stored
from pytest_ethrex_perf.replay import program_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ethrex_perf.baseline.files import BaselineFile
    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.equipment import Equipment
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Kind, Program
    from pytest_ethrex_perf.records.request import Request
    from pytest_ethrex_perf.records.result import Mode

RECORDED_INVOCATIONS = 10  # of a session, unless --ethrex-invocations says otherwise
ENOUGH_SESSIONS = stored.ENOUGH_SESSIONS


class Planner:
    """Makes the plans of one run; the baselines and their programs are looked at once."""

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._settings = settings = equipment.settings
        self._programs = BaselinePrograms(equipment.archive, cwd=settings.cwd, environ=settings.environ)
        self._files = BaselineFiles(settings.baselines, self._kind, equipment.machine)
        self._comparisons: dict[Request, Comparison] = {}

    def _kind(self) -> Kind:
        return self._equipment.head.kind

    # --- what a block is compared with ----------------------------------------------------------------------

    @property
    def intent(self) -> str:
        """What this run was asked to do with its blocks, in a word or three."""
        if self._settings.recording:
            return "record"
        given = self._settings.base or self._settings.aa
        return "interleaved" if given else "against stored baselines"

    @property
    def mode_needs_build(self) -> bool:
        """Whether `mode` builds head: a revision that is compared with the program of a baseline."""
        asked = self._settings.recording or self._settings.base or self._settings.aa
        return not asked and self._equipment.programs.to_be_built

    def mode(self, request: Request) -> Mode:
        """How a block will be measured; what cannot be found out yet (`plan` will say it) is no program."""
        if self._settings.recording:
            return "record"
        if self._settings.base or self._settings.aa:
            return "interleaved"
        try:
            return self._comparison(request).mode
        except EthrexPerfError:
            return "stored"

    def _comparison(self, request: Request) -> Comparison:
        """What a block is compared with; raises as `Equipment.head` and `_files_of` do."""
        if request not in self._comparisons:
            self._comparisons[request] = self._compare(request)
        return self._comparisons[request]

    def _compare(self, request: Request) -> Comparison:
        if self._settings.recording:
            return Comparison("record")
        if self._equipment.base is not None:
            return Comparison("interleaved", self._equipment.base)
        for file in self._files_of(request):
            baseline = self._files.read(file)
            if baseline is not None:
                return self._programs.compare(baseline, self._equipment.head)
        return Comparison("stored")

    # --- the baseline files of a block ----------------------------------------------------------------------

    def _files_of(self, request: Request) -> tuple[BaselineFile, ...]:
        """The baseline files of what `request` gates; raises `UsageError`."""
        counted_on = self._equipment.counters(request.counts).machine if request.counts else None
        return self._files.of_request(request, counted_on)

    def _destinations(self, request: Request) -> tuple[BaselineFile, ...]:
        """Where a session of this run goes."""
        every = not self._settings.update_baseline_new_only
        return tuple(file for file in self._files_of(request) if every or self._files.read(file) is None)

    def recorded_repeat(self, request: Request) -> int | None:
        """Repeats per invocation of the block's baseline, None without one.

        Raises as `plan` does for what must be known before a pilot is run.
        """
        self._check_needed(request)
        for file in self._files_of(request):
            baseline = self._files.read(file)
            if baseline is not None:
                return baseline.repeat
            if self.mode(request) == "stored":
                raise MeasurementError(self._missing(file, request))
        return None

    def _missing(self, file: BaselineFile, request: Request) -> str:
        base = f"--ethrex-base={self._main_build()}"
        return (
            f"{self._files.missing(file, request.block)}. Compare with the main build beside this one: "
            f"{reproduce.command(self._settings, request, base)}   (or record the main build, never this "
            f"one, as the level to compare with: {self._record(request)} )"
        )

    def _main_build(self) -> str:
        return "PATH-OF-THE-MAIN-BUILD" if self._settings.build is None else "git:merge-base"

    def _record(self, request: Request) -> str:
        """The command that records a session: of the main build, since head is what is to be judged by it."""
        level = f"--ethrex-replay={self._main_build()}"
        return reproduce.command(
            self._settings, request, level, "--ethrex-update-baseline", without=("replay",)
        )

    # --- the plan -------------------------------------------------------------------------------------------

    def plan(self, request: Request, repeat: int) -> Plan:
        """How `request` will be measured, with `repeat` repeats per invocation.

        Raises `MeasurementError` or `UsageError` for what is missing, `NothingToDo` where there is nothing
        to measure.
        """
        self._check_needed(request)
        settings, equipment = self._settings, self._equipment
        comparison = self._comparison(request)
        recording = comparison.mode == "record"
        destinations = self._destinations(request) if recording else ()
        compared = destinations if recording else self._files_of(request)
        cache = equipment.cache(request.block, comparison.base)
        baselines, notes = self._comparable(request, compared, repeat, cache, comparison.mode)
        stock = stored_base(baselines, request.drop, recording=recording)
        published, broken = reference.published(settings.baselines, request.block)
        vendor = equipment.machine.keyed.get("vendor")
        plan = Plan(
            request=request,
            mode=comparison.mode,
            aa=settings.aa,
            head=equipment.head,
            base=comparison.base,
            cache=cache,
            repeat=repeat,
            invocations=settings.invocations or RECORDED_INVOCATIONS,
            reproduce=reproduce.command(self._pinned(), request),
            vendor=None if vendor is None else str(vendor),
            cpus=int(equipment.machine.keyed.get("cpus") or 1),
            destinations=destinations,
            baseline_path=next((file.path for file in compared if file.times), None),
            baseline_label=stock.label,
            sessions=stock.sessions,
            recorded=stock.newest,
            alone=comparison.alone,
            references=stock.references,
            published=tuple(published),
            history=stock.history,
            notes=(*notes, *broken, *self._session_notes(request, comparison, stock)),
        )
        if plan.mode == "stored" and not settings.invocations:
            return replace(plan, invocations=_enough_invocations(plan))
        return plan

    def _pinned(self) -> Settings:
        """The settings with commits in place of what named them: HEAD moves on."""
        settings, pinned = self._settings, self._equipment.programs.pinned
        return replace(settings, typed={**settings.typed, **pinned}) if pinned else settings

    def _check_needed(self, request: Request) -> None:
        settings, head, base = self._settings, self._equipment.head, self._equipment.base
        if settings.update_baseline_new_only and not self._destinations(request):
            paths = ", ".join(str(file.path) for file in self._files_of(request))
            raise NothingToDo(f"it has a baseline already: {paths}")
        if base is None or base.sha256 != head.sha256 or settings.aa:
            return
        if program_kinds.uncovered(head) and base.command != head.command:
            return
        reason = (
            f"base and head are the same program (sha256 {head.sha256[:12]}{_origin(base, head)}): "
            "nothing to compare; --ethrex-aa measures it against itself"
        )
        if settings.on_same_program == "fail":
            raise MeasurementError(reason)
        raise NothingToDo(reason)

    def _comparable(
        self,
        request: Request,
        compared: tuple[BaselineFile, ...],
        repeat: int,
        cache: CacheIdentity,
        mode: Mode,
    ) -> tuple[list[tuple[BaselineFile, Baseline]], list[str]]:
        """The baselines that can be compared with, and notes on those that can't.

        Without a base program all must be there.
        """
        baselines: list[tuple[BaselineFile, Baseline]] = []
        notes: list[str] = []
        for file in compared:
            baseline = self._files.read(file)
            if baseline is None:
                if mode == "stored":
                    raise MeasurementError(self._missing(file, request))
                continue
            # callgrind has repeats of its own, but a file holds sessions of one number
            any_repeat = not file.times and mode != "record"
            prefix = [self._equipment.redact(word) for word in self._equipment.head.prefix]
            try:
                self._files.check(file, baseline, request, None if any_repeat else repeat, cache, prefix)
            except IncomparableError as refusal:
                if mode == "record":  # recording would refuse it as well, after an hour of measuring
                    raise MeasurementError(f"{file.path}: nothing was recorded: {refusal}") from None
                if mode == "stored":
                    raise IncomparableError(f"{file.path}: {refusal}") from None
                notes.append(f"no stored comparison: {refusal}")
            else:
                baselines.append((file, baseline))
        return baselines, notes

    def _session_notes(self, request: Request, comparison: Comparison, stock: StoredBase) -> list[str]:
        base, head = self._equipment.base, self._equipment.head
        notes = [
            f"changed on this machine since the baseline's last session: {change}" for change in stock.changed
        ]
        if (apart := self._equipment.programs.apart) is not None:
            notes.append(f"head is {apart}")
        notes += _uncovered(head, comparison.base)
        if request.block.workload:
            notes.append(f"the block was made by {self._equipment.maker(request.block)}")
        if comparison.mode == "stored":
            if _is_recorded(head, stock):
                notes.append("head is the stored baseline's own program: no change is expected")
            if stock.fewest < ENOUGH_SESSIONS:
                notes.append(
                    f"{stock.fewest} of {ENOUGH_SESSIONS} baseline sessions: record more sessions on "
                    f"different days, each makes the gate sharper: {self._record(request)}"
                )
        elif base is not None and _is_recorded(base, stock) and not comparison.archived:
            notes.append("base is the stored baseline's own program")
        return notes


def _origin(base: Program, head: Program) -> str:
    """What the same program was built from, where that is known of both."""
    if base.commit is None or head.commit is None:
        return ""
    if base.commit == head.commit:
        return f", both built from commit {head.commit[:7]}"
    return f", built from commits {base.commit[:7]} and {head.commit[:7]} alike"


def _is_recorded(program: Program, stock: StoredBase) -> bool:
    """Whether it is surely a program of the stored sessions."""
    return program.sha256 in stock.programs and not program_kinds.uncovered(program)


def _uncovered(head: Program, base: Program | None) -> Iterator[str]:
    """What is to be known of programs that may run other code than their identity covers."""
    if clause := program_kinds.uncovered(head):
        yield f"head {clause}: its sha256 does not cover that, and it is not kept in the archive"
        if base is not None and base != head and base.sha256 == head.sha256:
            yield f"base has the sha256 of head ({head.sha256[:12]}), and is measured all the same"
    if base is not None and base.sha256 != head.sha256 and (clause := program_kinds.uncovered(base)):
        yield f"base {clause}: its sha256 does not cover that"


def _enough_invocations(plan: Plan) -> int:
    """As many invocations as the baselines' own noise and the tolerances ask for."""
    numbers = [stored.MIN_INVOCATIONS]
    for gating in plan.request.gatings:
        like = samples.usual(plan.sessions, gating.metric)
        sessions = samples.stored(plan.sessions, gating.metric, plan.request.drop, like)
        if sessions:  # else the gate will say what is missing
            numbers.append(stored.invocations(sessions, gating.rules()))
    return max(numbers)
