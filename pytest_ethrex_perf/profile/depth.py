"""How much of each stack is copied, and how often, so that stacks are whole and the limits hold.

perf unwinds a copy of the top of each stack; what lies deeper is cut off. 32 KiB a sample are 32 MB for each
second of CPU time at 997 Hz before they are compressed, so a short recording comes first: it shows whether
that is enough, and what a sample takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.profile.sampling import Limits

REPEAT = 2
"""Repeats of the short recording."""
ENOUGH = 0.01
"""Where a smaller fraction of stacks is cut off, no more of each is taken."""
LEAST_FREQUENCY = 49
"""Hz: a limit that does not allow even that is hit, and says what to do."""
_SHARE = 0.5  # of the limits that recordings may be expected to take


@dataclass(frozen=True, slots=True)
class Trial:
    """What a short recording showed."""

    stack_bytes: int
    """Copied of each stack."""
    cut: float
    """Fraction of the stacks that were cut off all the same, of execution's if they are worse."""
    samples: int
    file_bytes: int
    reading_s: float
    loading_s: float
    """CPU time before the first repeat."""
    repeat_s: float
    """CPU time of each repeat, what follows it included."""


@dataclass(frozen=True, slots=True)
class Depth:
    """What is taken of each stack, and how often."""

    stack_bytes: int
    frequency: int
    notes: tuple[str, ...] = ()


def best(trials: Sequence[Trial]) -> Trial:
    """The trial with the smallest stacks, unless with larger ones less than half as many were cut off."""
    chosen = trials[0]
    for trial in trials[1:]:
        if trial.cut < chosen.cut / 2:
            chosen = trial
    return chosen


def plan(trials: Sequence[Trial], *, frequency: int, repeat: int, recordings: int, limits: Limits) -> Depth:
    """What to take in `recordings` invocations of `repeat` repeats: at most `frequency` samples per second.

    Each recording is expected to fill at most half of the size that is allowed, and reading all of them to
    take half of the time.
    """
    trial = best(trials)
    cpu_s = trial.loading_s + repeat * trial.repeat_s
    if not trial.samples or not cpu_s:
        return Depth(trial.stack_bytes, frequency)
    by_size = _SHARE * (limits.mib << 20) / trial.file_bytes
    by_time = _SHARE * limits.timeout_s / recordings / trial.reading_s
    affordable = max(LEAST_FREQUENCY, int(min(by_size, by_time) * trial.samples / cpu_s))
    if affordable >= frequency:
        return Depth(trial.stack_bytes, frequency)
    limit = f"{limits.mib} MiB" if by_size < by_time else f"{limits.timeout_s:.0f} s"
    note = (
        f"sampled at {affordable} Hz instead of {frequency}: stacks of {trial.stack_bytes / 1024:.0f} KiB "
        f"would fill more than half of {limit}"
    )
    return Depth(trial.stack_bytes, affordable, (note,))
