"""What a person sees while a run measures: a line that is written over, and sentences."""

from __future__ import annotations

import math
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report import escape, legible, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.run import Status

_ERASE = "\x1b[K"


class Screen:
    """The user's terminal while tests run; pytest's capturing is suspended for what is written to it."""

    def __init__(self, config: pytest.Config) -> None:
        self._manager = config.pluginmanager
        self._in_worker = hasattr(config, "workerinput")
        self._quiet = config.get_verbosity() < 0
        self._minutes = Minutes()
        with self._uncaptured():  # it is the reporter's then
            legible.make(sys.stdout)
        self._cells_shown = 0

    @property
    def room(self) -> int:
        """Cells of a line."""
        reporter: Any = self._manager.getplugin("terminalreporter")
        return reporter._tw.fullwidth if reporter is not None else terminal.ROOM  # noqa: SLF001 - no public way

    def show(self, status: Status) -> None:
        """Progress: on a terminal written after what is on the line and over itself, else a line a minute."""
        with self._uncaptured() as reporter:
            if self._quiet:
                return
            for sentence in status.news:
                self._say(reporter, sentence)
            if reporter is not None and reporter.isatty and "CI" not in os.environ:
                written = reporter._tw.width_of_current_line  # noqa: SLF001 - no public way to know the column
                progress = line(status, max(0, self.room - written - 2))
                self._cells_shown = terminal.width(progress)
                back = f"\x1b[{self._cells_shown}D" if self._cells_shown else ""
                self._write(f"{_ERASE}{progress}{back}")
            elif self._minutes.passed():
                self._say(reporter, minute(status, time.strftime("%H:%M")))

    def clear(self) -> None:
        """Take the live progress away."""
        if self._cells_shown:
            with self._uncaptured():
                self._write(_ERASE)
            self._cells_shown = 0

    def say(self, sentence: str) -> None:
        """Write a sentence that everybody should read, on a line by itself."""
        with self._uncaptured() as reporter:
            self._say(reporter, sentence)

    def output(self, line: str) -> None:
        """Show a line of what a build prints, on a terminal; a CI finds it in the log."""
        with self._uncaptured() as reporter:
            if reporter is not None and reporter.isatty and not self._quiet:
                reporter.write_line(escape.shown(line))

    def _say(self, reporter: pytest.TerminalReporter | None, sentence: str) -> None:
        sentence = escape.shown(sentence)
        if self._in_worker:  # it has no reporter; its standard error is the user's
            sys.stderr.write(f"\nethrex-perf: {sentence}\n")
        elif reporter is not None:
            reporter.write_line(f"ethrex-perf: {sentence}", yellow=True)
            reporter.flush()  # into a pipe, as a CI's log is one, it would come at the end only

    @contextmanager
    def _uncaptured(self) -> Iterator[pytest.TerminalReporter | None]:
        capture: Any = self._manager.getplugin("capturemanager")
        reporter: Any = self._manager.getplugin("terminalreporter")
        if capture is None:
            yield reporter
        else:
            with capture.global_and_fixture_disabled():
                yield reporter

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class Minutes:
    """Tells when another minute has passed since it was made, or last said so."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()

    def passed(self) -> bool:
        """Whether it has; then the next minute begins."""
        now = self._clock()
        if now - self._since < 60:  # noqa: PLR2004 - seconds
            return False
        self._since = now
        return True


def line(status: Status, room: int) -> str:
    """Block, pair k/n, estimate and its 95 % interval, what could be seen now, time left; in `room` cells."""
    block = status.block
    parts = [f"{block} {block.samples_taken}/{block.samples_planned}", *_estimate(block)]
    if status.blocks > 1:
        parts.append(f"{status.decided}/{status.blocks} blocks")
    progress = escape.shown(" · ".join([*parts, _left(status)]))
    while terminal.width(progress) > room:
        progress = progress[:-1]
    return progress


def minute(status: Status, now: str) -> str:
    """The line for a log: `[12:04] pair 4/24 · 0 of 40 decided · worst so far mainnet/1 +4.1 % · at most …`.

    A single block is named, with what is known of it. `commands.follow` reads these lines.
    """
    block, worst = status.block, status.worst
    turn = f"{'pair' if block.pairs else 'invocation'} {block.samples_taken}/{block.samples_planned}"
    if status.blocks == 1:
        parts = [f"[{now}] {block} {turn}", *_estimate(block)]
    else:
        parts = [f"[{now}] {turn}", f"{status.decided} of {status.blocks} decided"]
        if worst is not None and worst.change is not None:
            parts.append(f"worst so far {worst} {units.log_percent(worst.change)}")
    return " · ".join([*parts, _left(status)])


def _estimate(block: Block) -> Iterator[str]:
    decision = block.estimate
    if decision is not None and decision.estimate is not None:
        within = f" {units.interval(decision.ci95)}" if decision.ci95 else ""
        yield units.log_percent(decision.estimate) + within
    visible = block.visible()
    if visible is not None and math.isfinite(visible):
        yield f"would see {units.log_percent(visible)}"


def _left(status: Status) -> str:
    return f"at most {units.clock(status.left_s)} left"
