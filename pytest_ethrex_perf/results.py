"""The plain data that flows through the house: raw invocations in, one `RunResult` out to every report.

Times are integers in nanoseconds. Changes are plain fractions (0.03 is +3 %) where named `change`, natural
logarithms inside `Decision`. Files of these are JSON, versioned by `SCHEMA`, strict about unknown fields.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from typing import Literal, TypeAlias

import msgspec

from pytest_ethrex_perf.judge.verdict import Decision, Rules

SCHEMA = 2
Kind = Literal["ethrex", "embedded"]
Fact: TypeAlias = str | int | float | bool
Facts: TypeAlias = dict[str, Fact]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that is stored: immutable, keyword-only, strict when read."""


class Machine(Record, frozen=True, kw_only=True):
    """Where something was measured. Baselines belong to one `key`."""

    key: str
    """Readable, usable in a file's name, stable across reboots: `amd-epyc-9454p-32c-4f1d`."""
    named: bool = False
    """The key was given (`--ethrex-machine`): a fleet of equal machines goes by it."""
    keyed: Facts
    """What changes performance: a change of any of these is another machine."""
    recorded: Facts
    """What may change performance: a change is worth a warning, not another key."""


class Usage(Record, frozen=True, kw_only=True):
    """What the kernel counted for one process and its children (`wait4`)."""

    user_ns: int
    system_ns: int
    max_rss_kib: int | None
    """None where the program took less memory than we do: Linux passes our own peak on to a child."""
    voluntary_switches: int
    involuntary_switches: int
    minor_faults: int | None = None
    """Pages that were there or had only to be cleared; None in results of older versions."""
    major_faults: int | None = None
    """Pages that had to be read from somewhere."""


class Noise(Record, frozen=True, kw_only=True):
    """What else the machine did during one invocation; None where the machine does not tell."""

    psi_some_us: int | None = None
    """Time that something runnable waited for a CPU: delta of `some total` in /proc/pressure/cpu."""
    steal_ticks: int | None = None
    """Delta of steal in /proc/stat, all CPUs, in clock ticks."""
    throttled_us: int | None = None
    """Delta of throttled_usec in the cgroup's cpu.stat."""
    load1: float | None = None
    """One-minute load average at the start."""


InstrumentName = Literal["perf", "callgrind"]
CountMethod = Literal["function", "window", "difference", "process"]
Covered = Literal["exec", "prep", "repeat", "process"]


class Count(Record, frozen=True, kw_only=True, omit_defaults=True):  # an invocation has a line in a file
    """How often one event happened in one invocation, and how that was found out.

    Counts of different `identity` are different things and are never compared.
    """

    event: str
    """One name for each event, whatever perf calls it: `instructions`, `branches`, `task-clock`."""
    unit: Literal["", "ns"] = ""
    values: tuple[float, ...] = ()
    """Of single repeats, the first one left out, where the method tells them apart; else one mean per repeat,
    or (`process`) the whole process. Empty where `missing` says why."""
    instrument: InstrumentName
    method: CountMethod
    """`function`: cut at its calls; `window`: switched on and off by the program's lines; `difference`: of
    processes with more and fewer repeats; `process`: from start to end, loading included."""
    covers: Covered
    """`repeat` is preparation, execution and dropping the store together."""
    user_only: bool
    """Nothing of the kernel is in it."""
    pmu: str | None = None
    """Which of several kinds of core counted (`cpu_core`), None where there is one kind."""
    running: float = 100.0
    """Percent of the time in which it was really counted; below 100 the values are extrapolated."""
    missing: str | None = None
    """Why there are no values."""

    @property
    def identity(self) -> str:
        """`instructions:u by perf (window, repeat)`: event, scope, instrument, method and what it covers."""
        scope = f"{':u' if self.user_only else ''}{f' on {self.pmu}' if self.pmu else ''}"
        return f"{self.event}{scope} by {self.instrument} ({self.method}, {self.covers})"

    @property
    def value(self) -> float | None:
        """Per repeat (of the whole process, if it covers that): the median of the values; None if missing."""
        return statistics.median(self.values) if self.values else None

    @property
    def is_exact(self) -> bool:
        """Whether it was counted all the time: only such counts are judged."""
        return bool(self.values) and self.running >= 100  # noqa: PLR2004 - percent

    @property
    def way(self) -> str:
        """How it was counted, in a word or two: `window` (perf's), `callgrind`, `callgrind difference`."""
        if self.instrument == "perf":
            return self.method
        return self.instrument if self.method == "function" else f"{self.instrument} {self.method}"


class Invocation(Record, frozen=True, kw_only=True):
    """One process of the program: the unit of replication."""

    started: str
    """UTC, ISO 8601."""
    wall_ns: int
    prep_ns: tuple[int, ...]
    exec_ns: tuple[int, ...]
    gas: int
    txs: int
    phases: dict[str, float] = {}
    """Median over the repeats of each phase in ms, from the `[METRIC]` lines where those parse."""
    opcodes: int | None = None
    """Opcodes executed per repeat, where the program counts them (the embedded one does)."""
    usage: Usage
    noise: Noise = Noise()
    counts: dict[str, Count] = {}
    """By metric: `instructions`, `cache-misses`, …, as far as there was something to count them with."""
    counting_ns: int = 0
    """Wall time of further processes, in which was counted what would have disturbed the clock."""

    def repeats(self, metric: str) -> tuple[int, ...]:
        """Raw repeats of `metric` in ns, in the order they ran."""
        return {"exec": self.exec_ns, "prep": self.prep_ns}[metric]

    def counted(self) -> list[tuple[str, str, tuple[float, ...]]]:
        """Of every metric that was counted name, identity and raw values: what seals are made over."""
        return sorted((name, one.identity, one.values) for name, one in self.counts.items() if one.values)


class Program(Record, frozen=True, kw_only=True):
    """The executable that is measured, known by its sha256."""

    kind: Kind
    command: tuple[str, ...]
    """What is run, without prefix and without the arguments that name the block."""
    sha256: str
    label: str
    """As the user wrote it."""
    prefix: tuple[str, ...] = ()
    """What was put before it, e.g. `taskset -c 0-7`."""
    commit: str | None = None


class Pair(Record, frozen=True, kw_only=True):
    """One invocation of base and one of head, run next to each other."""

    first: Literal["base", "head"]
    base: Invocation
    head: Invocation


class CacheIdentity(Record, frozen=True, kw_only=True):
    """What a block's cache file really holds."""

    network: str
    number: int
    block_hash: str
    """0x…, keccak-256 of the RLP-encoded header."""
    witness_sha256: str
    """sha256 over the sorted witness: the same state in another order is the same work."""


class StoredSession(Record, frozen=True, kw_only=True):
    """One session of the stored baseline that was compared with, raw."""

    id: str
    started: str
    program_sha256: str
    times: bool = True
    """Its times are compared; False: only its counts are, since it belongs to this machine by those alone."""
    invocations: tuple[Invocation, ...]


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
    """Typical exec of one repeat: geometric mean over invocations of the median of repeats 2..R. None, as the
    other times, where a stored baseline has counts to compare with and no times."""
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
    unit: Literal["ns", ""] = "ns"
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


Mode = Literal["interleaved", "stored", "record"]


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

    metric: Literal["exec", "prep"] = "exec"
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

    phase: Literal["exec", "prep"] = "exec"
    recorder: str
    """`perf 6.1, dwarf frames`, of head."""
    repeats: tuple[int | None, int]
    """Profiled repeats of base (None: it has no profile) and of head."""
    hotspots: tuple[Hotspot, ...]
    """Head's functions by self time, the largest first."""
    parts: dict[str, tuple[Part, ...]] = {}
    """By `crate`, `opcode`, `allocation` and `data structure`, as far as there is any; the largest first."""
    names: tuple[str, ...]
    frames: tuple[StackFrame, ...]
    """Callers before what they call."""
    files: str | None = None
    """The folder that the run wrote folded stacks, flamegraphs and speedscope's JSON into, from where it was
    started; None where it could not."""


class BlockResult(Record, frozen=True, kw_only=True):
    """Everything about one block of a run: what was measured, raw, and what was made of it."""

    block: str
    mode: Mode
    aa: bool = False
    repeat: int | None
    """Per invocation; None where it was to be chosen and nothing was measured."""
    drop: int
    """Repeats dropped at the start of each invocation."""
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
    """`raw_digest()` when it was measured: whoever edits a repeat by hand is found out."""

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
    blocks: tuple[BlockResult, ...]
    suite: tuple[SuiteResult, ...] = ()
