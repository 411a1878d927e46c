"""What was measured becomes a session of its baselines, in the current epoch or as the first of a new one."""

from __future__ import annotations

import contextlib
import math
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from pytest_ethrex_perf.baseline import compatibility, store
from pytest_ethrex_perf.baseline.schema import (
    FIRST_REASON,
    KEPT,
    SCHEMA,
    Baseline,
    BaselineError,
    Epoch,
    Session,
    check,
    kept,
    moment,
)
from pytest_ethrex_perf.config.parsers import REVISION
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host.lock import writing
from pytest_ethrex_perf.host.machine import changes
from pytest_ethrex_perf.records import units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.baseline.files import BaselineFile
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Invocation, Program

_ACCEPT = (
    'if the change is meant, begin a new epoch with --ethrex-accept-baseline "reason", or from this run\'s '
    'results file with `ethrex-perf baseline accept RESULTS.json --reason "reason"`'
)

_CLOCKS_DIFFER = timedelta(minutes=10)  # of two machines, and nobody minds


class ContradictionError(BaselineError):
    """A session that its epoch does not predict: recorded only as a new epoch, with a reason."""


class Recorded(NamedTuple):
    """What became of a session."""

    path: Path
    baseline: Baseline
    """With the session in it."""
    session: Session
    action: Literal["created", "appended", "began an epoch", "was there already"]
    forgotten: tuple[Session, ...] = ()
    """The sessions that the epoch no longer keeps."""
    warnings: tuple[str, ...] = ()
    """What changed on the machine since the session before, and what was not counted like this before."""
    clocks: tuple[str, ...] = ()
    """What speaks of a clock that is or was wrong."""

    def __str__(self) -> str:
        epoch, number = self.baseline.epoch, len(self.baseline.epochs)
        action = {
            "created": "new baseline",
            "appended": f"session {len(epoch.sessions)} of epoch {number}",
            "began an epoch": f"epoch {number} begun ({epoch.reason})",
            "was there already": "already recorded",
        }[self.action]
        return f"{action}: session {self.session.id} in {self.path}"

    def sentences(self) -> Iterator[str]:
        """Yield what was done, what is gone, and what people should look at."""
        yield str(self)
        if self.action in {"created", "began an epoch"}:
            yield f"the level to compare with is now that of {_named(self.session.program)}"
        if self.forgotten:
            gone = ", ".join(f"{session.id} of {session.started[:10]}" for session in self.forgotten)
            yield f"no longer kept, {KEPT} are: session {gone}"
        yield from (f"changed on this machine: {warning}" for warning in self.warnings)
        yield from self.clocks


def record(
    program: Program,
    files: Iterable[BaselineFile],
    invocations: Sequence[Invocation],
    *,
    cache: CacheIdentity,
    rules: Mapping[str, Rules],
    drop: int,
    accept_reason: str | None,
    redact: Callable[[str], str] = str,
) -> list[str]:
    """Add a session of `program` to its baseline `files`; return what was done and what has changed.

    Contradictions are judged by the `rules` of each file's metrics, for this block alone: a session that
    contradicts one of its baselines goes into none. With `accept_reason` it begins an epoch there. `redact`
    takes secrets out of a text: baselines are committed. Raises as `Addition.write` does.
    """
    reason = _stripped(accept_reason)
    additions = []
    for file in files:
        # callgrind counts only as long as something is decided by it
        measured = [
            invocation for invocation in invocations if file.times or invocation.counted_by("callgrind")
        ]
        if measured:
            started = min(invocation.started for invocation in measured)
            session = Session.of(portable(program, redact), file.machine, tuple(measured), started=started)
            own_rules = {metric: rules[metric].alone() for metric in file.metrics}
            additions.append(Addition(file.path, session, cache, own_rules, drop, file.times))

    contradicted = set()
    for addition in additions:
        try:
            addition.to(store.find(addition.file), None)
        except ContradictionError:
            if reason is None:
                raise
            contradicted.add(addition)
    # a new epoch begins only in the baseline that the session contradicts, in all where it contradicts none
    recorded = [
        addition.write(reason if addition in contradicted or not contradicted else None)
        for addition in additions
    ]
    return list(dict.fromkeys(sentence for done in recorded for sentence in done.sentences()))


def _named(program: Program) -> str:
    """`main/ethrex-replay (binary 77a5a81c, commit 1a2b3c4d5e6f)`."""
    unknown = "" if program.commit else ", of no known commit"
    return f"{program.label} ({program.build}{unknown})"


def portable(program: Program, redact: Callable[[str], str] = str) -> Program:
    """Return `program` as files of others may name it: without this machine's directories and secrets."""
    words = (Path(program.command[0]).name, *map(redact, program.command[1:]))
    label = redact(program.label)
    if not program.label.startswith(REVISION) and (spec := _words(program.label, words[0])):
        label = shlex.join(map(redact, (words[0], *spec[1:])))
    return msgspec.structs.replace(
        program,
        command=words,
        label=label,
        prefix=tuple(map(redact, program.prefix)),
    )


def _words(label: str, name: str) -> list[str]:
    """The words of a label that is a command whose executable has this name; none of any other label."""
    if Path(label).name == name:
        return [label]
    with contextlib.suppress(ValueError):  # no command
        words = shlex.split(label)
        if words and Path(words[0]).name == name:
            return words
    return []


@dataclass(frozen=True, eq=False)
class Addition:
    """A session that is to be added to one baseline."""

    file: Path
    """Of the baseline; it need not be there yet."""
    session: Session
    cache: CacheIdentity
    """Which block was measured."""
    rules: Mapping[str, Rules]
    """By what each gated metric is judged: by them the session must not contradict its epoch."""
    drop: int = 1
    """Repeats at the start of an invocation that are not judged."""
    times: bool = True
    """The baseline's times are compared; False: it is one of what callgrind counted."""

    def write(self, accept_reason: str | None = None) -> Recorded:
        """Add the session to the baseline in its file, or make that; return what became of it.

        Raises as `to` does, and `BaselineError` where the file is broken or cannot be written; then nothing
        was written.
        """
        with writing(self.file):
            baseline = store.find(self.file)
            recorded = self.to(baseline, accept_reason)
            if recorded.baseline is not baseline:
                store.write(self.file, recorded.baseline)
        return recorded

    def to(self, baseline: Baseline | None, accept_reason: str | None) -> Recorded:
        """Return what becomes of `baseline` with the session; nothing is written.

        With `accept_reason` the session begins a new epoch (once: further sessions with the same reason join
        that epoch unless they contradict it). The last `schema.KEPT` sessions of an epoch are kept, with its
        first and its tagged ones. A session that is there already changes nothing.

        Raises `ContradictionError`, `BaselineError` where the session is not sound or not comparable,
        `UsageError` for an empty reason.
        """
        reason = _stripped(accept_reason)
        alone = self._alone(reason or FIRST_REASON)
        if baseline is None:
            return Recorded(self.file, alone, self.session, "created", clocks=tuple(self._clocks(())))
        if any(session.id == self.session.id for session in baseline.sessions()):
            return Recorded(self.file, baseline, self.session, "was there already")
        try:
            compatibility.check_alike(baseline, alone)
        except compatibility.IncomparableError as error:
            raise BaselineError(f"{self.file}: nothing was recorded: {error}") from None
        contradicts = False
        try:
            self._check_predicted(baseline)
        except ContradictionError:
            if reason is None:
                raise
            contradicts = True
        warnings = (
            *changes(baseline.epoch.sessions[-1].machine, self.session.machine),
            *self._counted_otherwise(baseline),
        )
        clocks = tuple(self._clocks(baseline.epoch.sessions))
        if reason is not None and (contradicts or reason != baseline.epoch.reason):
            # epochs stay in order
            started = max(self.session.started, baseline.epoch.started, key=moment)
            epoch = Epoch(reason=reason, started=started, sessions=(self.session,))
            extended = msgspec.structs.replace(baseline, epochs=(*baseline.epochs, epoch))
            return Recorded(self.file, extended, self.session, "began an epoch", (), warnings, clocks)
        sessions = (*baseline.epoch.sessions, self.session)
        staying = kept(sessions)
        epoch = msgspec.structs.replace(baseline.epoch, sessions=staying)
        extended = msgspec.structs.replace(baseline, epochs=(*baseline.epochs[:-1], epoch))
        forgotten = tuple(session for session in sessions if session not in staying)
        return Recorded(self.file, extended, self.session, "appended", forgotten, warnings, clocks)

    def _clocks(self, before: Sequence[Session]) -> Iterator[str]:
        """Say which of the sessions started later than now, and if this one started `before` the last."""
        now = datetime.now(UTC)
        for session in (*before, self.session):
            if moment(session.started) - now > _CLOCKS_DIFFER:
                yield (
                    f"the clock ran ahead: session {session.id} says that it started {session.started[:19]}, "
                    f"and now is {now.isoformat()[:19]}"
                )
        if before and moment(before[-1].started) - moment(self.session.started) > _CLOCKS_DIFFER:
            yield (
                f"the session started {self.session.started[:19]}, before the newest in the file "
                f"({before[-1].started[:19]}): it is the newest now; was a clock wrong?"
            )

    def _alone(self, reason: str) -> Baseline:
        """The baseline that the session alone makes; raises `BaselineError` where it is not sound."""
        session = self.session
        if not session.invocations:
            raise BaselineError(f"{self.file}: nothing was recorded: the session has no invocations")
        baseline = Baseline(
            schema=SCHEMA,
            kind=session.program.kind,
            network=self.cache.network,
            block=self.cache.number,
            machine=session.machine.key,
            times=self.times,
            cache=self.cache,
            repeat=len(session.invocations[0].exec_ns),
            prefix=session.program.prefix,
            epochs=(Epoch(reason=reason, started=session.started, sessions=(session,)),),
        )
        try:
            check(baseline)
        except ValueError as error:
            raise BaselineError(
                f"{self.file}: nothing was recorded: the session is not sound: {error}"
            ) from None
        return baseline

    def _check_predicted(self, baseline: Baseline) -> None:
        """Raise `ContradictionError` unless the session is what its epoch predicts, metric by metric.

        Raises `BaselineError` for what cannot be judged.
        """
        from pytest_ethrex_perf.judge.assess import Material, contradiction

        epoch = baseline.epoch
        material = Material(
            block=str(baseline.block_id),
            drop=self.drop,
            head=self.session.invocations,
            sessions=baseline.raw(epoch.recent),
        )
        for metric, rules in self.rules.items():
            try:
                decision = contradiction(material, metric, rules)
            except MeasurementError as error:
                raise BaselineError(f"nothing was recorded: {error}") from None
            if decision is not None:
                before, now = (
                    units.level(math.exp(median(logs)), metric)
                    for logs in (chain(*material.stored(metric)), material.samples("head", metric))
                )
                raise ContradictionError(
                    f"{self.file}: nothing was recorded: {metric} took {now}, and {before} in "
                    f"{len(epoch.recent)} session(s) since {epoch.reason!r}: {decision.reason}; {_ACCEPT}"
                )

    def _counted_otherwise(self, baseline: Baseline) -> Iterator[str]:
        """Say in which metrics no session of the epoch can be compared, since it counted them otherwise."""
        from pytest_ethrex_perf.judge import samples

        recent = baseline.raw(baseline.epoch.recent)
        for metric in self.rules:
            like = samples.identity(self.session.invocations, metric)
            if like is not None and not any(samples.comparable(raw, metric, like) for raw in recent):
                yield (
                    f"{metric} was not counted like this before ({like}): "
                    "sessions before it say nothing of it"
                )


def _stripped(reason: str | None) -> str | None:
    """A reason without blanks around it; raises `UsageError` for an empty one."""
    if reason is not None and not reason.strip():
        raise UsageError("accepting a new level needs a reason: it is kept in the baseline's history")
    return None if reason is None else reason.strip()
