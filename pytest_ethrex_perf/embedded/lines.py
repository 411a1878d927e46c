"""Output as ethrex-replay prints it: tracing lines, Rust durations, the profiling block, the report line.

Formats: ethrex-replay `src/cli.rs`, `src/profiling.rs` and `src/report.rs` (5a7bcf7), the `[METRIC]` lines of
ethrex since 17bb54d3 with the two decimals of later versions, Rust's `impl Debug for Duration`.
"""

from __future__ import annotations

import math
import statistics
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from pytest_ethrex_perf.records.workload import DEVNET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REPLAY = "ethrex_replay"
PROFILING = "ethrex_replay::profiling"
BLOCKCHAIN = "ethrex_blockchain"
EMBEDDED = "pytest_ethrex_perf::embedded"

_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))
_GREEN, _RED = 32, 31


class Tracing:
    """Writes tracing lines to a stream, each flushed: what reads them acts on them while the program runs."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool = False) -> None:
        self._stream = stream or sys.stdout
        self._colour = colour

    def info(self, message: str, target: str = REPLAY) -> None:
        """Write an INFO line (a message may go on over more lines, which get no timestamp)."""
        self._write("INFO", _GREEN, target, message)

    def error(self, message: str, target: str = REPLAY) -> None:
        """Write an ERROR line."""
        self._write("ERROR", _RED, target, message)

    def _write(self, level: str, colour: int, target: str, message: str) -> None:
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if self._colour:
            prefix = (
                f"\x1b[2m{time}\x1b[0m \x1b[{colour}m{level:>5}\x1b[0m \x1b[2m{target}\x1b[0m\x1b[2m:\x1b[0m "
            )
        else:
            prefix = f"{time} {level:>5} {target}: "
        self._stream.write(f"{prefix}{message}\n")
        self._stream.flush()


def duration(ns: int) -> str:
    """A time as Rust prints `{:.2?}`: `832.00ns`, `59.23ms`, `1.20s`, and `1000.00µs` after a carry."""
    size, unit = next((size, unit) for size, unit in _UNITS if ns >= size or size == 1)
    hundredths, rest = divmod(ns * 100, size)
    if 2 * rest > size or (2 * rest == size and hundredths % 2):  # ties to even
        hundredths += 1
    return f"{hundredths // 100}.{hundredths % 100:02}{unit}"


def report_time(ns: int) -> str:
    """A time as the report line prints it: truncated to ms, or to seconds from one minute to one hour."""
    milliseconds = ns // 10**6
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:02}h {minutes:02}m {seconds:02}s {milliseconds:03}ms"
    return f"{minutes:02}m {seconds:02}s" if minutes else f"{seconds:02}s {milliseconds:03}ms"


def median(times: Sequence[int]) -> int:
    """Median in ns, truncated as Rust's `Duration` division does."""
    ordered = sorted(times)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def summary(times: Sequence[int]) -> str:
    """The seven lines of statistics of ethrex-replay, from times in ns (at least one)."""
    ordered = sorted(times)
    rows = {
        "min": duration(ordered[0]),
        "max": duration(ordered[-1]),
        "mean": duration(sum(ordered) // len(ordered)),
        "median": duration(median(ordered)),
        "stddev": f"{statistics.pstdev(ordered) / 1e6:>8.2f}ms",
        "p95": duration(_percentile(ordered, 95)),
        "p99": duration(_percentile(ordered, 99)),
    }
    return "\n".join(f"  {name + ':':<7} {value:>8}" for name, value in rows.items())


def individual_runs(prep: Sequence[int], execution: Sequence[int]) -> Iterator[str]:
    """One line a repeat, from times in ns."""
    for index, (before, after) in enumerate(zip(prep, execution, strict=True), 1):
        yield (
            f"  #{index:>2}: prep={duration(before):>8} exec={duration(after):>8} "
            f"total={duration(before + after):>8}"
        )


def metric(number: int, gas: int, gas_limit: int, txs: int, phases: Mapping[str, int]) -> Iterator[str]:
    """The `[METRIC]` lines of one execution, from the ns that each phase took."""
    total = max(sum(phases.values()), 1)
    yield (
        f"[METRIC] BLOCK {number} | {gas / total:.3f} Ggas/s | {total / 1e6:.2f} ms | {txs} txs | "
        f"{gas / 1e6:.0f} Mgas ({100 * gas // gas_limit}%)"
    )
    slowest = max(phases, key=lambda phase: phases[phase])
    *_, last = phases
    for phase, ns in phases.items():
        share = round(100 * ns / total)
        mark = " << BOTTLENECK" if phase == slowest else ""
        branch = "`-" if phase == last else "|-"
        yield f"  {branch} {phase + ':':<9} {ns / 1e6:>7.2f} ms  ({share:>2}%){mark}"


def report(network: str, number: int, gas: int, txs: int, result: str) -> str:
    """The last line of every replay, whatever came of it."""
    if network == DEVNET:  # no site shows it
        return f"[local-devnet] Block: {number}, Gas: {gas}, #Txs: {txs}, {result}"
    site = "etherscan.io" if network == "mainnet" else f"{network}.etherscan.io"
    return f"[{network}] Block: {number}, Gas: {gas}, #Txs: {txs}, {result} | https://{site}/block/{number}"


def custom(name: str, seed: int, txs: int, gas: int) -> str:
    """The line after the report of a workload."""
    return f"Custom workload '{name}' (seed {seed}): 1 block(s), {txs} transaction(s), {gas} total gas"


def _percentile(ordered: Sequence[int], percent: int) -> int:
    # Rust's `round`: halves away from zero
    return ordered[math.floor(percent / 100 * (len(ordered) - 1) + 0.5)]
