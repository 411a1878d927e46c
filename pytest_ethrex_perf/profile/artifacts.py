"""The files of a profile: folded stacks, flamegraphs, speedscope, Firefox; one folder for each block."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.profile import analyses, differential, firefox, flamegraph, speedscope, stacks, tree
from pytest_ethrex_perf.records.metric import EXEC, PREP
from pytest_ethrex_perf.records.profile import BlockProfile, Hotspot, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.profile.differential import Metric
    from pytest_ethrex_perf.profile.stacks import Frames, Profile
    from pytest_ethrex_perf.records.result import BlockResult

_LONGEST = 100  # characters of a folder's name
_HOTSPOTS = 25  # functions that a results file names
_PER_MS = 10_000
_ERROR_DIGITS = 4  # of ms, as the frames themselves have
_PHASES = {"exec": "execution", "prep": "preparation"}
_OF_BLOCKS: tuple[Metric, ...] = (PREP, EXEC)  # in a block's order


def write(folder: Path, head: Sequence[Profile], base: Sequence[Profile] = ()) -> list[Path]:
    """Write the files of a block's profiles and return their paths.

    `head.folded` (all phases, samples), `flamegraph.html`, `speedscope.json` (exec, ms per block),
    `firefox.json` (prep and exec, ms per block), and where there is a base `base.folded` and a differential
    flamegraph on the same page. Raises `MeasurementError` where they can't be written.
    """
    sides = {"base": base, "head": head} if base else {"head": head}
    contents = {f"{side}.folded": stacks.render(stacks.total(taken)) for side, taken in sides.items()}
    contents["flamegraph.html"] = flamegraph.page(
        f"{head[0].block}: where the time goes", figures(head, base)
    )
    contents["speedscope.json"] = speedscope.dump(
        head[0].block, {side: per_block(taken) for side, taken in sides.items()}
    )
    processes = [
        firefox.Process(f"{side}: {taken[0].label}", {phase: per_block(taken, phase) for phase in _OF_BLOCKS})
        for side, taken in sides.items()
    ]
    contents["firefox.json"] = firefox.dump(head[0].block, processes, started=head[0].started)
    return _written(folder, contents)


def _written(folder: Path, contents: Mapping[str, str]) -> list[Path]:
    written = []
    for name, content in contents.items():
        try:
            files.replace(folder / name, content.encode())
        except OSError as error:
            raise MeasurementError(f"{folder / name}: can't be written: {error.strerror}") from None
        written.append(folder / name)
    return written


def folder_name(block: str) -> str:
    """Name of a block's folder, whatever a results file calls the block."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in block)[:_LONGEST]


def figures(head: Sequence[Profile], base: Sequence[Profile] = ()) -> list[str]:
    """The flamegraphs of a report, the most useful first: base against head, head, head with all phases."""
    of_head = per_block(head)
    drawn = [
        flamegraph.graph("head, execution: CPU ms per block", of_head, unit="ms"),
        flamegraph.graph("head, the whole process: samples", stacks.total(head)),
    ]
    if base:
        title = "base against head, execution: CPU ms per block"
        of_base = per_block(base)
        errors = differential.frame_errors(base, head, flamegraph.paths(of_base, of_head), drop=0)
        drawn.insert(0, flamegraph.differential(title, of_base, of_head, errors))
    return drawn


def per_block(profiles: Sequence[Profile], phase: Metric = "exec", drop: int = 0) -> dict[Frames, float]:
    """CPU ms of one execution (or preparation) by stack; thread first, no phase.

    From all invocations, without the first `drop` repeats of each.
    """
    blocks = sum(len(profile.exec_ns) - drop for profile in profiles)
    ms: dict[Frames, float] = {}
    for profile in profiles:
        for stack in profile.stacks:
            samples = sum(count for repeat, count in stack.counts if repeat > drop)
            if stack.phase == phase and samples:
                frames = (stack.thread, *(profile.names[index] for index in stack.frames))
                ms[frames] = ms.get(frames, 0.0) + samples * profile.period_ns / 1e6 / blocks
    return ms


def summed_up(
    head: Sequence[Profile], base: Sequence[Profile] = (), *, phase: Metric = "exec", drop: int = 1
) -> BlockProfile:
    """What a results file keeps of a block's profiles.

    Raises `MeasurementError` where head has no sample in `phase`.
    """
    drop = min(drop, *(len(profile.exec_ns) - 1 for profile in (*head, *base)))
    of_head = per_block(head, phase, drop)
    if not of_head:
        raise MeasurementError(f"{head[0].block}: {head[0].recorder} took no sample within {phase}")
    own: dict[str, float] = {}
    for frames, ms in of_head.items():
        own[frames[-1]] = own.get(frames[-1], 0.0) + ms
    total = sum(own.values())
    of_base = per_block(base, phase, drop)
    names, frames_of_both = tree.pack(of_base, of_head)
    errors: list[float] = []
    if base:
        paths = [(), *tree.paths(names, frames_of_both)]
        known = differential.frame_errors(base, head, paths, drop=drop, phase=phase)
        errors = [round(known[path], _ERROR_DIGITS) for path in paths]
    return BlockProfile(
        phase=phase,
        recorder=head[0].recorder,
        repeats=(_repeats(base, drop) if base else None, _repeats(head, drop)),
        cut_off=(stacks.cut_off(of_base) if base else None, stacks.cut_off(of_head)),
        hotspots=tuple(
            Hotspot(name=name, ms=ms, share=ms / total)
            for name, ms in sorted(own.items(), key=lambda item: (-item[1], item[0]))[:_HOTSPOTS]
        ),
        parts=_parts(of_base if base else None, of_head),
        names=names,
        frames=frames_of_both,
        errors_ms=tuple(errors),
    )


def _parts(base: Mapping[Frames, float] | None, head: Mapping[Frames, float]) -> dict[str, tuple[Part, ...]]:
    """What the guide's analyses say of both sides."""
    of_head = _analysed(head)
    of_base = None if base is None else _analysed(base)
    parts = {}
    for title, counts in of_head.items():
        base_counts = {} if of_base is None else of_base[title]
        both = {name: max(counts[name], base_counts.get(name, 0)) for name in {*counts, *base_counts}}
        names = [name for name in sorted(both, key=lambda name: (-both[name], name)) if both[name]]
        if set(names) - {analyses.OTHER}:
            parts[title] = tuple(
                Part(
                    name=name,
                    base_ms=None if of_base is None else base_counts.get(name, 0) / _PER_MS,
                    head_ms=counts[name] / _PER_MS,
                )
                for name in names[:_HOTSPOTS]
            )
    return parts


def _analysed(ms: Mapping[Frames, float]) -> dict[str, Counter[str]]:
    """Analyses count samples: here they are 0.1 µs each."""
    counted = Counter({frames: round(value * _PER_MS) for frames, value in ms.items()})

    def families(counted: Mapping[str, Mapping[str, int]]) -> Counter[str]:
        return Counter({name: sum(callers.values()) for name, callers in counted.items()})

    return {
        "crate": analyses.crates(counted),
        "opcode": analyses.opcodes(counted),
        "allocation": families(analyses.allocations(counted)),
        "data structure": families(analyses.structures(counted)),
    }


def _repeats(profiles: Sequence[Profile], drop: int) -> int:
    return sum(len(profile.exec_ns) - drop for profile in profiles)


def figures_of(profile: BlockProfile) -> list[str]:
    """The flamegraphs of what a results file keeps, base against head first."""
    base, head = tree.unpack(profile.names, profile.frames)
    phase = _PHASES[profile.phase]
    drawn = [flamegraph.graph(f"head, {phase}: CPU ms per block", head, unit="ms")]
    if profile.repeats[0] is not None:
        title = f"base against head, {phase}: CPU ms per block"
        paths = [(), *tree.paths(profile.names, profile.frames)]
        errors = dict(zip(paths, profile.errors_ms, strict=False))
        drawn.insert(0, flamegraph.differential(title, base, head, errors))
    return drawn


def write_kept(folder: Path, block: BlockResult, profile: BlockProfile, started: str) -> list[Path]:
    """Write what a results file keeps of a block of the run that `started` then: one phase, CPU per block.

    Folded stacks are in µs, `speedscope.json` and `firefox.json` in ms. Raises `MeasurementError` where they
    can't be written.
    """
    base, head = tree.unpack(profile.names, profile.frames)
    sides = {"base": base, "head": head} if profile.repeats[0] is not None else {"head": head}
    root = f"[{profile.phase}]"
    contents = {
        f"{side}.folded": stacks.render({(root, *frames): round(1e3 * ms) for frames, ms in taken.items()})
        for side, taken in sides.items()
    }
    contents["speedscope.json"] = speedscope.dump(block.block, sides)
    labels = {"base": block.base and block.base.label, "head": block.head and block.head.label}
    processes = [
        firefox.Process(f"{side}: {label}" if (label := labels[side]) else side, {profile.phase: taken})
        for side, taken in sides.items()
    ]
    contents["firefox.json"] = firefox.dump(block.block, processes, started=started)
    return _written(folder, contents)
