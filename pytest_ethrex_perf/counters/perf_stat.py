"""Counting with `perf stat`: only the repeats, user space only, nothing multiplexed.

The window is switched by the program's own lines through `--control` (perf 5.10): on at `--- Run 2/N`, off at
`=== Profiling Results`. So it holds preparation, execution and dropping the store of the repeats 2 to N, all
threads, and neither loading nor the first repeat. Both edges are late by the way of a line through us to
perf: 0.1 to 0.2 ms, and up to 7 ms where every CPU is busy; both sides of a pair are late alike. Between
the edges nothing of ours is woken by the program's lines, but for its last two repeats: that would take a CPU
from the program (+8 % of its time on two cores). A program that ends before perf has switched off ends the
window: the little that it does after its results is counted.

perf's exit code is 0 when a signal kills its child, so a shell between perf and the program keeps the
program's own (`fate`). Where a whole process is counted, the shell's start is counted with it, on both sides.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ethrex_perf.counters import events, fate, perf_output
from pytest_ethrex_perf.host import scratch
from pytest_ethrex_perf.records.measurement import Count
from pytest_ethrex_perf.replay.instrument import Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.counters.perf_output import Tally
    from pytest_ethrex_perf.host.perf_tool import PerfTool
    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.replay.instrument import Counting

HAS_CONTROL = (5, 10)
"""The first perf that can be told to count only the repeats."""
HAS_JSON = (6, 0)
_ON, _OFF = "--- Run 2/", "=== Profiling Results"
_AFTER = ("--- Run 3/", _OFF)  # by then the first repeat of the window is over
_REPEAT = re.compile(r"--- Run (?P<number>[0-9]+)/(?P<all>[0-9]+)")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?Z")
_PATIENCE_MS = 1000  # for perf to answer; the program goes on meanwhile
_MOST_MISSED = 0.02  # of all repeats: more is no count of them
_USAGE_ERROR, _FAILED = 129, 255


def command(tool: PerfTool, counted: tuple[str, ...], written: Path, *more: str) -> tuple[str, ...]:
    """The words that stand before the program; what was counted goes to `written`."""
    form = ("-j",) if tool.release >= HAS_JSON else ("-x", ";")
    wanted = [word for event in counted for word in ("-e", event)]  # no braces: rc 255 if one is missing
    return (tool.path, "stat", *form, "-o", str(written), *more, *wanted, "--")


class Perf:
    """The instrument: hardware events in sets that take turns, and what the kernel counts in each of them."""

    apart = False

    def __init__(
        self,
        tool: PerfTool,
        sets: tuple[tuple[str, ...], ...],
        *,
        software: tuple[str, ...] = events.KERNELS_OWN,
        core_cpus: str | None = None,
    ) -> None:
        self._tool = tool
        self._sets = sets
        self._software = software
        self._core_cpus = core_cpus

    def counted(self, turn: int) -> tuple[str, ...]:
        """The events of this turn, as perf is asked for them."""
        hardware = self._sets[turn % len(self._sets)] if self._sets else ()
        return tuple(events.user_only(event) for event in (*hardware, *self._software))

    @contextlib.contextmanager
    def counting(self, repeat: int, turn: int) -> Iterator[Counting]:
        """One process under perf."""
        with scratch.folder() as directory, contextlib.ExitStack() as held:
            # a single repeat prints no line to switch at: its whole process is counted
            window = held.enter_context(_Window.open(directory)) if repeat > 1 else None
            written = directory / "counts"
            yield _PerfCounting(self._run(repeat, turn, written, window), self, turn, written, window)

    def _run(self, repeat: int, turn: int, written: Path, window: _Window | None) -> Run:
        more = window.options if window else ()
        status = written.with_name("status")
        return Run(
            repeat,
            (*command(self._tool, self.counted(turn), written, *more), *fate.keeper(status)),
            on_line=window.hear if window else None,
            trouble=lambda finished: None if fate.kept(status) is not None else trouble(finished),
            returncode=lambda _: fate.kept(status),
        )

    def tallies(self, written: Path, turn: int) -> dict[str, Tally]:
        """What perf wrote there in this turn, by event; empty where it wrote nothing."""
        try:
            text = written.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return {}
        return perf_output.tallies(
            perf_output.read(text), core_cpus=self._core_cpus, asked=self.counted(turn)
        )


@dataclass(frozen=True)
class _PerfCounting:
    timed: Run
    perf: Perf
    turn: int
    written: Path
    window: _Window | None

    def companions(self) -> Iterator[Run]:
        return iter(())

    def counts(self) -> dict[str, Count]:
        tallies = self.perf.tallies(self.written, self.turn)
        counts = {}
        for printed in self.perf.counted(self.turn):
            event = perf_output.event_of(printed)
            nothing = perf_output.Tally(event, None, "", 100.0, "perf wrote nothing of it")
            counts[event.name] = self._count(tallies.get(event.name, nothing))
        return counts

    def _count(self, tally: Tally) -> Count:
        missing = (self.window.missing() if self.window else None) or tally.missing
        value = tally.value
        if self.window is not None and value is not None:
            value /= self.timed.repeat - 1
        return Count(
            event=tally.event.name,
            unit="ns" if tally.unit == "ns" else "",
            values=(value,) if value is not None and not missing and math.isfinite(value) else (),
            instrument="perf",
            method="window" if self.window else "process",
            covers="repeat" if self.window else "process",
            user_only=tally.event.user_only,
            pmu=tally.event.pmu,
            running=tally.running,
            missing=missing,
        )


class _Window:
    """Switches perf's counters on and off by what the program prints (perf-stat(1), `--control`)."""

    def __init__(self, directory: Path, control: int, answers: int) -> None:
        self.options = ("-D", "-1", "--control", f"fifo:{directory / 'control'},{directory / 'answers'}")
        self._control = control
        self._answers = answers
        self._switches = [(_ON, b"enable\n"), (_OFF, b"disable\n")]
        self._opening: tuple[datetime, int] | None = None
        """When the line was printed that opened it, and how many repeats the program was to do."""
        self._late_s = 0.0
        self._poll_lazily = False
        self._trouble: str | None = "perf did not switch on"

    @classmethod
    @contextlib.contextmanager
    def open(cls, directory: Path) -> Iterator[_Window]:
        """Make both fifos and keep them open, so that neither perf nor we wait for the other side."""
        with contextlib.ExitStack() as held:
            ends = []
            for name in ("control", "answers"):
                os.mkfifo(directory / name)
                ends.append(os.open(directory / name, os.O_RDWR | os.O_NONBLOCK))
                held.callback(os.close, ends[-1])
            yield cls(directory, *ends)

    def hear(self, line: str) -> bool:
        """Throw the next switch where this is the line for it; True: poll for further lines (`process.run`).

        They are polled until the last two repeats: to be woken by every line of every repeat disturbs what is
        timed by more than perf does.
        """
        if self._opening is not None and any(mark in line for mark in _AFTER):
            self._judge_edge(line, *self._opening)
            self._opening = None
        if self._switches and self._switches[0][0] in line:
            os.write(self._control, self._switches.pop(0)[1])
            if _ON in line:
                self._await_switch(line)
        if repeat := _REPEAT.search(line):
            self._poll_lazily = int(repeat["number"]) < int(repeat["all"]) - 1
        return self._poll_lazily and len(self._switches) == 1

    def _await_switch(self, line: str) -> None:
        """Wait until perf says that it counts, and note how late that is."""
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        if waiting.poll(_PATIENCE_MS):
            printed, repeat = _printed(line), _REPEAT.search(line)
            self._trouble = None
            if printed is not None and repeat is not None:
                self._opening = printed, int(repeat["all"])
                self._late_s = (datetime.now(UTC) - printed).total_seconds()

    def _judge_edge(self, line: str, opened: datetime, repeats: int) -> None:
        """When the first repeat in the window is over: whether too much of them all was missed."""
        printed = _printed(line)
        took_s = (printed - opened).total_seconds() if printed is not None else 0.0
        if took_s > 0 and self._late_s > _MOST_MISSED * took_s * (repeats - 1):
            self._trouble = (
                f"perf switched on {1e3 * self._late_s:.0f} ms late, and a repeat takes "
                f"{1e3 * took_s:.0f} ms: this machine is too busy; or take more repeats"
            )

    def missing(self) -> str | None:
        """Why the window did not hold the repeats, after the end; None where it did."""
        if self._switches:
            return f"the program did not print {self._switches[0][0]!r}"
        return self._trouble


def _printed(line: str) -> datetime | None:
    """When a line was printed, by itself (tracing: UTC)."""
    match = _TIME.search(line)
    try:
        return datetime.fromisoformat(match[0]) if match else None
    except ValueError:
        return None


def trouble(finished: Finished) -> str | None:
    """Why perf ended before the program's own end was kept, a clause."""
    complaint = " ".join(finished.stderr.split())
    if finished.returncode == _USAGE_ERROR and "event syntax error" in complaint:
        return "perf does not know an event that it was asked for: `perf list` shows those of this machine"
    if finished.returncode == _FAILED and not finished.stdout and complaint:
        return f"perf could not count: {complaint[:200]}"
    if finished.signal_name is not None:
        hint = " (by the kernel, if memory ran out)" if finished.signal_name == "SIGKILL" else ""
        return f"perf was killed by {finished.signal_name}{hint}, so the program was not counted to its end"
    how = f"perf ended with exit code {finished.returncode} before the program did"
    return f"{how}: {complaint[:200]}" if complaint else how
