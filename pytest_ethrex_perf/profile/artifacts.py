"""The files of a profile: folded stacks, flamegraphs, speedscope; one folder for each block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf import files
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import flamegraph, speedscope, stacks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ethrex_perf.profile.stacks import Frames, Profile


def write(folder: Path, head: Sequence[Profile], base: Sequence[Profile] = ()) -> list[Path]:
    """Write the files of a block's profiles and return their paths.

    `head.folded` (all phases, samples), `flamegraph.html`, `speedscope.json` (exec, ms per block), and where
    there is a base `base.folded` and a differential flamegraph on the same page. Raises `MeasurementError`
    where they can't be written.
    """
    sides = {"base": base, "head": head} if base else {"head": head}
    contents = {f"{side}.folded": stacks.render(stacks.total(taken)) for side, taken in sides.items()}
    contents["flamegraph.html"] = flamegraph.page(
        f"{head[0].block}: where the time goes", figures(head, base)
    )
    contents["speedscope.json"] = speedscope.dump(
        head[0].block, {side: per_block(taken) for side, taken in sides.items()}
    )
    written = []
    for name, content in contents.items():
        try:
            files.replace(folder / name, content.encode())
        except OSError as error:
            raise MeasurementError(f"{folder / name}: can't be written: {error.strerror}") from None
        written.append(folder / name)
    return written


def figures(head: Sequence[Profile], base: Sequence[Profile] = ()) -> list[str]:
    """The flamegraphs of a report, the telling one first: base against head, head, head with all phases."""
    of_head = per_block(head)
    drawn = [
        flamegraph.graph("head, execution: CPU ms per block", of_head, unit="ms"),
        flamegraph.graph("head, the whole process: samples", stacks.total(head)),
    ]
    if base:
        title = "base against head, execution: CPU ms per block"
        drawn.insert(0, flamegraph.differential(title, per_block(base), of_head))
    return drawn


def per_block(profiles: Sequence[Profile]) -> dict[Frames, float]:
    """CPU ms of one execution by stack, from all repeats of all invocations; thread first, no phase."""
    blocks = sum(len(profile.exec_ns) for profile in profiles)
    ms: dict[Frames, float] = {}
    for profile in profiles:
        for frames, samples in profile.folded(["exec"]).items():
            ms[frames[1:]] = ms.get(frames[1:], 0.0) + samples * profile.period_ns / 1e6 / blocks
    return ms
