"""SIGTERM and SIGHUP end a run as Ctrl-C does: what was measured is written, and nothing stays running."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class TerminatedError(KeyboardInterrupt):
    """A signal asks us to end: pytest stops as for Ctrl-C."""


class Termination:
    """Makes the signals that would end us an interrupt, while they are held, and remembers which one came.

    A signal that somebody else handles, or ignores, is left to them; so are all outside the main thread.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._pid = os.getpid()
        self._held: list[signal.Signals] = []

    @property
    def exit_code(self) -> int | None:
        """128 + the number of the signal that ended the run, as a shell would say; None where none came."""
        return None if self._number is None else 128 + self._number

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the signals in this block; nothing changes where they are held already."""
        outermost = not self._held
        self.hold()
        try:
            yield
        finally:
            if outermost:
                self.release()

    def hold(self) -> None:
        """Hold the signals until `release`."""
        if self._held or threading.current_thread() is not threading.main_thread():
            return
        for number in _ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._interrupt)
                self._held.append(number)

    def release(self) -> None:
        """Give the signals back; a handler that was installed meanwhile stays."""
        while self._held:
            number = self._held.pop()
            if signal.getsignal(number) == self._interrupt:
                signal.signal(number, signal.SIG_DFL)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # forked by somebody: not ours to stop
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._number = number
        raise TerminatedError(signal.Signals(number).name)
