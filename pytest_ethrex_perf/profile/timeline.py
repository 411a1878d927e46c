"""When the program was in which phase, by its own lines.

tracing's timestamps are UTC in µs. With more than one repeat no line marks an execution's end, so it is its
beginning plus the repeat's `exec=`; what follows until the next repeat is the store being dropped.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.replay.output import strip_ansi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.profile.stacks import Phase

_LINE = re.compile(
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,9})?Z)[ ]+[A-Z]+[ ]+(?:[a-z_][a-z0-9_:]*: )?"
    r"(?P<message>.*)"
)
_PREPARING = "Preparing Storage"
_EXECUTING = re.compile(r"Executing block [0-9]+ on ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The moments at which a phase began, in ns since 1970 UTC, rising."""

    starts: tuple[int, ...]
    phases: tuple[tuple[Phase, int], ...]
    """The phase that begins there, and the repeat it belongs to, from 1."""

    def at(self, time_ns: int) -> tuple[Phase, int]:
        """Phase and repeat at a moment; before the first line it is cache I/O, repeat 0."""
        index = bisect.bisect_right(self.starts, time_ns) - 1
        return self.phases[index] if index >= 0 else ("cache-io", 0)


def timeline(stdout: str, exec_ns: Sequence[int]) -> Timeline:
    """Read the phases out of an invocation's output, whose repeats took `exec_ns`.

    Raises `MeasurementError` where it does not say when each repeat's execution began.
    """
    preparations, executions = _moments(stdout)
    if not len(preparations) == len(executions) == len(exec_ns):
        raise MeasurementError(
            f"the program's output tells {len(executions)} beginnings of an execution, but it has "
            f"{len(exec_ns)} repeats: its profile can't be cut by phase"
        )
    moments: list[tuple[int, tuple[Phase, int]]] = []
    for repeat, (prepared, began, took) in enumerate(zip(preparations, executions, exec_ns, strict=True), 1):
        moments += [
            (prepared, ("prep", repeat)),
            (began, ("exec", repeat)),
            (began + took, ("cleanup", repeat)),
        ]
    moments.sort(key=lambda moment: moment[0])
    return Timeline(tuple(start for start, _ in moments), tuple(phase for _, phase in moments))


def _moments(stdout: str) -> tuple[list[int], list[int]]:
    """When each preparation and each execution began."""
    preparations, executions = [], []
    for line in strip_ansi(stdout).splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        if match["message"].startswith(_PREPARING):
            preparations.append(_ns(match["time"]))
        elif _EXECUTING.match(match["message"]):
            executions.append(_ns(match["time"]))
    return preparations, executions


def _ns(time: str) -> int:
    # an integer: a float of seconds since 1970 resolves 0.2 µs
    return (datetime.fromisoformat(time) - _EPOCH) // timedelta(microseconds=1) * 1000
