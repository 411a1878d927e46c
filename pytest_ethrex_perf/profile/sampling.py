"""How stacks are taken, what that may cost, and what a profiler has to do for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.profile.folding import Sample

FrameSource = Literal["dwarf", "fp"]
FREQUENCY = 997
"""Samples per second of CPU time: a prime, so that it does not beat with what the program does."""
STACK_BYTES = 32 * 1024
"""Of each sample's stack, copied to be unwound afterwards: ethrex's reach beyond 16 KiB."""
_SPREAD = 0.3  # of the frequencies of several invocations, around the one asked for
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a profile may cost."""

    timeout_s: float = 300.0
    """For the invocation and for reading what was recorded, together."""
    mib: int = 512
    """Of the recorded file."""
    more_time: str = "fewer repeats, or a longer --timeout"
    """What to do where the time was not enough, in the words of whoever set it."""
    more_space: str = "fewer repeats, --frames fp, or a higher --max-size"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How stacks are taken."""

    frames: FrameSource = "dwarf"
    """`fp` where the program was built with frame pointers: smaller and faster."""
    frequency: int = FREQUENCY
    """Samples per second of CPU time."""
    limits: Limits = Limits()
    stack_bytes: int = STACK_BYTES
    """Where frames are `dwarf`."""


def frequencies(count: int, frequency: int = FREQUENCY) -> list[int]:
    """A sampling rate for each of `count` invocations of a side: the first as asked, the others around it.

    A clock starts with each thread, so at one rate every invocation would be sampled at the same moments of
    its work.
    """
    return [
        round(frequency * (1 + _SPREAD * ((number * _GOLDEN + 0.5) % 1 - 0.5))) for number in range(count)
    ]


class Profiler(Protocol):
    """perf or samply."""

    def arguments(self, argv: Sequence[str], file: Path, sampling: Sampling) -> list[str]:
        """The command line that runs `argv` and records into `file`."""
        ...

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment for it, from the program's own."""
        ...

    def complaint(self, finished: Finished, sampling: Sampling) -> str | None:
        """Why the profiler, not the program, ended the invocation; None where it did not."""
        ...

    def samples(
        self, file: Path, *, utc_offset_ns: int, environ: Mapping[str, str], limits: Limits
    ) -> tuple[list[Sample], list[str]]:
        """The recorded samples, times in ns since 1970 UTC, and notes for the reader.

        `utc_offset_ns` is UTC minus CLOCK_MONOTONIC. Raises `MeasurementError` without the block's name.
        """
        ...

    def stack_sizes(self, sampling: Sampling) -> Sequence[int]:
        """How many bytes of each stack it can copy, the fewest first; none where it walks stacks itself."""
        ...

    def describe(self, sampling: Sampling) -> str:
        """Name, version and way of taking stacks: `perf 6.1.187, dwarf frames`."""
        ...
