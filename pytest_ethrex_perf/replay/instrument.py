"""What an instrument is: it wraps the processes of one invocation, watches them, and gives counts back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.measurement import Count


def _no_trouble(_: Finished) -> str | None:
    return None


def _of_process(finished: Finished) -> int | None:
    return finished.returncode


@dataclass(frozen=True)
class Run:
    """One process, as an instrument wants it to be run."""

    repeat: int
    wrapper: tuple[str, ...] = ()
    """Put right before the program's own command line."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Set in the child's environment besides."""
    on_line: Callable[[str], bool | None] | None = None
    """Called with the program's lines while it runs; see `process.run` for what it returns."""
    trouble: Callable[[Finished], str | None] = _no_trouble
    """The instrument's own reason for a failure, a clause; None where it has none."""
    returncode: Callable[[Finished], int | None] = _of_process
    """The program's own exit code, or the negative number of the signal that killed it. None where the
    instrument died before it could say; `trouble` then says how."""
    slowdown: float = 1.0
    """How many times as long as by itself the program may take."""


class Counting(Protocol):
    """The counting of one invocation: first `timed` runs, then each of `companions`, then it has `counts`."""

    @property
    def timed(self) -> Run:
        """The process whose printed times are the invocation's."""
        ...

    def companions(self) -> Iterator[Run]:
        """Further processes, never timed; each is run before the next is asked for."""
        ...

    def counts(self) -> dict[str, Count]:
        """What was counted, by metric; an event that could not be counted says why."""
        ...


class Instrument(Protocol):
    """Counts what happens in the program, in one way for a whole run."""

    @property
    def apart(self) -> bool:
        """It counts in processes of its own: the one that is timed runs as it would without."""
        ...

    def counting(self, repeat: int, turn: int) -> AbstractContextManager[Counting]:
        """The counting of one invocation with `repeat` repeats.

        Instruments that can't count everything at once take turns: the same `turn` (of both sides of a pair)
        is the same set of events.
        """
        ...


@dataclass(frozen=True)
class _NotCounting:
    timed: Run

    def companions(self) -> Iterator[Run]:
        return iter(())

    def counts(self) -> dict[str, Count]:
        return {}


class Nothing:
    """Counts nothing and wraps nothing: the program runs by itself."""

    apart = True

    @contextlib.contextmanager
    def counting(self, repeat: int, turn: int) -> Iterator[Counting]:  # noqa: ARG002 - the interface
        """The plain process."""
        yield _NotCounting(Run(repeat))


NOTHING = Nothing()
