"""What a block needs before it can be measured: programs, its cache file, its baseline. Found beforehand."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.baseline import compatibility, lock, store
from pytest_ethrex_perf.baseline.schema import Session
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge import stored
from pytest_ethrex_perf.judge.verdict import Rules
from pytest_ethrex_perf.options import AUTO, BUNDLED, OPTIONS
from pytest_ethrex_perf.replay import cache, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.blocks import BlockId
    from pytest_ethrex_perf.gate import Gate, Gating, Request
    from pytest_ethrex_perf.machine import Machine
    from pytest_ethrex_perf.results import CacheIdentity, Mode, Program
    from pytest_ethrex_perf.settings import Settings

RECORDED_INVOCATIONS = 10  # of a session, unless --ethrex-invocations says otherwise
ENOUGH_SESSIONS = stored.ENOUGH_SESSIONS
_NOT_REPEATED = (
    "block",
    "network",
    "rpc_url",
    "json",
    "benchmark_json",
    "update_baseline",
    "accept_baseline",
)
FETCH_TIMEOUT_S = 3600.0  # a witness over a slow RPC takes minutes


class SameProgram(Exception):  # noqa: N818 - not an error: there is nothing to compare
    """Base and head are the same program: nothing is measured, and the reason is shown."""


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
        self._caches: dict[BlockId, CacheIdentity] = {}

    @property
    def mode(self) -> Mode:
        """What this run does with its blocks."""
        if self.recording:
            return "record"
        return "interleaved" if self.settings.get("base") or self.settings.get("aa") else "stored"

    @property
    def recording(self) -> bool:
        """Whether a session is recorded instead of judged."""
        return bool(self.settings.get("update_baseline") or self.settings.get("accept_baseline"))

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
        self._refuse_same_program()
        path = store.path(self._root, request.block, self.head.kind, self.machine.key)
        if path.exists():
            return store.load(path).repeat
        if self.mode == "stored":
            raise MeasurementError(self._missing(request))
        return None

    def plan(self, request: Request, repeat: int) -> Plan:
        """How `request` will be measured, with `repeat` repeats per invocation.

        Raises `MeasurementError` or `UsageError` for what is missing, `SameProgram` where there is nothing
        to compare.
        """
        self._refuse_same_program()
        identity = self.cache(request.block)
        path = store.path(self._root, request.block, self.head.kind, self.machine.key)
        baseline, notes = self._baseline(request, repeat, identity, path)
        sessions = baseline.epoch.recent if baseline else ()
        plan = Plan(
            request=request,
            mode=self.mode,
            aa=self.settings.get("aa"),
            head=self.head,
            base=self.base,
            cache=identity,
            repeat=repeat,
            invocations=self.settings.get("invocations") or RECORDED_INVOCATIONS,
            reproduce=self.command(request),
            baseline_path=path,
            sessions=sessions,
            notes=(*notes, *self._session_notes(sessions)),
        )
        if plan.mode == "stored" and not self.settings.get("invocations"):
            return replace(plan, invocations=_enough_invocations(plan))
        return plan

    def _refuse_same_program(self) -> None:
        if self.base is None or self.base.sha256 != self.head.sha256 or self.settings.get("aa"):
            return
        told = (
            f"base and head are the same program (sha256 {self.head.sha256[:12]}): "
            "nothing to compare; --ethrex-aa measures it against itself"
        )
        if self.settings.get("on_same_program") == "fail":
            raise MeasurementError(told)
        raise SameProgram(told)

    @property
    def _root(self) -> Path:
        root: Path = self.settings.get("baselines")
        return root

    def _baseline(
        self, request: Request, repeat: int, identity: CacheIdentity, path: Path
    ) -> tuple[Baseline | None, list[str]]:
        """Return the baseline if it can be compared with; without a base program it must be there."""
        needed = self.mode == "stored"
        if not path.exists():
            if needed:
                raise MeasurementError(self._missing(request))
            return None, []
        if self.recording:  # the store reads it again, locked, when it writes
            return None, []
        baseline = store.load(path)
        refused = compatibility.refusal(
            baseline,
            block=request.block,
            kind=self.head.kind,
            machine_key=self.machine.key,
            cache=identity,
            repeat=repeat,
            prefix=self.head.prefix,
        )
        if refused is None:
            return baseline, []
        if needed:
            raise MeasurementError(refused)
        return None, [f"no stored comparison: {refused}"]

    def _missing(self, request: Request) -> str:
        told = compatibility.missing(self._root, request.block, self.head.kind, self.machine.key)
        return (
            f"{told}. Record one with the program to compare with: "
            f"{self.command(request, '--ethrex-update-baseline')}   "
            "(or compare two programs: --ethrex-base PROGRAM)"
        )

    def _session_notes(self, sessions: tuple[Session, ...]) -> list[str]:
        notes = []
        programs = {session.program.sha256 for session in sessions}
        if self.mode == "stored":
            if self.head.sha256 in programs:
                notes.append("head is the stored baseline's own program: no change is expected")
            if len(sessions) < ENOUGH_SESSIONS:
                notes.append(
                    f"{len(sessions)} of {ENOUGH_SESSIONS} baseline sessions: record more on different days, "
                    "each makes the gate sharper (--ethrex-update-baseline)"
                )
        elif self.base is not None and self.base.sha256 in programs:
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
        plan = gate.plan
        request = plan.request
        session = Session.of(
            _portable(plan.head),
            self.machine,
            tuple(gate.invocations),
            started=gate.invocations[0].started,
        )
        recorded = store.record(
            self._root,
            session,
            cache=plan.cache,
            rules={gating.metric: _rules(gating) for gating in request.gatings},
            drop=request.drop,
            accept_reason=self.settings.get("accept_baseline"),
        )
        return "; ".join([str(recorded), *(f"changed on this machine: {w}" for w in recorded.warnings)])


def _portable(program: Program) -> Program:
    """The program as a file that others read names it: without the directories of this machine."""
    words = (Path(program.command[0]).name, *program.command[1:])
    label = [program.label] if len(program.command) == 1 else shlex.split(program.label)
    label[0] = Path(label[0]).name
    return msgspec.structs.replace(program, command=words, label=shlex.join(label))


def _rules(gating: Gating) -> Rules:
    return Rules(margin=gating.margin, tolerance=gating.tolerance, floor=gating.floor)


def _enough_invocations(plan: Plan) -> int:
    """As many invocations as the baseline's own noise and the tolerances ask for."""
    return max(
        stored.invocations(plan.baseline_samples(gating.metric), _rules(gating))
        for gating in plan.request.gatings
    )
