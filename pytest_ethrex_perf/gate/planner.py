"""What a block needs before it can be measured: programs, its cache file, its baseline. Found beforehand."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import homes, recording, reference
from pytest_ethrex_perf.baseline.archive import Archive, default_directory
from pytest_ethrex_perf.baseline.programs import BaselinePrograms, Comparison
from pytest_ethrex_perf.config.options import BUNDLED, OPTIONS, WRITTEN
from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.counters import choice
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.judge import samples, stored
from pytest_ethrex_perf.replay import cache, program
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.baseline.homes import Home
    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.block import Gate
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Machine, Program, StoredSession
    from pytest_ethrex_perf.records.request import Request
    from pytest_ethrex_perf.records.result import Mode, PastEpoch, PublishedResult

RECORDED_INVOCATIONS = 10  # of a session, unless --ethrex-invocations says otherwise
ENOUGH_SESSIONS = stored.ENOUGH_SESSIONS
_NOT_REPEATED = (
    "block",
    "network",
    "rpc_url",
    *WRITTEN,
    "update_baseline",
    "update_baseline_new_only",
    "accept_baseline",
)
FETCH_TIMEOUT_S = 3600.0  # a witness over a slow RPC takes minutes


class NothingToDo(Exception):  # noqa: N818 - not an error
    """A block that need not be measured, such as one program against itself; the reason is shown."""


@dataclass(frozen=True)
class Plan:
    """How one block will be measured."""

    request: Request
    mode: Mode
    aa: bool
    head: Program
    base: Program | None
    cache: CacheIdentity
    repeat: int
    invocations: int
    """Of head, where the mode is not interleaved."""
    reproduce: str
    vendor: str | None = None
    """Of the CPU."""
    baseline_path: Path | None = None
    """The file with times of this machine: stacks are kept beside it. None where a recording does not write
    it."""
    baseline_label: str = ""
    """The files of what is stored."""
    sessions: tuple[StoredSession, ...] = ()
    """Of the baselines' current epochs, where there are comparable ones."""
    alone: str | None = None
    """Why the stored sessions decide alone, although their program was looked for."""
    references: tuple[tuple[str, StoredSession], ...] = ()
    """Earlier sessions that the result is shown against, so that creep is seen."""
    published: tuple[PublishedResult, ...] = ()
    history: tuple[PastEpoch, ...] = ()
    notes: tuple[str, ...] = ()


class Planner:
    """Makes the plans of one run; programs and caches are looked at once."""

    def __init__(self, settings: Settings, machine: Machine) -> None:
        self.settings = settings
        self.machine = machine
        self.rpc_url: str | None = settings.get("rpc_url") or settings.environ.get("ETHREX_RPC_URL") or None
        self._redact = Redactor([*self.secrets, *secrets_in(settings.environ)])
        self._archive = Archive(
            settings.get("archive") or default_directory(settings.environ), settings.get("archive_size")
        )
        self._programs = BaselinePrograms(self._archive, cwd=settings.cwd, environ=settings.environ)
        self._caches: dict[BlockId, CacheIdentity] = {}
        self._homes = homes.Homes(settings.get("baselines"), lambda: self.head.kind, machine)
        self._comparisons: dict[Request, Comparison] = {}
        self._counters: dict[tuple[str, ...], choice.Chosen] = {}
        self._archived: dict[str, str | None] = {}

    @property
    def recording(self) -> bool:
        """Whether sessions are recorded instead of judged."""
        return self.settings.recording

    @property
    def intent(self) -> str:
        """What this run was asked to do with its blocks, in a word or three."""
        if self.recording:
            return "record"
        given = self.settings.get("base") or self.settings.get("aa")
        return "interleaved" if given else "against stored baselines"

    def counters(self, judged: Sequence[str] = ()) -> choice.Chosen:
        """What is counted with where verdicts are wanted of the counts `judged`; raises `UsageError`."""
        wanted = tuple(sorted(set(judged)))
        if wanted not in self._counters:
            self._counters[wanted] = choice.choose(
                self.settings.get("counters"),
                self.settings.environ,
                judged=wanted,
                named=self.settings.get("events"),
            )
        return self._counters[wanted]

    def homes_of(self, request: Request) -> tuple[Home, ...]:
        """The baseline files of what `request` gates; raises `UsageError` as `head` and `counters` do."""
        counted_on = self.counters(request.counts).machine if request.counts else None
        return self._homes.of(request, counted_on)

    def mode(self, request: Request) -> Mode:
        """How a block will be measured; what cannot be found out yet (`plan` will say it) is no program."""
        if self.recording:
            return "record"
        if self.settings.get("base") or self.settings.get("aa"):
            return "interleaved"
        try:
            return self._comparison(request).mode
        except EthrexPerfError:
            return "stored"

    def _comparison(self, request: Request) -> Comparison:
        """What a block is compared with; raises as `head`, `base` and `homes` do."""
        if request not in self._comparisons:
            self._comparisons[request] = self._compare(request)
        return self._comparisons[request]

    def _compare(self, request: Request) -> Comparison:
        if self.recording:
            return Comparison("record")
        if self.base is not None:
            return Comparison("interleaved", self.base)
        found = (self._homes.baseline(home) for home in self.homes_of(request))
        baseline = next((one for one in found if one is not None), None)
        return Comparison("stored") if baseline is None else self._programs.compare(baseline, self.head)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written anywhere."""
        return (self.rpc_url,) if self.rpc_url else ()

    @cached_property
    def head(self) -> Program:
        """The program under test; raises `UsageError`."""
        if self.settings.get("aa") and self.settings.get("base"):
            return self._resolve("base")
        return self._resolve("replay")

    @cached_property
    def base(self) -> Program | None:
        """The program to compare with, None where only a baseline is stored; raises `UsageError`."""
        if self.settings.get("base"):
            return self._resolve("base")
        return self.head if self.settings.get("aa") else None

    def _resolve(self, option: str) -> Program:
        return program.resolve(
            self.settings.get(option),
            cwd=self.settings.cwd,
            environ=self.settings.environ,
            prefix=self.settings.get("prefix"),
            option=OPTIONS[option].flag_name,
        )

    @cached_property
    def cache_dir(self) -> Path:
        """Where the cache files are."""
        directory = self.settings.get("cache_dir")
        if directory != BUNDLED:
            return Path(directory)
        from pytest_ethrex_perf.embedded.bundled import bundled_dir

        return bundled_dir()

    def cache(self, block: BlockId) -> CacheIdentity:
        """What the block's cache file holds, fetched first if it is missing and there is an RPC URL.

        Raises `MeasurementError` that names the file and the option.
        """
        if block not in self._caches:
            path = cache.path(self.cache_dir, block)
            if not path.exists() and self.rpc_url:
                self._caches[block] = cache.fetch(
                    self.head,
                    block,
                    cache_dir=self.cache_dir,
                    rpc_url=self.rpc_url,
                    timeout=FETCH_TIMEOUT_S,
                    environ=self.settings.environ,
                    log_dir=self.settings.get("log_dir"),
                )
            else:
                self._caches[block] = cache.identify(path, block)
        return self._caches[block]

    def recorded_repeat(self, request: Request) -> int | None:
        """Repeats per invocation of the block's baseline, None without one.

        Raises as `plan` does for what must be known before a pilot is run.
        """
        self._check_needed(request)
        for home in self.homes_of(request):
            baseline = self._homes.baseline(home)
            if baseline is not None:
                return baseline.repeat
            if self.mode(request) == "stored":
                raise MeasurementError(self._missing(home, request))
        return None

    def plan(self, request: Request, repeat: int) -> Plan:
        """How `request` will be measured, with `repeat` repeats per invocation.

        Raises `MeasurementError` or `UsageError` for what is missing, `NothingToDo` where there is nothing
        to measure.
        """
        self._check_needed(request)
        comparison = self._comparison(request)
        identity = self.cache(request.block)
        found, notes = self._comparable(request, repeat, identity, comparison.mode)
        known = homes.together(found, request.drop, recording=self.recording)
        published, broken = reference.published(self.settings.get("baselines"), request.block)
        vendor = self.machine.keyed.get("vendor")
        plan = Plan(
            request=request,
            mode=comparison.mode,
            aa=self.settings.get("aa"),
            head=self.head,
            base=comparison.base,
            cache=identity,
            repeat=repeat,
            invocations=self.settings.get("invocations") or RECORDED_INVOCATIONS,
            reproduce=self.command(request),
            vendor=None if vendor is None else str(vendor),
            baseline_path=self._timed(request, comparison.mode),
            baseline_label=known.label,
            sessions=known.sessions,
            alone=comparison.alone,
            references=known.references,
            published=tuple(published),
            history=known.history,
            notes=(*notes, *broken, *self._session_notes(request, comparison, known)),
        )
        if plan.mode == "stored" and not self.settings.get("invocations"):
            return replace(plan, invocations=_enough_invocations(plan))
        return plan

    def _check_needed(self, request: Request) -> None:
        if self.settings.get("update_baseline_new_only") and not self._recorded(request):
            paths = ", ".join(str(home.path) for home in self.homes_of(request))
            raise NothingToDo(f"it has a baseline already: {paths}")
        if self.base is None or self.base.sha256 != self.head.sha256 or self.settings.get("aa"):
            return
        told = (
            f"base and head are the same program (sha256 {self.head.sha256[:12]}): "
            "nothing to compare; --ethrex-aa measures it against itself"
        )
        if self.settings.get("on_same_program") == "fail":
            raise MeasurementError(told)
        raise NothingToDo(told)

    def _recorded(self, request: Request) -> list[Home]:
        """Where a session of this run goes."""
        every = not self.settings.get("update_baseline_new_only")
        return [home for home in self.homes_of(request) if every or self._homes.baseline(home) is None]

    def _timed(self, request: Request, mode: Mode) -> Path | None:
        """The baseline file with times of this machine."""
        homes_of = self._recorded(request) if mode == "record" else self.homes_of(request)
        return next((home.path for home in homes_of if home.times), None)

    def _comparable(
        self, request: Request, repeat: int, identity: CacheIdentity, mode: Mode
    ) -> tuple[list[tuple[Home, Baseline]], list[str]]:
        """Return the baselines that can be compared with; without a base program all must be there."""
        found, notes = [], []
        for home in self._recorded(request) if mode == "record" else self.homes_of(request):
            baseline = self._homes.baseline(home)
            if baseline is None:
                if mode == "stored":
                    raise MeasurementError(self._missing(home, request))
                continue
            # callgrind has repeats of its own, but a file holds sessions of one number
            any_repeat = not home.times and mode != "record"
            prefix = [self._redact(word) for word in self.head.prefix]
            refused = self._homes.refusal(
                home, baseline, request, None if any_repeat else repeat, identity, prefix
            )
            if refused is None:
                found.append((home, baseline))
            elif mode == "record":  # the store would refuse it as well, after an hour of measuring
                raise MeasurementError(f"{home.path}: nothing was recorded: {refused}")
            elif mode == "stored":
                raise MeasurementError(refused)
            else:
                notes.append(f"no stored comparison: {refused}")
        return found, notes

    def _missing(self, home: Home, request: Request) -> str:
        told = self._homes.missing(home, request.block)
        return (
            f"{told}. Record one with the program to compare with: "
            f"{self.command(request, '--ethrex-update-baseline')}   "
            "(or compare two programs: --ethrex-base PROGRAM)"
        )

    def _session_notes(self, request: Request, comparison: Comparison, known: homes.Comparable) -> list[str]:
        notes = [f"changed on this machine since the baseline's last session: {one}" for one in known.changed]
        if comparison.mode == "stored":
            if self.head.sha256 in known.programs:
                notes.append("head is the stored baseline's own program: no change is expected")
            if known.fewest < ENOUGH_SESSIONS:
                again = self.command(request, "--ethrex-update-baseline")
                notes.append(
                    f"{known.fewest} of {ENOUGH_SESSIONS} baseline sessions: record more sessions on "
                    f"different days, each makes the gate sharper: {again}"
                )
        elif self.base is not None and self.base.sha256 in known.programs and not comparison.archived:
            notes.append("base is the stored baseline's own program")
        return notes

    def command(self, request: Request, *extra: str) -> str:
        """The pytest command that measures this block again, with the options that this run was given.

        RPC URLs hold secrets and are left out, as are files to write.
        """
        given = dict(self.settings.sources[0].values)
        beneath = replace(self.settings, sources=self.settings.sources[1:])  # what holds without being given
        metrics = tuple(gating.metric for gating in request.gatings)
        for name, asked, told in (
            ("repeat", request.repeat or AUTO, request.repeat or AUTO),
            ("drop", request.drop, request.drop),
            ("metrics", metrics, ",".join(metrics)),
        ):
            given[name] = None if beneath.get(name, request.block) == asked else told
        words = ["pytest", f"--ethrex-block={request.block}"]
        for name, option in OPTIONS.items():
            value = given.get(name)
            if name not in _NOT_REPEATED and value not in (None, False):
                words.append(option.flag_name if option.flag else f"{option.flag_name}={value}")
        return shlex.join([*words, *extra])

    def hold_machine(
        self, on_wait: Callable[[str], None], run: str | None = None
    ) -> AbstractContextManager[object]:
        """The lock of this machine, to be entered while measuring; see `lock.measuring`."""
        return lock.measuring(
            f"pytest --ethrex-block … in {self.settings.cwd.name}",
            timeout=self.settings.get("lock_timeout"),
            waiting=on_wait,
            run=run,
        )

    def record(self, gate: Gate) -> str:
        """Write the session that `gate` measured into its baseline and say so; raises `MeasurementError`."""
        plan, request = gate.plan, gate.plan.request
        gated = {gating.metric: gating.rules() for gating in request.gatings}
        told = recording.record(
            self.settings.get("baselines"),
            plan.head,
            [
                recording.Home(home.machine, {name: gated[name] for name in home.metrics}, home.times)
                for home in self._recorded(request)
            ],
            gate.invocations,
            cache=plan.cache,
            drop=request.drop,
            accept_reason=self.settings.get("accept_baseline"),
            redact=self._redact,
        )
        if missing := self.keep(plan.head):
            told.append(f"its program is not kept in the archive: {missing}")
        return "; ".join(told)

    def keep(self, program: Program) -> str | None:
        """Put `program` into the archive, once in a run; None, or a clause that says why it is not there."""
        if program.sha256 not in self._archived:
            secret = self._archive.is_on and any(self._redact(word) != word for word in program.command)
            self._archived[program.sha256] = (
                "its command line holds a secret" if secret else self._archive.store(program)
            )
        return self._archived[program.sha256]


def _enough_invocations(plan: Plan) -> int:
    """As many invocations as the baselines' own noise and the tolerances ask for."""
    wanted = [stored.MIN_INVOCATIONS]
    for gating in plan.request.gatings:
        like = samples.usual(plan.sessions, gating.metric)
        known = samples.stored(plan.sessions, gating.metric, plan.request.drop, like)
        if known:  # else the gate will say what is missing
            wanted.append(stored.invocations(known, gating.rules()))
    return max(wanted)
