"""The plain data that flows through the house: raw invocations in, one `RunResult` out to every report.

Times are integers in nanoseconds. Changes are plain fractions (0.03 is +3 %) where named `change`, natural
logarithms inside `Decision`. Files of these are JSON, versioned by `SCHEMA`, strict about unknown fields.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Literal, TypeAlias

import msgspec

from pytest_ethrex_perf.records.decision import Decision, Rules
from pytest_ethrex_perf.records.measurement import (
    CacheIdentity,
    Invocation,
    Machine,
    Pair,
    Program,
    Record,
    Sample,
    Side,
    StoredSession,
)
from pytest_ethrex_perf.records.metric import EXEC, Time, Unit
from pytest_ethrex_perf.records.origin import Origin

SCHEMA = 2


class PastSession(Record, frozen=True, kw_only=True):
    """One session of a baseline's history, without its raw data."""

    id: str
    started: str
    tags: tuple[str, ...] = ()
    invocations: int
    levels: dict[str, float]
    """Of each gated metric, in its unit: geometric mean over invocations of what is judged of them."""


class PastEpoch(Record, frozen=True, kw_only=True):
    """Sessions at one accepted level, and why the level before it was left."""

    number: int
    """From 1, in its file: a block may have a second one, of what callgrind counts."""
    reason: str
    started: str
    sessions: tuple[PastSession, ...]


class SideResult(Record, frozen=True, kw_only=True):
    """Base or head of one block, summed up over its invocations."""

    label: str
    """The program as the user wrote it, or where the baseline is stored."""
    program: Program | None
    """None for a stored baseline, whose sessions may be of several programs."""
    invocations: int
    exec_ns: float | None
    """exec of one repeat: geometric mean over invocations of their `BlockResult.sample`. None, as the other
    times, where a stored baseline has counts to compare with and no times."""
    prep_ns: float | None
    ggas_per_s: float | None
    """gas / exec; 1 Ggas/s is 1 gas/ns."""
    phases: dict[str, float] = {}
    """Median over invocations of each phase, in ms."""
    opcodes: int | None = None


class Row(Record, frozen=True, kw_only=True):
    """One measured quantity of both sides side by side, judged or not; a row of the block's table."""

    name: str
    unit: Literal["ns", "Ggas/s", "KiB", "%", "ratio", ""]
    """`%` holds a fraction."""
    base: float | None
    head: float | None
    base_sd: float | None = None
    """Relative standard deviation between invocations, a fraction."""
    head_sd: float | None = None
    change: float | None = None
    """head / base - 1."""
    metric: str | None = None
    """The metric that it is about, where it can be judged; `name` then also says how it was counted."""
    counted: bool = False
    """It was counted beside the clock, or is a rate of what was."""
    identity: str | None = None
    """How it was counted, in full."""
    remark: str = ""
    """The profiling guide's rule of thumb about the head's value."""
    detail: bool = False
    """For those who want to know more."""


Outcome = Literal["pass", "fail", "warn", "waived"]


class MetricResult(Record, frozen=True, kw_only=True):
    """One gating: a block, a metric, the rules, what was decided and what follows from it."""

    metric: str
    rules: Rules
    decision: Decision
    step: float
    """Coarsest resolution at which a sample of this metric was printed, as a log."""
    unit: Unit = "ns"
    """Of `base` and `head`: times in ns, counts in nothing."""
    identity: str | None = None
    """How it was counted; None for a time."""
    base: float
    head: float
    outcome: Outcome
    outcome_reason: str = ""
    """Why the outcome is not what the verdict alone would give (waiver, option)."""
    context: Decision | None = None
    """The stored comparison, for information only, where the run was interleaved."""

    @property
    def head_interval(self) -> tuple[float, float] | None:
        """Where head lies by the 95 % interval of its change, in `unit`; None where there is none."""
        if self.decision.ci95 is None:
            return None
        low, high = self.decision.ci95
        return self.base * math.exp(low), self.base * math.exp(high)


Mode = Literal["interleaved", "stored", "record"]


FIRST_SESSION = "epoch's first session"
"""What the session at which the baseline was last reset is called in a file."""


class ReferenceResult(Record, frozen=True, kw_only=True):
    """Head beside one earlier session, so that creep is seen: many small changes, each of them accepted."""

    name: str
    """`epoch's first session`, `session tagged v1`."""
    date: str
    """The day of that session."""
    metric: str
    change: float
    detectable: float | None = None
    """Smallest true slowdown, a fraction, that two such sessions alone would have proven; None if unknown."""


class PublishedResult(Record, frozen=True, kw_only=True):
    """What others published of this block, on a machine of theirs: shown beside it, never compared with."""

    machine: str
    date: str
    source: str
    exec_ns: float
    ggas_per_s: float


class FunctionChange(Record, frozen=True, kw_only=True):
    """One function (or thread) of base beside head, by sampled stacks: CPU time of the exec phase."""

    name: str
    base_ms: float
    """CPU ms per block."""
    head_ms: float
    change_ms: float
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
    cpu_error_ms: float
    """Standard error of the change of that."""
    exec_base_ms: float
    """exec of base, wall time."""
    exec_head_ms: float
    exec_measured: bool
    """exec is what the gate measured; otherwise the profiled invocations' own."""
    repeats: tuple[int, int]
    """Profiled repeats of base and of head."""
    notes: tuple[str, ...] = ()

    @property
    def unexplained_ms(self) -> float:
        """What of exec's change the functions do not add up to: the kernel, waiting, parallel work."""
        return (self.exec_head_ms - self.exec_base_ms) - (self.cpu_head_ms - self.cpu_base_ms)


class Hotspot(Record, frozen=True, kw_only=True):
    """One function and the CPU time that it spent itself."""

    name: str
    ms: float
    """CPU ms per block."""
    share: float
    """Of the phase's CPU time on all threads, a fraction."""


class Part(Record, frozen=True, kw_only=True):
    """A crate, opcode or kind of work, and the CPU time of the phase that goes there."""

    name: str
    base_ms: float | None
    """CPU ms per block; None where base has no profile."""
    head_ms: float


StackFrame: TypeAlias = tuple[int, int, float, float]
"""A frame of a tree of stacks: the index of its caller (-1: a thread), of its name, and the CPU ms per block
of base and of head that it spent itself, or in callees too small to have a frame."""


class BlockProfile(Record, frozen=True, kw_only=True):
    """Where the CPU time of a block goes, by the stacks of extra invocations that nothing was timed by."""

    phase: Time = EXEC
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
    frames: tuple[StackFrame, ...]
    """Callers before what they call."""
    errors_ms: tuple[float, ...] = ()
    """Standard errors of the change of all together and then of each of `frames`, what it calls included, in
    CPU ms per block; empty where base has no profile, and in older files."""
    files: str | None = None
    """The folder that the run wrote folded stacks, flamegraphs and the files of speedscope and the Firefox
    Profiler into, from where it was started; None where it could not."""


class Advice(Record, frozen=True, kw_only=True):
    """What would most probably decide an inconclusive block on its machine."""

    command: str
    """To be typed as it is."""
    reason: str
    """Why this one: one clause, with the numbers that were measured."""


class BlockResult(Record, frozen=True, kw_only=True):
    """Everything about one block of a run: what was measured, raw, and what was made of it."""

    block: str
    mode: Mode
    aa: bool = False
    repeat: int | None
    """Per invocation; None where it was to be chosen and nothing was measured."""
    drop: int
    """Repeats dropped at the start of each invocation."""
    sample: Sample = "median"
    """What of the repeats that count was judged; the median in older files, which don't say it."""
    cache: CacheIdentity | None = None
    gas: int | None = None
    txs: int | None = None
    base: SideResult | None = None
    head: SideResult | None = None
    rules: dict[str, Rules] = {}
    """By what each metric is judged, also where nothing was judged because a session was recorded."""
    metrics: tuple[MetricResult, ...] = ()
    references: tuple[ReferenceResult, ...] = ()
    published: tuple[PublishedResult, ...] = ()
    rows: tuple[Row, ...] = ()
    explanation: Explanation | None = None
    """Which functions a change comes from, where base and head were profiled."""
    profile: BlockProfile | None = None
    """What flamegraphs are drawn from, where head was profiled."""
    notes: tuple[str, ...] = ()
    """What the reader should know: same program as the baseline's, few sessions, noise, with the remedy."""
    advice: Advice | None = None
    """Where it was inconclusive, the command to decide it with; None in results of older versions."""
    error: str | None = None
    """Why it could not be measured; then nothing was judged."""
    skipped: str | None = None
    recorded: str | None = None
    """What was written into which baseline."""
    refused: bool = False
    """The session was measured whole, but its baseline did not take it (`error` says why): it can still be
    accepted from the results file."""
    reproduce: str = ""
    """The command that repeats this measurement."""
    pairs: tuple[Pair, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    """The new session, where the mode is not interleaved."""
    baseline: tuple[StoredSession, ...] = ()
    history: tuple[PastEpoch, ...] = ()
    """All of the baseline, every epoch, before this session; empty in results of older versions."""
    raw_sha256: str | None = None
    """`raw_digest()` when it was measured: it no longer fits if a repeat was edited since."""

    def raw_digest(self) -> str:
        """sha256 over what was measured: start, repeats and counts of every invocation, in order; the drop.

        Facts that later versions may add are left out, so that a digest stays what it is.
        """

        def raw(invocations: tuple[Invocation, ...]) -> list[object]:
            return [
                [i.started, i.prep_ns, i.exec_ns, i.gas, *([counted] if (counted := i.counted()) else [])]
                for i in invocations
            ]

        content = [
            self.drop,
            [[pair.first, *raw((pair.base, pair.head))] for pair in self.pairs],
            raw(self.invocations),
            [[session.started, raw(session.invocations)] for session in self.baseline],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def sealed(self) -> BlockResult:
        """The same with its `raw_sha256`."""
        return msgspec.structs.replace(self, raw_sha256=self.raw_digest())

    def taken(self, side: Side) -> tuple[Invocation, ...]:
        """This run's own invocations of one side, in the order they ran."""
        if self.pairs:
            return tuple(pair.base if side == "base" else pair.head for pair in self.pairs)
        return self.invocations if side == "head" else ()

    def metric(self, name: str) -> MetricResult:
        """The result of metric `name`; raises KeyError."""
        for result in self.metrics:
            if result.metric == name:
                return result
        raise KeyError(name)


class SuiteResult(Record, frozen=True, kw_only=True):
    """The mean over blocks of one metric, judged over every round measured."""

    metric: str
    blocks: tuple[str, ...]
    rules: Rules
    decision: Decision
    step: float
    outcome: Outcome
    outcome_reason: str = ""


class RunResult(Record, frozen=True, kw_only=True):
    """One pytest run: the content of `--ethrex-json`."""

    schema: int = SCHEMA
    version: str
    """Of pytest-ethrex-perf."""
    started: str
    wall_s: float
    machine: str
    """Its key."""
    measured_on: Machine
    counted_on: Machine | None = None
    """To whom the counts belong where that is not `measured_on`: callgrind's do not depend on the CPU."""
    counters: str = ""
    """What was counted with, or why nothing was."""
    gatings: int
    """Block-metrics over which alpha was spent, fixed at the end of collection; of all shards together."""
    shard: str | None = None
    """`2/5`: the second of five parts of a run, each measured on a machine of its own."""
    settings: dict[str, str]
    origin: Origin = Origin()
    """Where its programs come from, and the CI's job that measured."""
    blocks: tuple[BlockResult, ...]
    suite: tuple[SuiteResult, ...] = ()
    sha256: str | None = None
    """`digest()` when the file was written: it no longer fits if anything in it was edited since."""

    def digest(self) -> str:
        """sha256 over everything else, whatever the file's white space and the order of its fields."""
        content = msgspec.json.encode(msgspec.structs.replace(self, sha256=None), order="sorted")
        return hashlib.sha256(content).hexdigest()
