"""What is measured, raw: a machine, a program, its invocations one by one; and earlier ones that are stored.

Times are integers in nanoseconds. Strict about unknown fields when read, and about what becomes part of a
path or of a line on a terminal: a file may come from anywhere, so no reader can forget to check.
"""

from __future__ import annotations

import re
import statistics
from typing import Literal, TypeAlias

import msgspec

from pytest_ethrex_perf.records import workload as workloads
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.metric import EXEC, PREP, Time

Kind = Literal["ethrex", "embedded"]
Side = Literal["base", "head"]
Sample = Literal["median", "lowest"]
Fact: TypeAlias = str | int | float | bool
Facts: TypeAlias = dict[str, Fact]


_NETWORK = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_NUMBER = 2**64 - 1  # ethrex-replay reads a block's number as a u64
_SHORT = 8  # hex digits of a program's sha256 that people read
_LONG = 12  # of a commit
_LONGEST_LABEL = 4096  # characters, as of a path
LONGEST_NS = 10**18
"""No time is longer: 31 years."""


def _must(what: str, text: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no {what}")


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

    def __post_init__(self) -> None:
        """Raise ValueError for a key that could not be part of a file's name."""
        _must("key of a machine", self.key, _MACHINE)


class Usage(Record, frozen=True, kw_only=True):
    """What the kernel counted for one process and its children (`wait4`)."""

    user_ns: int
    """CPU time in the program's own code."""
    system_ns: int
    """CPU time in the kernel for it."""
    max_rss_kib: int | None
    """None where the program took less memory than we do: Linux passes our own peak on to a child."""
    voluntary_switches: int
    """How often it waited for something."""
    involuntary_switches: int
    """How often it had to leave a CPU to others."""
    minor_faults: int | None = None
    """Pages that were there or had only to be cleared; None in results of older versions."""
    major_faults: int | None = None
    """Pages that had to be read from somewhere."""

    @property
    def cpu_ns(self) -> int:
        """CPU time of the whole process, the kernel's for it included."""
        return self.user_ns + self.system_ns

    @property
    def faults(self) -> int | None:
        """Page faults of the whole process, loading included; None where they were not counted."""
        if self.minor_faults is None or self.major_faults is None:
            return None
        return self.minor_faults + self.major_faults


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
Covered = Literal[Time, "repeat", "process"]


class Count(Record, frozen=True, kw_only=True, omit_defaults=True):  # an invocation has a line in a file
    """How often one event happened in one invocation, and how that was found out.

    Counts of different `identity` are different things and are never compared.
    """

    event: str
    """One name for each event, whatever perf calls it: `instructions`, `branches`, `task-clock`."""
    unit: Literal["", "ns"] = ""
    """Of `values`: `ns` of times, nothing of counts."""
    values: tuple[float, ...] = ()
    """Of single repeats, the first one left out, where the method tells them apart; else one mean per repeat,
    or (`process`) the whole process. Empty where `missing` says why."""
    instrument: InstrumentName
    """What counted."""
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
    """How long the process lived."""
    prep_ns: tuple[int, ...]
    """Of each repeat, in the order they ran."""
    exec_ns: tuple[int, ...]
    """Of each repeat, in the order they ran."""
    gas: int
    """Gas of the block, as the program reports it."""
    txs: int
    """Transactions of the block, as the program reports them."""
    phases: dict[str, float] = {}
    """Median over the repeats of each phase in ms, from the `[METRIC]` lines where those parse."""
    opcodes: int | None = None
    """Opcodes executed per repeat, where the program counts them (the embedded one does)."""
    usage: Usage
    """What the kernel counted."""
    noise: Noise = Noise()
    """What else the machine did."""
    counts: dict[str, Count] = {}
    """By metric: `instructions`, `cache-misses`, …, as far as there was something to count them with."""
    counting_ns: int = 0
    """Wall time of further processes, in which was counted what would have disturbed the clock."""

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that nobody can have measured."""
        if not 0 < self.wall_ns < LONGEST_NS:
            raise ValueError(f"wall_ns is {self.wall_ns}: a process takes some time")
        for name, repeats in (("exec_ns", self.exec_ns), ("prep_ns", self.prep_ns)):
            if not repeats:
                raise ValueError(f"{name} is empty: a process has at least one repeat")
            for ns in repeats:
                if not 0 < ns < LONGEST_NS:
                    raise ValueError(f"{name} holds {ns}: a repeat takes some time")
        if self.gas < 0 or self.txs < 0:
            raise ValueError(f"{self.gas} gas and {self.txs} transactions are no block's")

    def repeats(self, metric: str) -> tuple[int, ...]:
        """Raw repeats of a time in ns, in the order they ran; raises KeyError for a count."""
        return {EXEC: self.exec_ns, PREP: self.prep_ns}[metric]

    @property
    def cpu_pressure(self) -> float | None:
        """Share of its wall time in which something waited for a CPU; None where that is unknown."""
        waited_us = self.noise.psi_some_us
        return None if waited_us is None else 1e3 * waited_us / max(1, self.wall_ns)

    def counted_by(self, instrument: InstrumentName) -> bool:
        """Whether `instrument` counted anything exactly."""
        return any(count.is_exact and count.instrument == instrument for count in self.counts.values())

    def counted(self) -> list[tuple[str, str, tuple[float, ...]]]:
        """Of every metric that was counted name, identity and raw values: what seals are made over."""
        return sorted(
            (name, count.identity, count.values) for name, count in self.counts.items() if count.values
        )


class Program(Record, frozen=True, kw_only=True):
    """The executable that is measured, known by its sha256."""

    kind: Kind
    """`ethrex`, or `embedded`: whose baselines it has."""
    command: tuple[str, ...]
    """What is run, without prefix and without the arguments that name the block."""
    sha256: str
    """Its identity: of its content, and of what runs with it."""
    label: str
    """As the user wrote it."""
    prefix: tuple[str, ...] = ()
    """What was put before it, e.g. `taskset -c 0-7`."""
    commit: str | None = None
    """The commit that it was built from, where it lies in its checkout."""

    @property
    def binary(self) -> str:
        """Which executable it is, as people read it: `binary 77a5a81c`."""
        return f"binary {self.sha256[:_SHORT]}"

    @property
    def build(self) -> str:
        """Which build it is: `binary 77a5a81c, commit 1a2b3c4d5e6f`, the commit where it is known."""
        return f"{self.binary}, commit {self.commit[:_LONG]}" if self.commit else self.binary

    def __post_init__(self) -> None:
        """Raise ValueError for an identity that is none, and for a label that no line can hold."""
        _must("sha256", self.sha256, _SHA256)
        if not 0 < len(self.label) <= _LONGEST_LABEL:
            raise ValueError(f"a program's label has {len(self.label)} characters")


class Pair(Record, frozen=True, kw_only=True):
    """One invocation of base and one of head, run next to each other."""

    first: Side
    """Which ran first."""
    base: Invocation
    """The invocation of base."""
    head: Invocation
    """The invocation of head."""

    def in_order(self) -> tuple[tuple[Side, Invocation], tuple[Side, Invocation]]:
        """Both invocations with their sides, as they ran."""
        if self.first == "base":
            return ("base", self.base), ("head", self.head)
        return ("head", self.head), ("base", self.base)


class CacheIdentity(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a block's cache file really holds."""

    network: str
    """`mainnet`; of a custom workload its development network."""
    number: int
    """The block's number."""
    workload: str = ""
    """Of a custom workload its name and parameters (`BlockId`); left out of files of other blocks."""
    block_hash: str
    """0x…, keccak-256 of the RLP-encoded header."""
    witness_sha256: str
    """sha256 over the sorted witness: the same state in another order is the same work."""

    def __post_init__(self) -> None:
        """Raise ValueError for what could not be part of a path, and for a number that is none."""
        _must("name of a network", self.network, _NETWORK)
        if self.workload and str(workloads.parse(self.workload)) != self.workload:
            raise ValueError(f"{self.workload[:80]!r} is no workload as its files are named")
        if not 0 <= self.number <= _MAX_NUMBER:
            raise ValueError(f"{self.number} is no number of a block")

    @property
    def block_id(self) -> BlockId:
        """The block."""
        return BlockId(self.network, self.number, self.workload)


class StoredSession(Record, frozen=True, kw_only=True):
    """One session of the stored baseline that was compared with, raw."""

    id: str
    """As `Session.id` of its baseline."""
    started: str
    """UTC, ISO 8601."""
    program_sha256: str
    """The identity of its program."""
    times: bool = True
    """Its times are compared; False: only its counts are, since it belongs to this machine by those alone."""
    invocations: tuple[Invocation, ...]
    """What was measured."""
