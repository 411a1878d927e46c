"""What a baseline may be compared with: anything else is refused with the reason, never compared."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Kind

CALLGRIND = "callgrind-"
"""The keys of machines by what callgrind counts on them begin like this."""


class IncomparableError(BaselineError):
    """A baseline that says nothing about a measurement; the message says why, and what to do."""


def check(
    baseline: Baseline,
    *,
    block: BlockId,
    kind: Kind,
    machine_key: str,
    cache: CacheIdentity,
    repeat: int,
    prefix: Sequence[str],
) -> None:
    """Raise `IncomparableError` unless such a measurement can be compared with `baseline`."""
    reasons = _reasons(baseline, block, kind, machine_key, cache, repeat, tuple(prefix))
    for reason in reasons:
        raise IncomparableError(reason)


def check_alike(baseline: Baseline, other: Baseline) -> None:
    """Raise `IncomparableError` unless both are of the same thing, so that one file may hold them."""
    check(
        baseline,
        block=other.block_id,
        kind=other.kind,
        machine_key=other.machine,
        cache=other.cache,
        repeat=other.repeat,
        prefix=other.prefix,
    )


def _reasons(
    baseline: Baseline,
    block: BlockId,
    kind: Kind,
    machine_key: str,
    cache: CacheIdentity,
    repeat: int,
    prefix: tuple[str, ...],
) -> Iterator[str]:
    only = f"--kind {baseline.kind} --machine {baseline.machine}"
    anew = f"or start anew: `ethrex-perf baseline prune {baseline.block_id} --all {only} --yes`, then record"
    if baseline.block_id != block:
        yield f"this is a baseline of {baseline.block_id}, not of {block}: put the file where it belongs"
    if baseline.kind != kind:
        yield (
            f"this is a baseline of the {baseline.kind} program, and {kind} was measured: other kinds of "
            f"program are never compared: record one for {kind} with --ethrex-update-baseline"
        )
    if baseline.machine != machine_key:
        yield (
            f"this is a baseline of machine {baseline.machine}, and this is {machine_key}: record one here "
            "with --ethrex-update-baseline, or give a fleet of equal machines one name with --ethrex-machine"
        )
    if baseline.cache.block_hash != cache.block_hash:
        yield (
            f"it was recorded with block hash {baseline.cache.block_hash}, the cache file now holds "
            f"{cache.block_hash}: restore that cache file, {anew}"
        )
    if baseline.cache.witness_sha256 != cache.witness_sha256:
        yield (
            f"it was recorded with another witness (sha256 {baseline.cache.witness_sha256[:12]}, now "
            f"{cache.witness_sha256[:12]}), which is other work: restore that cache file, {anew}"
        )
    if baseline.repeat != repeat:
        yield (
            f"it was recorded with {baseline.repeat} repeats, and this run takes {repeat}: use "
            f"--ethrex-repeat {baseline.repeat}, {anew}"
        )
    if baseline.prefix != prefix:
        before, now = shlex.join(baseline.prefix), shlex.join(prefix)
        yield (
            f"it was recorded {f'under {before!r}' if before else 'without a prefix'}, and this run is "
            f"{f'under {now!r}' if now else 'without one'}: use the same --ethrex-prefix, {anew}"
        )


def others(root: Path, block: BlockId, kind: Kind) -> list[str]:
    """Return the keys of the machines that have a baseline of `block` and `kind` under `root`, sorted.

    Those of what callgrind counts are among them.
    """
    start = f"{kind}-"
    files = store.folder(root, block).glob(f"{start}*.json")
    return sorted(file.stem.removeprefix(start) for file in files)


def missing(root: Path, block: BlockId, kind: Kind, machine_key: str) -> str:
    """Return a clause that says that there is no baseline, and of what there is one.

    It has no full stop: the caller adds the command that records the baseline.
    """
    clause = f"there is no baseline of {block} for {kind} on {machine_key} in {root}"
    counts = machine_key.startswith(CALLGRIND)  # counts have baselines apart from those of times
    stored = others(root, block, kind)
    machines = [key for key in stored if key.startswith(CALLGRIND) is counts and key != machine_key]
    if machines:
        are = "is one" if len(machines) == 1 else "are baselines"
        return f"{clause}; there {are} of this block for {', '.join(machines)}; this machine is {machine_key}"
    if counts and stored:
        return f"{clause}; its times are stored, which say nothing of what callgrind counts"
    if kinds := [other for other in KINDS if other != kind and others(root, block, other)]:
        return f"{clause}; what is stored of this block is of another kind of program: {', '.join(kinds)}"
    return clause
