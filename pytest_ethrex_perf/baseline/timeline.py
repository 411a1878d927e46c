"""A block's sessions over months, from wherever they are: baselines, results of CI, an earlier history file.

A baseline keeps 20 sessions of an epoch, so what it has forgotten since comes from the other two. A session
is the same one, by its id, wherever it is stored.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pytest_ethrex_perf.baseline.schema import Session, moment
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records.history import (
    BlockHistory,
    HistoryEpoch,
    HistorySession,
    Level,
)
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.history import HistoryChange
    from pytest_ethrex_perf.records.measurement import Invocation, Kind, Machine, Program
    from pytest_ethrex_perf.records.result import BlockResult, RunResult

SHOWN = 12
"""Hex digits of a program's sha256, and of a commit in a command."""


class Key(NamedTuple):
    """What has a history of its own."""

    block: str
    kind: Kind
    machine: str


class _Block:
    """What is known of one block so far."""

    def __init__(self) -> None:
        self.gas = 0
        self.sessions: dict[str, HistorySession] = {}
        self.epochs: dict[tuple[str, str], HistoryEpoch] = {}
        self.changes: list[HistoryChange] = []

    def add(self, session: HistorySession) -> None:
        """Add a session, or what is new of one that is there."""
        there = self.sessions.get(session.id)
        if there is not None:
            session = msgspec.structs.replace(
                session,
                tags=tuple(dict.fromkeys([*session.tags, *there.tags])),
                note=session.note or there.note,
                commit=session.commit or there.commit,
                levels=there.levels | session.levels,
                waived=there.waived | session.waived,
            )
        self.sessions[session.id] = session


class Timeline:
    """Sessions by block, kind of program and machine, of these `metrics`."""

    def __init__(self, metrics: Sequence[str]) -> None:
        self._metrics = metrics
        self._blocks: dict[Key, _Block] = defaultdict(_Block)

    def add_baseline(self, baseline: Baseline, drop: int) -> None:
        """Add every session and epoch of a baseline."""
        block = self._blocks[Key(str(baseline.block_id), baseline.kind, baseline.machine)]
        for epoch in baseline.epochs:
            block.epochs[epoch.started, epoch.reason] = HistoryEpoch(
                started=epoch.started, reason=epoch.reason
            )
            for session in epoch.sessions:
                block.gas = session.invocations[0].gas
                block.add(self._session(session, drop, times=baseline.times))

    def add_version(self, baseline: Baseline, drop: int) -> None:
        """Add what an earlier version of a baseline has that nothing newer had; the rest stays as it is."""
        block = self._blocks[Key(str(baseline.block_id), baseline.kind, baseline.machine)]
        for epoch in baseline.epochs:
            block.epochs.setdefault(
                (epoch.started, epoch.reason), HistoryEpoch(started=epoch.started, reason=epoch.reason)
            )
            for session in epoch.sessions:
                there = block.sessions.get(session.id)
                if there is None:
                    block.sessions[session.id] = self._session(session, drop, times=baseline.times)
                elif not there.levels.keys() >= set(self._metrics):
                    levels = self._session(session, drop, times=baseline.times).levels | there.levels
                    block.sessions[session.id] = msgspec.structs.replace(there, levels=levels)

    def add_results(self, run: RunResult) -> None:
        """Add what was measured of head, of every block that could be measured."""
        for result in run.blocks:
            invocations = result.taken("head")
            if not invocations or result.head is None or result.head.program is None:
                continue
            counted_on = run.counted_on if any(i.counted_by("callgrind") for i in invocations) else None
            self._add_result(result, run.measured_on, result.head.program, invocations, times=True)
            if counted_on is not None:
                counted = tuple(i for i in invocations if i.counted_by("callgrind"))
                self._add_result(result, counted_on, result.head.program, counted, times=False)

    def _add_result(
        self,
        result: BlockResult,
        machine: Machine,
        program: Program,
        invocations: tuple[Invocation, ...],
        *,
        times: bool,
    ) -> None:
        started = min(invocation.started for invocation in invocations)
        session = Session.of(program, machine, invocations, started=started)
        waived = {
            metric.metric: metric.outcome_reason for metric in result.metrics if metric.outcome == "waived"
        }
        gathered = self._session(session, result.drop, times=times, waived=waived)
        if gathered.levels:
            block = self._blocks[Key(result.block, program.kind, machine.key)]
            block.gas = invocations[0].gas
            block.add(gathered)

    def add_history(self, blocks: Iterable[BlockHistory]) -> None:
        """Add what an earlier history holds; sessions that are known from their raw data stay as they are."""
        for past in blocks:
            block = self._blocks[Key(past.block, past.kind, past.machine)]
            block.gas = block.gas or past.gas
            block.changes += past.changes
            for epoch in past.epochs:
                block.epochs.setdefault((epoch.started, epoch.reason), epoch)
            for session in past.sessions:
                there = block.sessions.get(session.id)
                block.add(session)
                if there is not None:
                    block.add(there)

    def blocks(self, wanted: Collection[str] = (), machine: str | None = None) -> list[BlockHistory]:
        """Return the history of each block (`wanted`: of these only), with the changes of earlier files.

        Those that follow each other stand beside each other: by block, machine and kind.
        """
        return [
            BlockHistory(
                block=key.block,
                kind=key.kind,
                machine=key.machine,
                gas=block.gas,
                sessions=tuple(sorted(block.sessions.values(), key=lambda s: moment(s.started))),
                epochs=tuple(sorted(block.epochs.values(), key=lambda e: moment(e.started))),
                changes=tuple(block.changes),
            )
            for key, block in sorted(self._blocks.items(), key=lambda item: _order(item[0]))
            if block.sessions
            and (not wanted or key.block in wanted)
            and (machine is None or key.machine == machine)
        ]

    def _session(
        self, session: Session, drop: int, *, times: bool, waived: dict[str, str] | None = None
    ) -> HistorySession:
        levels = {
            metric: level
            for metric in self._metrics
            if (level := _level(session.invocations, metric, drop, times=times)) is not None
        }
        return HistorySession(
            id=session.id,
            started=session.started,
            program=session.program.sha256[:SHOWN],
            commit=session.program.commit,
            tags=session.tags,
            note=session.note,
            invocations=len(session.invocations),
            levels=levels,
            waived=waived or {},
        )


def _order(key: Key) -> tuple[str, int, str, str, str]:
    network, _, name = key.block.partition("/")
    return network, int(name) if name.isdecimal() else 0, name, key.machine, key.kind


def _level(invocations: Sequence[Invocation], metric: str, drop: int, *, times: bool) -> Level | None:
    """The level of `metric` in a session; None where it has none."""
    identity = None
    if metric in TIMES:
        if not times:
            return None
    else:
        counts = [(i, i.counts.get(metric)) for i in invocations]
        usable = [(i, c) for i, c in counts if c and c.is_exact and samples.belongs(c, times=times)]
        if not usable:
            return None
        identity = usable[-1][1].identity
        invocations = [i for i, c in usable if c.identity == identity and (c.value or 0) > 0]
        if not invocations:
            return None
    logs = samples.of(invocations, metric, drop)
    mean, count = statistics.fmean(logs), len(logs)
    error = None
    if count > 1:  # statistics.stdev is exact, and takes as long as all else here
        error = math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / (count - 1) / count)
    return Level(mean=math.exp(mean), error=error, counted=identity)
