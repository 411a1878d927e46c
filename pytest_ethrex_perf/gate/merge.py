"""Results of several runs that were parts of one – CI shards – joined to the result of the whole."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.records.result import RunResult

T = TypeVar("T")
_OWN = ("block", "shard", "rpc_url", "config", "lock_timeout", "timeout", "prefix")
"""Settings in which shards may differ, beside paths: they judge nothing."""


def merge(parts: Mapping[Path, RunResult]) -> RunResult:
    """Join `parts`, by the files they are from, in that order; verdicts stay what they are.

    Raises `UsageError` that names two files which do not belong together: another version, machine, program,
    family (alpha was spent over another number of gatings) or limit, a block that both have, a shard missing.
    """
    paths, runs = list(parts), list(parts.values())
    if not runs:
        raise UsageError("nothing to merge: name the results files")
    for path, run in parts.items():
        for what, expected, other in differences(runs[0], run):
            raise UsageError(f"{paths[0]} and {path} do not belong together: {what} {expected} and {other}")
    _check_blocks(parts)
    _check_shards(parts)
    return joined(runs)


def joined(runs: Sequence[RunResult]) -> RunResult:
    """The whole of which `runs` are parts that belong together."""
    import msgspec

    machine = msgspec.structs.replace(
        runs[0].measured_on,
        keyed=_shared([run.measured_on.keyed for run in runs]),
        recorded=_shared([run.measured_on.recorded for run in runs]),
    )
    return msgspec.structs.replace(
        runs[0],
        started=min((run.started for run in runs), key=datetime.fromisoformat),
        wall_s=max(run.wall_s for run in runs),
        measured_on=machine,
        settings={
            **_shared([run.settings for run in runs]),
            "block": ", ".join(run.settings.get("block", "") for run in runs),
        },
        origin=_origin([run.origin for run in runs]),
        blocks=tuple(block for run in runs for block in run.blocks),
        suite=tuple(suite for run in runs for suite in run.suite),
        shard=None,
    )


def _origin(parts: Sequence[Origin]) -> Origin:
    """What is known of any program, and of the job what all parts say alike: each may have been one."""
    import msgspec

    builds = {sha256: source for part in reversed(parts) for sha256, source in part.builds.items()}
    jobs = [part.job for part in parts]
    job = next(iter(jobs), None)
    if job is not None and any(other != job for other in jobs):
        same = _shared([msgspec.structs.asdict(other) if other else {} for other in jobs])
        job = type(job)(**same)
    return Origin(builds=builds, job=job)


def differences(first: RunResult, other: RunResult) -> Iterator[tuple[str, object, object]]:
    """What must be the same in every part of one run, and is not: name, first, other."""
    yield from _unequal("version", first.version, other.version)
    yield from _unequal("machine", first.machine, other.machine)
    yield from _unequal("machine of counts", _counted_on(first), _counted_on(other))
    yield from _unequal("number of comparisons", first.gatings, other.gatings)
    yield from _unequal("number of shards", _shards(first), _shards(other))
    # without --ethrex-base each block is compared with its own baseline's program
    for side in ("head", "base") if "base" in first.settings else ("head",):
        programs = _programs(first, side), _programs(other, side)
        if all(programs):  # of a shard that measured nothing none is known
            yield from _unequal(f"{side} program", *programs)
    for name in sorted({*first.settings, *other.settings}):
        option = OPTIONS.get(name)
        if name not in _OWN and not (option and option.path):
            yield from _unequal(name, first.settings.get(name), other.settings.get(name))


def _counted_on(run: RunResult) -> str:
    return run.counted_on.key if run.counted_on else "none"


def _unequal(what: str, first: object, other: object) -> Iterator[tuple[str, object, object]]:
    if first != other:
        yield what, first, other


def _programs(run: RunResult, side: str) -> str:
    sides = [block.base if side == "base" else block.head for block in run.blocks]
    return ", ".join(sorted({each.program.sha256[:12] for each in sides if each and each.program}))


def _shards(run: RunResult) -> str:
    return run.shard.partition("/")[2] if run.shard else "none"


def _check_blocks(parts: Mapping[Path, RunResult]) -> None:
    seen: dict[str, Path] = {}
    for path, run in parts.items():
        for name in dict.fromkeys(block.block for block in run.blocks):
            first = seen.setdefault(name, path)
            if first != path:
                raise UsageError(f"{name} is in {first} and in {path}: merge each shard once")


def _check_shards(parts: Mapping[Path, RunResult]) -> None:
    """A shard that is missing would be quietly green, and runs of their own each spent the whole alpha."""
    first, *_ = parts.values()
    shards = [run.shard for run in parts.values()]
    blocks = [block for run in parts.values() for block in run.blocks]
    judged = sum(max(len(block.rules), len(block.metrics)) for block in blocks)
    if first.shard is None:
        if len(parts) > 1 and judged > first.gatings:
            raise UsageError(
                f"these are {len(parts)} runs of their own, each with the whole alpha, not parts of one: "
                "measure shards with --ethrex-shard I/N"
            )
        return
    count = int(first.shard.partition("/")[2])
    missing = [shard for index in range(1, count + 1) if (shard := f"{index}/{count}") not in shards]
    if missing:
        raise UsageError(f"shard {', '.join(missing)} is missing: merge the results of all shards")
    if judged < first.gatings:
        raise UsageError(
            f"{first.gatings - judged} of the {first.gatings} comparisons that share the risk of a false "
            "alarm are in no shard: were all of them given the same blocks, baselines and selection "
            "(-k, -m, --lf)?"
        )


def _shared(tables: Sequence[Mapping[str, T]]) -> dict[str, T]:
    """What all of them say alike."""
    return {name: value for name, value in tables[0].items() if all(t.get(name) == value for t in tables)}
