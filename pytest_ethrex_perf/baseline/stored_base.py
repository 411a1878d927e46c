"""What the baselines of a block hold for a comparison with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import history
from pytest_ethrex_perf.host.machine import changes
from pytest_ethrex_perf.judge import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.baseline.files import BaselineFile
    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.measurement import Program, StoredSession
    from pytest_ethrex_perf.records.result import PastEpoch


@dataclass(frozen=True, slots=True)
class StoredBase:
    """Base of one block as its baselines have it, all of its files together."""

    sessions: tuple[StoredSession, ...] = ()
    """Of the current epochs: what is compared with."""
    references: tuple[tuple[str, StoredSession], ...] = ()
    """Earlier sessions that the result is shown against, so that creep is seen, and what they are called."""
    programs: frozenset[str] = frozenset()
    """sha256 of the programs of `sessions`."""
    newest: Program | None = None
    """The program of the newest of `sessions`."""
    fewest: int = 0
    """Sessions that can be compared with, of the metric that has fewest."""
    changed: tuple[str, ...] = ()
    """What is different on the machine since the last session."""
    label: str = ""
    """The paths of the files."""
    history: tuple[PastEpoch, ...] = ()
    """All epochs of all files."""


def stored_base(
    baselines: Sequence[tuple[BaselineFile, Baseline]], drop: int, *, recording: bool
) -> StoredBase:
    """Return what `baselines` hold of base; a `recording` compares nothing, and only shows what was before.

    Levels leave out the first `drop` repeats of an invocation.
    """
    sessions: list[StoredSession] = []
    newest: Program | None = None
    changed: list[str] = []
    numbers: list[int] = []
    for file, baseline in () if recording else baselines:
        recent = baseline.raw(baseline.epoch.recent)
        sessions += recent
        numbers += [_comparable(recent, metric) for metric in file.metrics]
        newest = newest or baseline.epoch.recent[-1].program
        changed += changes(baseline.epoch.recent[-1].machine, file.machine)
    return StoredBase(
        sessions=tuple(sessions),
        references=tuple(
            reference for _, baseline in baselines for reference in _references(baseline, recording=recording)
        ),
        programs=frozenset(session.program_sha256 for session in sessions),
        newest=newest,
        fewest=min(numbers, default=0),
        changed=tuple(dict.fromkeys(changed)),
        label=", ".join(str(file.path) for file, _ in baselines),
        history=tuple(
            epoch for file, baseline in baselines for epoch in history.past(baseline, file.metrics, drop)
        ),
    )


def _comparable(sessions: Sequence[StoredSession], metric: str) -> int:
    """How many of the sessions have `metric` counted as the newest has it."""
    like = samples.usual(sessions, metric)
    return sum(bool(samples.comparable(session, metric, like)) for session in sessions)


def _references(baseline: Baseline, *, recording: bool) -> list[tuple[str, StoredSession]]:
    first, *tagged = history.earlier_sessions(baseline)
    # a single session is already the comparison: it is no reference beside it
    is_compared = len(baseline.epoch.sessions) == 1 and not recording
    shown = tagged if is_compared else (first, *tagged)
    return [(earlier.label, baseline.raw([earlier.session])[0]) for earlier in shown]
