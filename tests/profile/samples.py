"""Samples, output and profiles made for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile.stacks import Profile, gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_ethrex_perf.profile.stacks import Frames, Phase

START = datetime(2026, 2, 18, 2, 42, 1, tzinfo=UTC)
MS = 1_000_000

PERF_SCRIPT = Path(__file__).with_name("perf_script.txt").read_text()
"""perf 6.1's `-F comm,pid,tid,time,ip,sym,dso --ns`, shortened by hand."""


def line(ms: float, message: str) -> str:
    """A tracing line, so long after the start."""
    time = (START + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{time}  INFO ethrex_replay::cli: {message}\n"


def utc_ns(ms: float) -> int:
    """That moment in ns since 1970."""
    return round((START.timestamp() * 1000 + ms) * MS)


def profile(
    samples: Iterable[tuple[Phase, int, str, Frames]],
    *,
    exec_ns: Sequence[int] = (60 * MS,) * 4,
    period_ns: float = MS,
    block: str = "mainnet/24443168",
    sha: str = "a" * 64,
    notes: tuple[str, ...] = (),
) -> Profile:
    """A profile of these (phase, repeat, thread, frames)."""
    names, stacks = gathered(samples)
    return Profile(
        program_sha256=sha,
        label="ethrex-replay",
        block=block,
        started=START.isoformat(),
        recorder="perf 6.1, dwarf frames",
        period_ns=period_ns,
        prep_ns=tuple(time // 2 for time in exec_ns),
        exec_ns=tuple(exec_ns),
        names=names,
        stacks=stacks,
        notes=notes,
    )


def executing(
    counts: Mapping[str, Sequence[int]], thread: str = "main"
) -> list[tuple[Phase, int, str, Frames]]:
    """Samples of the exec phase: for each function so many in each repeat, below `ethrex_vm::run`."""
    return [
        ("exec", repeat, thread, ("main", "ethrex_vm::run", name))
        for name, per_repeat in counts.items()
        for repeat, samples in enumerate(per_repeat, 1)
        for _ in range(samples)
    ]
