"""How a search for a slower commit reads: lines of at most 80 cells, but for what is copied."""

from __future__ import annotations

import os
import shlex
import sys
import textwrap
import time
from typing import TYPE_CHECKING

from pytest_ethrex_perf.gate.bisect import Compared, Culprit, PartBegins, StepBegins, StepEnds
from pytest_ethrex_perf.profile import tables
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import unit
from pytest_ethrex_perf.report import escape, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from pytest_ethrex_perf.gate.bisect import Event
    from pytest_ethrex_perf.gate.run import Status
    from pytest_ethrex_perf.gate.step import Round
    from pytest_ethrex_perf.host.git import Commit
    from pytest_ethrex_perf.records.search import Answer, Change, Estimate

CELLS = 80
_FUNCTIONS = 10
_MINUTE_S = 60.0
_ERASE = "\x1b[K"


class Screen:
    """What a person sees while `metric` is searched: lines, and on a terminal one that is written over."""

    def __init__(self, metric: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._metric = metric
        self._clock = clock
        self._out: TextIO = getattr(sys.stdout, "inner", sys.stdout)
        self._is_live = self._out.isatty() and "CI" not in os.environ
        self._last = clock()
        self._what = ""

    def begin(self, what: str) -> None:
        """Name what the progress is of: `step 2 of about 4: 1a2b3c4d5e`."""
        self._what = what
        self._last = self._clock()
        self.progress("building")

    def say(self, line: str) -> None:
        """Write a line of its own."""
        self._clear()
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def sentence(self, text: str) -> None:
        """Write a sentence, wrapped."""
        for line in wrapped(text):
            self.say(line)

    def progress(self, state: str) -> None:
        """Show where it stands: over itself on a terminal, else in a line a minute."""
        line = fitted(f"{self._what}: {state}")
        if self._is_live:
            self._out.write(f"\r{line}{_ERASE}")
            self._out.flush()
        elif self._clock() - self._last >= _MINUTE_S:
            self._last = self._clock()
            self.say(line)

    def turn(self, status: Status) -> None:
        """Show where the pairs of two commits stand."""
        decision, pairs = status.block.estimate, status.block.samples_taken
        estimate = None if decision is None else decision.estimate
        seen = "" if estimate is None else f", {units.log_percent(estimate)}"
        self.progress(f"{self._metric}, {pairs} pairs{seen}")

    def round(self, state: Round) -> None:
        """Show where a step stands."""
        distance = _distance(state.nearness.mean, state.nearness.half_width, 1)
        self.progress(f"{self._metric}, {state.rounds} rounds, {distance} from middle")

    def end(self) -> None:
        """Take the progress away."""
        self._clear()

    def _clear(self) -> None:
        if self._is_live:
            self._out.write(f"\r{_ERASE}")
            self._out.flush()


def lines(event: Event) -> Iterator[str]:
    """What is said of an event."""
    match event:
        case Compared():
            yield from wrapped(f"{event.head.short} against {event.base.short}: {change(event.change)}")
        case PartBegins():
            yield from wrapped(
                f"{event.commits} commits, about {event.steps} steps; that any of them goes to the wrong "
                f"side has a probability of at most {units.percent(event.error)}"
            )
        case StepBegins():
            state = " (known)" if event.known else ""
            yield fitted(f"{step(event)}{state} {event.commit.subject}")
        case StepEnds():
            yield from wrapped(f"  {answer(event.answer)}")
        case Culprit():
            yield from _culprit(event)


def step(event: StepBegins) -> str:
    """`step 2 of about 4: 1a2b3c4d5e`."""
    return f"step {event.number} of about {max(event.steps, event.number)}: {event.commit.short}"


def named(what: str, commit: Commit) -> str:
    """`GOOD 1a2b3c4d5e 2026-01-31 subject`, in one line."""
    return fitted(f"{what} {commit.short} {commit.authored[:10]} {commit.subject}")


def answer(answer: Answer) -> str:
    """What a step was, and why."""
    if answer.reason in ("not built", "not replayed"):
        return f"skipped: {answer.detail}"
    if answer.reason == "same program":
        side = "skipped" if answer.side == "skip" else answer.side
        return f"{side}: the same program as {answer.detail[:10]}"
    if answer.estimate is None:
        return _side(answer)
    if answer.reason == "between":
        return (
            f"{_side(answer)}: between the two, more than the margin from both; {_estimate(answer.estimate)}"
        )
    return f"{_side(answer)}: {_estimate(answer.estimate)}"


def _side(answer: Answer) -> str:
    return "skipped, undecided" if answer.side == "skip" else answer.side


def _estimate(estimate: Estimate) -> str:
    distance = _distance(estimate.mean, estimate.half_width)
    gap, took = units.log_percent(estimate.gap), units.clock(estimate.seconds)
    return f"{distance} from the middle of {gap}, {estimate.rounds} rounds, {took}"


def _distance(mean: float, reach: float, places: int = 2) -> str:
    """`-3.75 % [-3.77, -3.73]`; no interval where hardly anything is known."""
    ends = f" {units.interval((mean - reach, mean + reach), places)}" if reach < 1 else ""
    return f"{units.log_percent(mean, places)}{ends}"


def change(change: Change) -> str:
    """`+8.1 % [+7.2, +9.0], 6 pairs: slower, proven to be more than +1 %`."""
    if change.estimate is None or change.ci95 is None:
        return change.reason if change.verdict is None else f"{change.verdict}: {change.reason}"
    places = units.decimals(change.margin)
    by = f"{units.log_percent(change.estimate, places)} {units.interval(change.ci95, places)}"
    numbers = f"{by}, {change.pairs} pairs"
    if change.is_slower:
        return f"{numbers}: slower, proven to be more than +{units.limit(change.margin)}"
    return f"{numbers}: {change.verdict}, not proven slower than +{units.limit(change.margin)}"


def _culprit(culprit: Culprit) -> Iterator[str]:
    *others, last = culprit.candidates
    yield ""
    if others:
        yield from wrapped(
            "There are only skipped commits left to test. The commit that made it slower is any of:"
        )
        for commit in culprit.candidates:
            yield fitted(f"  {commit.id} {commit.subject}")
    else:
        yield f"{last.id} made it slower"
        yield f"  {last.authored}"
        yield fitted(f"  {last.subject}")
    if culprit.parent is None or culprit.change is None:
        yield "  it has no parent to be compared with"
        return
    whose = "together, against" if others else "against its parent"
    yield from wrapped(f"  {whose} {culprit.parent.short}: {change(culprit.change)}")
    if not culprit.change.is_slower:
        yield from wrapped("  its own change is not proven: there may be several, or it is too small")
    yield from _functions(culprit.change)


def _functions(change: Change) -> Iterator[str]:
    if change.explanation is not None:
        for line in tables.explanation(change.explanation, _FUNCTIONS, CELLS - 2, threads=False):
            yield from (f"  {line}",) if line.startswith("  ") else wrapped(f"  {line}")
    elif not change.notes:
        why = "--profile is off" if change.is_slower else "nothing is proven that could be explained"
        yield from wrapped(f"  functions: not profiled: {why}")
    for note in change.notes:
        yield from wrapped(f"  functions: {note}")


def again(culprit: Culprit, options: list[str]) -> str | None:
    """Return the command that gates the change alone; None where there is no parent."""
    if culprit.parent is None:
        return None
    sides = (f"--ethrex-base=git:{culprit.parent.id}", f"--ethrex-replay=git:{culprit.candidates[-1].id}")
    return shlex.join(["pytest", *options, *sides])


def levels(change: Change, metric: str) -> str:
    """`60.01 ms → 64.85 ms`."""
    sides = (units.quantity(level, unit(metric)) for level in (change.base_level, change.head_level))
    return " → ".join(sides)


def wrapped(text: str) -> list[str]:
    """`text` in lines that fit, further ones indented."""
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(
        escape.plain(text), CELLS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def fitted(text: str) -> str:
    """`text` in one line that fits."""
    line = escape.shown(escape.plain(text))
    if terminal.width(line) <= CELLS:
        return line
    while terminal.width(line) >= CELLS:
        line = line[:-1]
    return f"{line}…"
