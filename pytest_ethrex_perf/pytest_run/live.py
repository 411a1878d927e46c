"""What a person sees while a run measures: a line that is written over, and sentences."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report import escape, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from pytest_ethrex_perf.gate.run import Status

_ERASE = "\x1b[K"


class Screen:
    """The user's terminal while tests run; pytest's capturing is suspended for what is written to it."""

    def __init__(self, config: pytest.Config) -> None:
        self._manager = config.pluginmanager
        self._in_worker = hasattr(config, "workerinput")
        self._cells_shown = 0

    @property
    def room(self) -> int:
        """Cells of a line."""
        reporter: Any = self._manager.getplugin("terminalreporter")
        return reporter._tw.fullwidth if reporter is not None else terminal.ROOM  # noqa: SLF001 - no public way

    def show(self, status: Status) -> None:
        """Live progress: written after what is on the line, and over itself; on a terminal only."""
        with self._uncaptured() as reporter:
            if reporter is None or not reporter.isatty or reporter.verbosity < 0 or "CI" in os.environ:
                return
            written = reporter._tw.width_of_current_line  # noqa: SLF001 - no public way to know the column
            progress = line(status, max(0, self.room - written - 2))
            self._cells_shown = terminal.width(progress)
            back = f"\x1b[{self._cells_shown}D" if self._cells_shown else ""
            self._write(f"{_ERASE}{progress}{back}")

    def clear(self) -> None:
        """Take the live progress away."""
        if self._cells_shown:
            with self._uncaptured():
                self._write(_ERASE)
            self._cells_shown = 0

    def say(self, sentence: str) -> None:
        """Write a sentence that everybody should read, on a line by itself."""
        sentence = escape.shown(sentence)
        with self._uncaptured() as reporter:
            if self._in_worker:  # it has no reporter; its standard error is the user's
                sys.stderr.write(f"\nethrex-perf: {sentence}\n")
            elif reporter is not None:
                reporter.write_line(f"ethrex-perf: {sentence}", yellow=True)

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


def line(status: Status, room: int) -> str:
    """Block, pair k/n, running estimate and its 95 % interval, time left; cut to `room` cells."""
    block = status.block
    decision = block.estimate
    parts = [f"{block} {block.samples_taken}/{block.samples_planned}"]
    if decision is not None and decision.estimate is not None:
        reach = decision.half_width
        within = f" ± {units.percent(reach)}" if reach is not None else ""
        parts.append(units.log_percent(decision.estimate) + within)
    if status.blocks > 1:
        parts.append(f"{status.decided}/{status.blocks} blocks")
    parts.append(f"at most {units.clock(status.left_s)} left")
    progress = escape.shown(" · ".join(parts))
    while terminal.width(progress) > room:
        progress = progress[:-1]
    return progress
