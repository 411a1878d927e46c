"""What was measured becomes a session of a stored baseline, and its program goes into the archive."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_ethrex_perf.baseline.files import BaselineFile
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Invocation, Program


def record(
    root: Path,
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
    """Add a session to its baseline `files` below `root`; return what was done and what has changed.

    Contradictions are judged by the `rules` of each file's metrics, for this block alone: a session that
    contradicts one of its baselines goes into none. With `accept_reason` it begins an epoch there. `redact`
    takes secrets out of a text: baselines are committed. Raises as `store.record` does.
    """
    recorded_program = portable(program, redact)
    sessions: list[tuple[BaselineFile, Session]] = []
    for file in files:
        # callgrind counts only as long as something is decided by it
        belonging = tuple(one for one in invocations if file.times or one.counted_by("callgrind"))
        if belonging:
            started = min(invocation.started for invocation in belonging)
            session = Session.of(recorded_program, file.machine, belonging, started=started)
            sessions.append((file, session))

    def write(file: BaselineFile, session: Session, reason: str | None, *, dry: bool) -> store.Recorded:
        return store.record(
            root,
            session,
            cache=cache,
            rules={metric: rules[metric].alone() for metric in file.metrics},
            drop=drop,
            times=file.times,
            accept_reason=reason,
            dry=dry,
        )

    # a new epoch begins only in the baseline that the session contradicts, in all where it contradicts none
    contradicted: set[Path] = set()
    for file, session in sessions:
        write(file, session, accept_reason, dry=True)
        if accept_reason is not None:
            try:
                write(file, session, None, dry=True)
            except store.ContradictionError:
                contradicted.add(file.path)
    messages: list[str] = []
    for file, session in sessions:
        reason = accept_reason if file.path in contradicted or not contradicted else None
        recorded = write(file, session, reason, dry=False)
        messages += [str(recorded), *(f"changed on this machine: {warning}" for warning in recorded.warnings)]
    return list(dict.fromkeys(messages))


def portable(program: Program, redact: Callable[[str], str] = str) -> Program:
    """Return `program` as files of others may name it: without this machine's directories and secrets."""
    words = (Path(program.command[0]).name, *map(redact, program.command[1:]))
    label = [program.label] if len(program.command) == 1 else shlex.split(program.label)
    label[0] = Path(label[0]).name
    return msgspec.structs.replace(
        program,
        command=words,
        label=shlex.join(map(redact, label)),
        prefix=tuple(map(redact, program.prefix)),
    )
