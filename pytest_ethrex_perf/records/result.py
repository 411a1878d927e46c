"""The plain data that flows through the house: raw invocations in, one `RunResult` out to every report.

Times are integers in nanoseconds. Changes are plain fractions (0.03 is +3 %) where named `change`, natural
logarithms inside `Decision`. Files of these are JSON, versioned by `SCHEMA`, strict about unknown fields.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Literal

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
from pytest_ethrex_perf.records.metric import Unit
from pytest_ethrex_perf.records.origin import Origin
from pytest_ethrex_perf.records.profile import BlockProfile, Explanation

SCHEMA = 2


class PastSession(Record, frozen=True, kw_only=True):
    """One session of a baseline's history, without its raw data."""

    id: str
    """As `Session.id` of its baseline."""
    started: str
    """UTC, ISO 8601."""
    tags: tuple[str, ...] = ()
    """Its tags in the baseline."""
    invocations: int
    """How many it has."""
    levels: dict[str, float]
    """Of each gated metric, in its unit: geometric mean over invocations of what is judged of them."""


class PastEpoch(Record, frozen=True, kw_only=True):
    """Sessions at one accepted level, and why the level before it was left."""

    number: int
    """From 1, in its file: a block may have a second one, of what callgrind counts."""
    reason: str
    """Why it was begun."""
    started: str
    """When its first session started, UTC, ISO 8601."""
    sessions: tuple[PastSession, ...]
    """In the order in which they were added."""


class SideResult(Record, frozen=True, kw_only=True):
    """Base or head of one block, summed up over its invocations."""

    label: str
    """The program as the user wrote it, or where the baseline is stored."""
    program: Program | None
    """None for a stored baseline, whose sessions may be of several programs."""
    recorded: Program | None = None
    """Of a stored baseline: the program of its newest session."""
    invocations: int
    """How many were measured, or are stored."""
    exec_ns: float | None
    """exec of one repeat: geometric mean over invocations of their `BlockResult.sample`. None, as the other
    times, where a stored baseline has counts to compare with and no times."""
    prep_ns: float | None
    """prep of one repeat, as `exec_ns`."""
    ggas_per_s: float | None
    """gas / exec; 1 Ggas/s is 1 gas/ns."""
    phases: dict[str, float] = {}
    """Median over invocations of each phase, in ms."""
    opcodes: int | None = None
    """Opcodes executed per repeat, where the program counts them."""


class Row(Record, frozen=True, kw_only=True):
    """One measured quantity of both sides side by side, judged or not; a row of the block's table."""

    name: str
    """What was measured, as the table names it."""
    unit: Literal["ns", "Ggas/s", "KiB", "%", "ratio", ""]
    """`%` holds a fraction."""
    base: float | None
    """Its value of base; None where there is none."""
    head: float | None
    """Its value of head."""
    base_sd: float | None = None
    """Relative standard deviation between invocations, a fraction."""
    head_sd: float | None = None
    """The same of head."""
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
    """What is gated: `exec`, `instructions`."""
    rules: Rules
    """By what it was judged."""
    decision: Decision
    """What was decided, and on what that rests."""
    step: float
    """Coarsest resolution at which a sample of this metric was printed, as a log."""
    unit: Unit = "ns"
    """Of `base` and `head`: times in ns, counts in nothing."""
    identity: str | None = None
    """How it was counted; None for a time."""
    base: float
    """Geometric mean over the invocations of base."""
    head: float
    """The same of head."""
    outcome: Outcome
    """What follows for the test."""
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
    """Whose change it is."""
    change: float
    """Head / that session - 1."""
    detectable: float | None = None
    """Smallest true slowdown, a fraction, that two such sessions alone would have proven; None if unknown."""


class PublishedResult(Record, frozen=True, kw_only=True):
    """What others published of this block, on a machine of theirs: shown beside it, never compared with."""

    machine: str
    """What it was measured on."""
    date: str
    """When it was published."""
    source: str
    """Where it was published."""
    exec_ns: float
    """exec of one repeat."""
    ggas_per_s: float
    """gas / exec."""


class Advice(Record, frozen=True, kw_only=True):
    """What would most probably decide an inconclusive block on its machine."""

    command: str
    """To be typed as it is."""
    reason: str
    """Why this one: one clause, with the numbers that were measured."""


class BlockResult(Record, frozen=True, kw_only=True):
    """Everything about one block of a run: what was measured, raw, and what was made of it."""

    block: str
    """`mainnet/24443168`."""
    mode: Mode
    """Beside base, against a stored baseline, or recorded into one."""
    aa: bool = False
    """Base was run against itself."""
    repeat: int | None
    """Per invocation; None where it was to be chosen and nothing was measured."""
    drop: int
    """Repeats dropped at the start of each invocation."""
    sample: Sample = "median"
    """What of the repeats that count was judged; the median in older files, which don't say it."""
    cache: CacheIdentity | None = None
    """What its cache file held."""
    gas: int | None = None
    """Gas of the block."""
    txs: int | None = None
    """Transactions of the block."""
    base: SideResult | None = None
    """What it was compared with; None where nothing was."""
    head: SideResult | None = None
    """The program under test."""
    rules: dict[str, Rules] = {}
    """By what each metric is judged, also where nothing was judged because a session was recorded."""
    metrics: tuple[MetricResult, ...] = ()
    """What was judged."""
    references: tuple[ReferenceResult, ...] = ()
    """Head beside earlier sessions, for information."""
    published: tuple[PublishedResult, ...] = ()
    """What others published of the block, for information."""
    rows: tuple[Row, ...] = ()
    """Everything that was measured, side by side."""
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
    """Why it need not be measured."""
    recorded: str | None = None
    """What was written into which baseline."""
    refused: bool = False
    """The session was measured whole, but its baseline did not take it (`error` says why): it can still be
    accepted from the results file."""
    reproduce: str = ""
    """The command that repeats this measurement."""
    pairs: tuple[Pair, ...] = ()
    """What was measured, where the mode is interleaved."""
    invocations: tuple[Invocation, ...] = ()
    """The new session, where the mode is not interleaved."""
    baseline: tuple[StoredSession, ...] = ()
    """The stored sessions that it was compared with."""
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
    """Whose mean it is."""
    blocks: tuple[str, ...]
    """Over which blocks."""
    rules: Rules
    """By what it was judged."""
    decision: Decision
    """What was decided, and on what that rests."""
    step: float
    """Coarsest resolution of its samples, as a log."""
    outcome: Outcome
    """What follows for the test."""
    outcome_reason: str = ""
    """Why the outcome is not what the verdict alone would give."""


class RunResult(Record, frozen=True, kw_only=True):
    """One pytest run: the content of `--ethrex-json`."""

    schema: int = SCHEMA
    """The version of this format."""
    version: str
    """Of pytest-ethrex-perf."""
    started: str
    """UTC, ISO 8601."""
    wall_s: float
    """How long the run took, in s."""
    machine: str
    """Its key."""
    measured_on: Machine
    """The machine."""
    counted_on: Machine | None = None
    """To whom the counts belong where that is not `measured_on`: callgrind's do not depend on the CPU."""
    counters: str = ""
    """What was counted with, or why nothing was."""
    gatings: int
    """Block-metrics over which alpha was spent, fixed at the end of collection; of all shards together."""
    shard: str | None = None
    """`2/5`: the second of five parts of a run, each measured on a machine of its own."""
    settings: dict[str, str]
    """Every option that is set, as it would be typed."""
    origin: Origin = Origin()
    """Where its programs come from, and the CI's job that measured."""
    blocks: tuple[BlockResult, ...]
    """In the order in which the run had them."""
    suite: tuple[SuiteResult, ...] = ()
    """The means over blocks."""
    sha256: str | None = None
    """Over everything else in the file: it no longer fits if anything was edited since."""
