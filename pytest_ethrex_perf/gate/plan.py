"""How one block will be measured: everything that must be known before its first invocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.baseline.files import BaselineFile
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Program, StoredSession
    from pytest_ethrex_perf.records.request import Request
    from pytest_ethrex_perf.records.result import Mode, PastEpoch, PublishedResult


class NothingToDo(Exception):  # noqa: N818 - not an error
    """A block that need not be measured, such as one program against itself; the reason is shown."""


@dataclass(frozen=True)
class Plan:
    """How one block will be measured."""

    request: Request
    mode: Mode
    aa: bool
    head: Program
    base: Program | None
    cache: CacheIdentity
    repeat: int
    invocations: int
    """Of head, where the mode is not interleaved."""
    reproduce: str
    """The command that repeats this measurement."""
    vendor: str | None = None
    """Of the CPU."""
    cpus: int = 1
    """Of the machine, those that we may use."""
    destinations: tuple[BaselineFile, ...] = ()
    """The baseline files that a recorded session goes into."""
    baseline_path: Path | None = None
    """The file with times of this machine: stacks are kept beside it. None where a recording does not write
    it."""
    baseline_label: str = ""
    """The files of what is stored."""
    sessions: tuple[StoredSession, ...] = ()
    """Of the baselines' current epochs, where there are comparable ones."""
    recorded: Program | None = None
    """The program of the newest of them."""
    alone: str | None = None
    """Why the stored sessions decide alone, although their program was looked for."""
    references: tuple[tuple[str, StoredSession], ...] = ()
    """Earlier sessions that the result is shown against, so that creep is seen."""
    published: tuple[PublishedResult, ...] = ()
    history: tuple[PastEpoch, ...] = ()
    notes: tuple[str, ...] = ()
