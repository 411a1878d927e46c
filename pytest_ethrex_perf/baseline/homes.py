"""Where the baselines of one run's blocks are stored, and what of them can be compared with.

What is judged belongs to a machine: times, and what perf counts, to the one that was measured on; what
callgrind counts to any that executes the same instructions (`counters.callgrind.machine`). So one block may
have two files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import compatibility, history, store
from pytest_ethrex_perf.host.machine import changes
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Kind, Machine, StoredSession
    from pytest_ethrex_perf.records.request import Request
    from pytest_ethrex_perf.records.result import PastEpoch


@dataclass(frozen=True)
class Home:
    """The file of those of a block's metrics that belong to one machine."""

    path: Path
    machine: Machine
    metrics: tuple[str, ...]
    """In the order in which they are gated."""
    times: bool
    """Times are among what is stored there to be compared."""


class Homes:
    """The baseline files of one run; each is read once."""

    def __init__(self, root: Path, kind: Callable[[], Kind], machine: Machine) -> None:
        self.root = root
        self._kind = kind
        self._machine = machine
        self._read: dict[Path, Baseline | None] = {}

    def of(self, request: Request, counted_on: Machine | None) -> tuple[Home, ...]:
        """The files of what `request` gates, that of its first metric first.

        `counted_on` is whom counts belong to, where that is not the machine itself.
        """
        metrics = [gating.metric for gating in request.gatings]
        apart = {metric for metric in metrics if counted_on is not None and metric not in TIMES}
        homes = [
            Home(self._path(request.block, machine), machine, found, times)
            for machine, times in ((self._machine, True), (counted_on, False))
            if machine is not None and (found := tuple(m for m in metrics if (m not in apart) is times))
        ]
        return tuple(sorted(homes, key=lambda home: metrics.index(home.metrics[0])))

    def _path(self, block: BlockId, machine: Machine) -> Path:
        return store.path(self.root, block, self._kind(), machine.key)

    def baseline(self, home: Home) -> Baseline | None:
        """What is stored there, None where nothing is; raises `BaselineError`."""
        if home.path not in self._read:
            self._read[home.path] = store.load(home.path) if home.path.exists() else None
        return self._read[home.path]

    def refusal(
        self,
        home: Home,
        baseline: Baseline,
        request: Request,
        repeat: int | None,
        cache: CacheIdentity,
        prefix: Sequence[str],
    ) -> str | None:
        """Why a measurement of `request` can't go together with `baseline`, None where it can.

        `repeat` None: as many as may be.
        """
        return compatibility.refusal(
            baseline,
            block=request.block,
            kind=self._kind(),
            machine_key=home.machine.key,
            cache=cache,
            repeat=baseline.repeat if repeat is None else repeat,
            prefix=prefix,
        )

    def missing(self, home: Home, block: BlockId) -> str:
        """Say that there is none, and for which machines there are ones."""
        return compatibility.missing(self.root, block, self._kind(), home.machine.key)


@dataclass(frozen=True)
class Comparable:
    """What the stored baselines of a block hold that can be compared with, of all of its homes."""

    sessions: tuple[StoredSession, ...] = ()
    references: tuple[tuple[str, StoredSession], ...] = ()
    """Earlier sessions that the result is shown against, so that creep is seen."""
    programs: frozenset[str] = frozenset()
    """sha256 of the programs of `sessions`."""
    fewest: int = 0
    """Sessions that can be compared with, of the metric that has fewest."""
    changed: tuple[str, ...] = ()
    """What is different on the machine since the last session."""
    label: str = ""
    """The files."""
    history: tuple[PastEpoch, ...] = ()
    """All epochs of all files."""


def _number(sessions: Sequence[StoredSession], metric: str) -> int:
    """How many of the sessions have `metric` as the newest has it."""
    like = samples.usual(sessions, metric)
    return sum(bool(samples.comparable(session, metric, like)) for session in sessions)


def together(found: Iterable[tuple[Home, Baseline]], drop: int, *, recording: bool) -> Comparable:
    """What these baselines have to say; of a `recording` only what is shown: the store looks at the rest."""
    past: list[PastEpoch] = []
    sessions: list[StoredSession] = []
    references: list[tuple[str, StoredSession]] = []
    changed: list[str] = []
    counts: list[int] = []
    paths: list[str] = []
    for home, baseline in found:
        paths.append(str(home.path))
        past += history.past(baseline, home.metrics, drop)
        first, *others = history.earlier_sessions(baseline)
        # the only session of an epoch is what is compared with anyway
        alone = len(baseline.epoch.sessions) == 1 and not recording
        shown = others if alone else (first, *others)
        references += [(one.label, baseline.raw([one.session])[0]) for one in shown]
        if not recording:
            recent = baseline.raw(baseline.epoch.recent)
            sessions += recent
            counts += [_number(recent, metric) for metric in home.metrics]
            changed += changes(baseline.epoch.recent[-1].machine, home.machine)
    return Comparable(
        sessions=tuple(sessions),
        references=tuple(references),
        programs=frozenset(session.program_sha256 for session in sessions),
        fewest=min(counts, default=0),
        changed=tuple(dict.fromkeys(changed)),
        label=", ".join(paths),
        history=tuple(past),
    )
