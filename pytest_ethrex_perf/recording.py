"""What was measured becomes a session of a stored baseline, and its program goes into the archive."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import Session
from pytest_ethrex_perf.judge.verdict import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_ethrex_perf.results import CacheIdentity, Invocation, Machine, Program


def record(
    root: Path,
    program: Program,
    machine: Machine,
    invocations: Sequence[Invocation],
    *,
    cache: CacheIdentity,
    rules: Mapping[str, Rules],
    drop: int,
    accept_reason: str | None,
    times: bool = True,
    redact: Callable[[str], str] = str,
) -> list[str]:
    """Add a session to its baseline below `root`; say what was done, and what changed on the machine.

    Contradictions are judged by the limits of `rules`, metric by metric, for this block alone. Without
    `times` it is the baseline of counts alone. `redact` takes secrets out of a text: baselines are committed.
    Raises as `store.record` does.
    """
    limits = {
        metric: Rules(margin=one.margin, tolerance=one.tolerance, floor=one.floor, drift=one.drift)
        for metric, one in rules.items()
    }
    session = Session.of(
        portable(program, redact),
        machine,
        tuple(invocations),
        started=min(one.started for one in invocations),
    )
    recorded = store.record(
        root, session, cache=cache, rules=limits, drop=drop, times=times, accept_reason=accept_reason
    )
    return [str(recorded), *(f"changed on this machine: {warning}" for warning in recorded.warnings)]


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
