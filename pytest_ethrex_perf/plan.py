"""What a block needs before it can be measured: programs, its cache file, its baseline. Found beforehand."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf import recording
from pytest_ethrex_perf.baseline import compatibility, history, lock, reference, store
from pytest_ethrex_perf.baseline.archive import Archive, default_directory
from pytest_ethrex_perf.comparison import BaselinePrograms, Comparison
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError
from pytest_ethrex_perf.judge import stored
from pytest_ethrex_perf.judge.verdict import Rules
from pytest_ethrex_perf.machine import changes
from pytest_ethrex_perf.options import AUTO, BUNDLED, OPTIONS, WRITTEN
from pytest_ethrex_perf.replay import cache, program
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.baseline.schema import Baseline, Session
    from pytest_ethrex_perf.blocks import BlockId
    from pytest_ethrex_perf.gate import Gate, Gating, Request
    from pytest_ethrex_perf.results import CacheIdentity, Machine, Mode, Program, PublishedResult
    from pytest_ethrex_perf.settings import Settings

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
    baseline_path: Path | None = None
    sessions: tuple[Session, ...] = ()
    """Of the baseline's current epoch, where there is a comparable baseline."""
    alone: str | None = None
    """Why the stored sessions decide alone, although their program was looked for."""
    references: tuple[history.Reference, ...] = ()
    """Earlier sessions that the result is shown against, so that creep is seen."""
    published: tuple[PublishedResult, ...] = ()
    notes: tuple[str, ...] = ()

    def baseline_samples(self, metric: str) -> list[list[float]]:
        """Samples of the baseline's sessions, those less than 6 h apart taken together."""
        starts = [session.started for session in self.sessions]
        samples = [session.samples(metric, self.request.drop) for session in self.sessions]
        return stored.merge_sessions(starts, samples) if samples else []


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
        self._baselines: dict[BlockId, Baseline | None] = {}
        self._comparisons: dict[BlockId, Comparison] = {}
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

    def mode(self, block: BlockId) -> Mode:
        """How `block` will be measured; what cannot be found out yet (`plan` will say it) is no program."""
        if self.recording:
            return "record"
        if self.settings.get("base") or self.settings.get("aa"):
            return "interleaved"
        try:
            return self._comparison(block).mode
        except EthrexPerfError:
            return "stored"

    def _comparison(self, block: BlockId) -> Comparison:
        """What `block` is compared with; raises as `head`, `base` and `_baseline` do."""
        if block not in self._comparisons:
            self._comparisons[block] = self._compare(block)
        return self._comparisons[block]

    def _compare(self, block: BlockId) -> Comparison:
        if self.recording:
            return Comparison("record")
        if self.base is not None:
            return Comparison("interleaved", self.base)
        baseline = self._baseline(block)
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
        self._check_needed(request.block)
        baseline = self._baseline(request.block)
        if baseline is not None:
            return baseline.repeat
        if self.mode(request.block) == "stored":
            raise MeasurementError(self._missing(request))
        return None

    def plan(self, request: Request, repeat: int) -> Plan:
        """How `request` will be measured, with `repeat` repeats per invocation.

        Raises `MeasurementError` or `UsageError` for what is missing, `NothingToDo` where there is nothing
        to measure.
        """
        self._check_needed(request.block)
        comparison = self._comparison(request.block)
        identity = self.cache(request.block)
        baseline, notes = self._comparable(request, repeat, identity, comparison.mode)
        # a recording is compared with its epoch by the store, which reads it again when it writes
        sessions = baseline.epoch.recent if baseline and not self.recording else ()
        published, broken = reference.published(self._root, request.block)
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
            baseline_path=self._path(request.block),
            sessions=sessions,
            alone=comparison.alone,
            references=self._references(baseline),
            published=tuple(published),
            notes=(*notes, *broken, *self._session_notes(request, comparison, sessions)),
        )
        if plan.mode == "stored" and not self.settings.get("invocations"):
            return replace(plan, invocations=_enough_invocations(plan))
        return plan

    def _check_needed(self, block: BlockId) -> None:
        if self.settings.get("update_baseline_new_only") and self._baseline(block) is not None:
            raise NothingToDo(f"it has a baseline already: {self._path(block)}")
        if self.base is None or self.base.sha256 != self.head.sha256 or self.settings.get("aa"):
            return
        told = (
            f"base and head are the same program (sha256 {self.head.sha256[:12]}): "
            "nothing to compare; --ethrex-aa measures it against itself"
        )
        if self.settings.get("on_same_program") == "fail":
            raise MeasurementError(told)
        raise NothingToDo(told)

    @property
    def _root(self) -> Path:
        root: Path = self.settings.get("baselines")
        return root

    def _path(self, block: BlockId) -> Path:
        return store.path(self._root, block, self.head.kind, self.machine.key)

    def _baseline(self, block: BlockId) -> Baseline | None:
        """The stored baseline of `block`, None where there is none; raises `BaselineError`."""
        if block not in self._baselines:
            path = self._path(block)
            self._baselines[block] = store.load(path) if path.exists() else None
        return self._baselines[block]

    def _comparable(
        self, request: Request, repeat: int, identity: CacheIdentity, mode: Mode
    ) -> tuple[Baseline | None, list[str]]:
        """Return the baseline if it can be compared with; without a base program it must be there."""
        baseline = self._baseline(request.block)
        if baseline is None:
            if mode == "stored":
                raise MeasurementError(self._missing(request))
            return None, []
        refused = compatibility.refusal(
            baseline,
            block=request.block,
            kind=self.head.kind,
            machine_key=self.machine.key,
            cache=identity,
            repeat=repeat,
            prefix=[self._redact(word) for word in self.head.prefix],
        )
        if refused is None:
            return baseline, []
        if mode == "record":  # the store would refuse it as well, after an hour of measuring
            raise MeasurementError(f"{self._path(request.block)}: nothing was recorded: {refused}")
        if mode == "stored":
            raise MeasurementError(refused)
        return None, [f"no stored comparison: {refused}"]

    def _references(self, baseline: Baseline | None) -> tuple[history.Reference, ...]:
        if baseline is None:
            return ()
        first, *others = history.references(baseline)
        # the only session of an epoch is what is compared with anyway
        alone = len(baseline.epoch.sessions) == 1 and not self.recording
        return tuple(others) if alone else (first, *others)

    def _missing(self, request: Request) -> str:
        told = compatibility.missing(self._root, request.block, self.head.kind, self.machine.key)
        return (
            f"{told}. Record one with the program to compare with: "
            f"{self.command(request, '--ethrex-update-baseline')}   "
            "(or compare two programs: --ethrex-base PROGRAM)"
        )

    def _session_notes(
        self, request: Request, comparison: Comparison, sessions: tuple[Session, ...]
    ) -> list[str]:
        notes = []
        programs = {session.program.sha256 for session in sessions}
        if sessions:
            changed = changes(sessions[-1].machine, self.machine)
            notes += [f"changed on this machine since the baseline's last session: {one}" for one in changed]
        if comparison.mode == "stored":
            if self.head.sha256 in programs:
                notes.append("head is the stored baseline's own program: no change is expected")
            if len(sessions) < ENOUGH_SESSIONS:
                again = self.command(request, "--ethrex-update-baseline")
                notes.append(
                    f"{len(sessions)} of {ENOUGH_SESSIONS} baseline sessions: record more sessions on "
                    f"different days, each makes the gate sharper: {again}"
                )
        elif self.base is not None and self.base.sha256 in programs and not comparison.archived:
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

    def hold_machine(self, on_wait: Callable[[str], None]) -> AbstractContextManager[object]:
        """The lock of this machine, to be entered while measuring; `on_wait` hears for whom it waits."""
        return lock.measuring(
            f"pytest --ethrex-block … in {self.settings.cwd.name}",
            timeout=self.settings.get("lock_timeout"),
            waiting=on_wait,
        )

    def record(self, gate: Gate) -> str:
        """Write the session that `gate` measured into its baseline and say so; raises `MeasurementError`."""
        plan, request = gate.plan, gate.plan.request
        told = recording.record(
            self._root,
            plan.head,
            self.machine,
            gate.invocations,
            cache=plan.cache,
            rules={gating.metric: _rules(gating) for gating in request.gatings},
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


def _rules(gating: Gating) -> Rules:
    return Rules(margin=gating.margin, tolerance=gating.tolerance, floor=gating.floor)


def _enough_invocations(plan: Plan) -> int:
    """As many invocations as the baseline's own noise and the tolerances ask for."""
    return max(
        stored.invocations(plan.baseline_samples(gating.metric), _rules(gating))
        for gating in plan.request.gatings
    )
