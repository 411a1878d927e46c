"""What a baseline file holds: epochs of sessions of raw invocations, and what must be true of them.

One file is one kind of program, block and machine. Nothing derived is stored: every median and every verdict
can be recomputed from the repeats.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records import json_schema as schemas
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import (
    CacheIdentity,
    Invocation,
    Kind,
    Machine,
    Program,
    Record,
    StoredSession,
)
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMA = 1
KEPT = 20
"""Sessions of an epoch that are compared with and kept; its first and its tagged ones are kept besides."""
FIRST_REASON = "first recording"


class BaselineError(MeasurementError):
    """A baseline that cannot be read, written or compared with; the message names the file and the remedy."""


class Session(Record, frozen=True, kw_only=True):
    """One pytest run's invocations of one block on one machine."""

    id: str
    """Derived from what was measured (`session_id`): the same wherever and however often it is stored."""
    started: str
    """UTC, ISO 8601."""
    program: Program
    """What was measured."""
    machine: Machine
    """Where it was measured."""
    tags: tuple[str, ...] = ()
    """Names that people gave it; a tagged session is kept."""
    note: str | None = None
    """What was noted when it was recorded: why it was accepted."""
    invocations: tuple[Invocation, ...]
    """What was measured, in order."""

    @classmethod
    def of(
        cls,
        program: Program,
        machine: Machine,
        invocations: tuple[Invocation, ...],
        *,
        started: str,
        note: str | None = None,
    ) -> Session:
        """Return a session with its id; `started` is UTC in ISO 8601."""
        return cls(
            id=session_id(started, program.sha256, invocations),
            started=started,
            program=program,
            machine=machine,
            note=note,
            invocations=invocations,
        )


class Epoch(Record, frozen=True, kw_only=True):
    """Sessions at one accepted performance level, in the order in which they were added."""

    reason: str
    """Why the level before it was left: what `--ethrex-accept-baseline` was given."""
    started: str
    """When the session that began it started: with the reason, its name across branches."""
    sessions: tuple[Session, ...]
    """In the order in which they were added."""

    @property
    def recent(self) -> tuple[Session, ...]:
        """The sessions that are compared with: the last `KEPT`."""
        return self.sessions[-KEPT:]


class Baseline(Record, frozen=True, kw_only=True):
    """What is stored of base for one kind of program, block and machine: the content of one file."""

    schema: int
    """The version of this format."""
    kind: Kind
    """Of the program."""
    network: str
    """`mainnet`."""
    block: int
    """The block's number."""
    machine: str
    """The key of the machine, the same in every session."""
    times: bool = True
    """Its times are compared. False: it belongs to its machine by what callgrind counts alone."""
    cache: CacheIdentity
    """What its cache file holds."""
    repeat: int
    """Repeats of every invocation, the first ones included."""
    prefix: tuple[str, ...] = ()
    """What was put before the program, e.g. `taskset -c 0-7`."""
    epochs: tuple[Epoch, ...]
    """The last one is compared with."""

    @property
    def block_id(self) -> BlockId:
        """The block."""
        return BlockId(self.network, self.block, self.cache.workload)

    @property
    def epoch(self) -> Epoch:
        """The current epoch: what is compared with."""
        return self.epochs[-1]

    def sessions(self) -> Iterator[Session]:
        """Every session of every epoch, in order."""
        for epoch in self.epochs:
            yield from epoch.sessions

    def raw(self, sessions: Sequence[Session]) -> tuple[StoredSession, ...]:
        """These of its sessions as what a measurement is compared with."""
        return tuple(
            StoredSession(
                id=session.id,
                started=session.started,
                program_sha256=session.program.sha256,
                times=self.times,
                invocations=session.invocations,
            )
            for session in sessions
        )


def session_id(started: str, program_sha256: str, invocations: tuple[Invocation, ...]) -> str:
    """Return 12 hex digits over what was measured: start, program, raw repeats and counts of invocations.

    Facts that later versions may add are left out, so that an id stays what it is.
    """
    content = [
        started,
        program_sha256,
        [
            [
                invocation.started,
                invocation.prep_ns,
                invocation.exec_ns,
                *([counted] if (counted := invocation.counted()) else []),
            ]
            for invocation in invocations
        ],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def kept(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
    """Return the sessions of an epoch that stay: the last `KEPT`, the first (against creep), the tagged."""
    surplus = len(sessions) - KEPT
    return tuple(
        session for index, session in enumerate(sessions) if index == 0 or session.tags or index >= surplus
    )


def check(baseline: Baseline) -> None:
    """Raise ValueError, saying what is wrong, unless everything holds that the schema alone cannot say."""
    problem = next(_problems(baseline), None)
    if problem is not None:
        raise ValueError(problem)


def _problems(baseline: Baseline) -> Iterator[str]:
    if baseline.schema != SCHEMA:
        yield f"schema is {baseline.schema}, not {SCHEMA}"
    if baseline.repeat < 2:  # noqa: PLR2004 - the first repeat is dropped, so one leaves nothing
        yield f"repeat is {baseline.repeat}: at least 2 are needed"
    if baseline.cache.block_id != baseline.block_id:
        yield f"cache is of {baseline.cache.block_id}, not of {baseline.block_id}"
    if not baseline.epochs:
        yield "epochs is empty"
    starts = [moment(epoch.started) for epoch in baseline.epochs if is_utc(epoch.started)]
    if starts != sorted(starts):
        yield "epochs are not in the order they started"
    seen: set[str] = set()
    tags: set[str] = set()
    for number, epoch in enumerate(baseline.epochs, 1):
        yield from _epoch_problems(epoch, f"epoch {number}")
        for session in epoch.sessions:
            where = f"session {session.id}"
            if session.id in seen:
                yield f"{where} is there twice"
            seen.add(session.id)
            if repeated := tags & set(session.tags):
                yield f"{where}: the tag {min(repeated)!r} is on another session too"
            tags |= set(session.tags)
            yield from _session_problems(session, baseline, where)


def _epoch_problems(epoch: Epoch, where: str) -> Iterator[str]:
    if not epoch.sessions:
        yield f"{where} has no sessions"
    if not epoch.reason.strip():
        yield f"{where} has no reason"
    if not is_utc(epoch.started):
        yield f"{where}: started is {epoch.started!r}, not a UTC time in ISO 8601"


def _session_problems(session: Session, baseline: Baseline, where: str) -> Iterator[str]:
    for name, own, expected in (
        ("kind", session.program.kind, baseline.kind),
        ("machine", session.machine.key, baseline.machine),
        ("prefix", session.program.prefix, baseline.prefix),
    ):
        if own != expected:
            yield f"{where}: its {name} is {own!r}, the file's is {expected!r}"
    if not is_utc(session.started):
        yield f"{where}: started is {session.started!r}, not a UTC time in ISO 8601"
    if not session.invocations:
        yield f"{where} has no invocations"
    for index, invocation in enumerate(session.invocations, 1):
        yield from _invocation_problems(invocation, baseline, f"{where}, invocation {index}")
    if session.id != session_id(session.started, session.program.sha256, session.invocations):
        yield f"{where}: its times are not those that were recorded under this id"


def _invocation_problems(invocation: Invocation, baseline: Baseline, where: str) -> Iterator[str]:
    for metric in TIMES:
        repeats = invocation.repeats(metric)
        if len(repeats) != baseline.repeat:
            yield f"{where}: {len(repeats)} repeats of {metric}, the file says {baseline.repeat}"
    first = next(baseline.sessions()).invocations[:1]
    if first and (invocation.gas, invocation.txs) != (first[0].gas, first[0].txs):
        yield (
            f"{where}: {invocation.gas} gas and {invocation.txs} transactions, the first invocation has "
            f"{first[0].gas} and {first[0].txs}: that is another block"
        )
    counted = [value for count in invocation.counts.values() for value in (*count.values, count.running)]
    numbers: list[Any] = [*invocation.phases.values(), invocation.noise.load1 or 0.0, *counted]
    if not all(math.isfinite(number) for number in numbers):
        yield f"{where}: a phase, a count or the load is not a finite number"
    if not baseline.times and not invocation.counted_by("callgrind"):
        yield f"{where}: nothing was counted by callgrind, and that is what this file is for"


def moment(text: str) -> datetime:
    """Return the time that `text` says in ISO 8601; raises ValueError."""
    return datetime.fromisoformat(text)


def is_utc(text: str) -> bool:
    """Return whether `text` is a time in ISO 8601 that says it is UTC."""
    try:
        return moment(text).utcoffset() == timedelta(0)
    except ValueError:
        return False


def json_schema() -> str:
    """Return the JSON Schema of a baseline file, as text; `docs/baseline.schema.json` is this."""
    return schemas.dump(Baseline, "baseline", SCHEMA)
