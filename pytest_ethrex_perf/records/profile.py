"""Where the time of a block goes, by profiles of extra invocations: functions, kinds of work, frames."""

from __future__ import annotations

from typing import TypeAlias

from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.records.metric import EXEC, Time


class FunctionChange(Record, frozen=True, kw_only=True):
    """One function (or thread) of base beside head, by sampled stacks: CPU time of the exec phase."""

    name: str
    """Of the function, or of the thread."""
    base_ms: float
    """CPU ms per block."""
    head_ms: float
    """The same of head."""
    change_ms: float
    """Head - base."""
    error_ms: float
    """Standard error of the change."""
    caller: str | None = None
    """The ethrex function above it that accounts for most of the change."""


class Explanation(Record, frozen=True, kw_only=True):
    """Where a change of exec comes from, by profiles of base and head taken beside the measurement."""

    metric: Time = EXEC
    """Whose change is explained: of `prep`, everything below is about preparation instead of execution."""
    functions: tuple[FunctionChange, ...]
    """Self time, only what is beyond two standard errors, the largest change first."""
    threads: tuple[FunctionChange, ...]
    """All of them: threads run beside each other, so their changes need not add up to exec's."""
    left_out: int
    """Functions whose change is within two standard errors."""
    left_out_ms: float
    """What those changed together."""
    cpu_base_ms: float
    """CPU ms per block of all functions on all threads."""
    cpu_head_ms: float
    """The same of head."""
    cpu_error_ms: float
    """Standard error of the change of that."""
    exec_base_ms: float
    """exec of base, wall time."""
    exec_head_ms: float
    """The same of head."""
    exec_measured: bool
    """exec is what the gate measured; otherwise the profiled invocations' own."""
    repeats: tuple[int, int]
    """Profiled repeats of base and of head."""
    notes: tuple[str, ...] = ()
    """What the reader should know of the profiles."""

    @property
    def unexplained_ms(self) -> float:
        """What of exec's change the functions do not add up to: the kernel, waiting, parallel work."""
        return (self.exec_head_ms - self.exec_base_ms) - (self.cpu_head_ms - self.cpu_base_ms)


class Hotspot(Record, frozen=True, kw_only=True):
    """One function and the CPU time that it spent itself."""

    name: str
    """Of the function."""
    ms: float
    """CPU ms per block."""
    share: float
    """Of the phase's CPU time on all threads, a fraction."""


class Part(Record, frozen=True, kw_only=True):
    """A crate, opcode or kind of work, and the CPU time of the phase that goes there."""

    name: str
    """Of the crate, opcode or kind of work."""
    base_ms: float | None
    """CPU ms per block; None where base has no profile."""
    head_ms: float
    """The same of head."""


StackFrame: TypeAlias = tuple[int, int, float, float]
"""A frame of a tree of stacks: the index of its caller (-1: a thread), of its name, and the CPU ms per block
of base and of head that it spent itself, or in callees too small to have a frame."""


class BlockProfile(Record, frozen=True, kw_only=True):
    """Where the CPU time of a block goes, by the stacks of extra invocations that nothing was timed by."""

    phase: Time = EXEC
    """Of which phase: `exec`, or `prep`."""
    recorder: str
    """`perf 6.1, dwarf frames`, of head."""
    repeats: tuple[int | None, int]
    """Profiled repeats of base (None: it has no profile) and of head."""
    cut_off: tuple[float | None, float] = (None, 0.0)
    """Fraction of the phase's CPU time, of base (None: it has no profile) and of head, whose stacks do not
    reach back to where their threads began: they hang below `[cut off]`."""
    hotspots: tuple[Hotspot, ...]
    """Head's functions by self time, the largest first."""
    parts: dict[str, tuple[Part, ...]] = {}
    """By `crate`, `opcode`, `allocation` and `data structure`, as far as there is any; the largest first."""
    names: tuple[str, ...]
    """Of all functions and threads of `frames`."""
    frames: tuple[StackFrame, ...]
    """Callers before what they call."""
    errors_ms: tuple[float, ...] = ()
    """Standard errors of the change of all together and then of each of `frames`, what it calls included, in
    CPU ms per block; empty where base has no profile, and in older files."""
    files: str | None = None
    """The folder that the run wrote folded stacks, flamegraphs and the files of speedscope and the Firefox
    Profiler into, from where it was started; None where it could not."""
