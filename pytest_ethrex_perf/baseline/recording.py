"""What was measured becomes a session of a stored baseline, and its program goes into the archive."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Invocation, Machine, Program


class Home(NamedTuple):
    """A baseline that a session goes into."""

    machine: Machine
    rules: Mapping[str, Rules]
    """Of the metrics that are gated there."""
    times: bool = True
    """Whether its times are compared; else only what callgrind counted."""


def record(
    root: Path,
    program: Program,
    homes: Sequence[Home],
    invocations: Sequence[Invocation],
    *,
    cache: CacheIdentity,
    drop: int,
    accept_reason: str | None,
    redact: Callable[[str], str] = str,
) -> list[str]:
    """Add a session to its baselines below `root`; say what was done, and what changed on the machine.

    Contradictions are judged by the limits of each home's rules, metric by metric, for this block alone: a
    session that contradicts one of its baselines goes into none, and `accept_reason` begins an epoch in that
    one alone. `redact` takes secrets out of a text: baselines are committed. Raises as `store.record` does.
    """
    measured = portable(program, redact)
    sessions = [
        (
            home,
            Session.of(measured, home.machine, taken, started=min(one.started for one in taken)),
        )
        for home in homes
        if (taken := tuple(_worth(home, invocations)))
    ]

    def into(home: Home, session: Session, reason: str | None, *, dry: bool) -> store.Recorded:
        return store.record(
            root,
            session,
            cache=cache,
            rules={metric: rules.alone() for metric, rules in home.rules.items()},
            drop=drop,
            times=home.times,
            accept_reason=reason,
            dry=dry,
        )

    # a new level of one is no new level of the other: only what contradicts begins an epoch
    contradicted = set()
    for home, session in sessions:
        into(home, session, accept_reason, dry=True)
        if accept_reason is not None:
            try:
                into(home, session, None, dry=True)
            except store.ContradictionError:
                contradicted.add(home.times)
    told: list[str] = []
    for home, session in sessions:
        reason = accept_reason if home.times in contradicted or not contradicted else None
        recorded = into(home, session, reason, dry=False)
        told += [str(recorded), *(f"changed on this machine: {warning}" for warning in recorded.warnings)]
    return list(dict.fromkeys(told))


def _worth(home: Home, invocations: Sequence[Invocation]) -> Iterator[Invocation]:
    """Those that are compared there: callgrind counts only as long as something is decided by it."""
    return (one for one in invocations if home.times or one.counted_by("callgrind"))


def portable(program: Program, redact: Callable[[str], str] = str) -> Program:
    """The program as a file that others read names it: without this machine's directories, and secrets."""
    words = (Path(program.command[0]).name, *map(redact, program.command[1:]))
    label = [program.label] if len(program.command) == 1 else shlex.split(program.label)
    label[0] = Path(label[0]).name
    return msgspec.structs.replace(
        program,
        command=words,
        label=shlex.join(map(redact, label)),
        prefix=tuple(map(redact, program.prefix)),
    )
