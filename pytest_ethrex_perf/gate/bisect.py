"""The search for the commit that made a block slower: `git bisect`, with the gate as its judge.

A search measures nothing and builds nothing itself: it is given a `Build` and a `Gauge`. Whatever was found
out is kept in its `Memory` at once, and is never measured again: a search that was interrupted walks the same
way through what is known, and goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.bisection import Bisection, Found
from pytest_ethrex_perf.judge import nearer
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.search import Answer, Change, Estimate

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from pytest_ethrex_perf.gate.bisection import History
    from pytest_ethrex_perf.gate.search_file import Memory
    from pytest_ethrex_perf.host.git import Commit
    from pytest_ethrex_perf.judge.nearer import Place
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.records.search import Purpose, Reason, Side


_SPENT_NOTHING: tuple[Reason, ...] = ("not built", "same program")
_JUDGED: dict[Place | None, tuple[Side, Reason]] = {
    "good": ("good", "measured"),
    "bad": ("bad", "measured"),
    "between": ("bad", "between"),
    None: ("skip", "undecided"),
}


class NotBuiltError(MeasurementError):
    """A commit that can't be built; the message is a clause that says why."""


class NotReplayedError(MeasurementError):
    """A commit whose program alone can't replay the block; the message is a clause that says why."""


class Build(Protocol):
    """Builds the program of one commit."""

    def __call__(self, commit: str) -> Program:
        """Return the program; raises `NotBuiltError` where the commit itself is the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Ends:
    """The two programs between which a step lies."""

    good: Program
    bad: Program


class Gauge(Protocol):
    """Measures for a search; raises `MeasurementError`."""

    def change(
        self, base: Program, head: Program, change: Change, *, alpha_share: float, explain: bool
    ) -> Change:
        """Return `change`, completed by what the gate's own pairs of both say.

        `alpha_share` is the share of alpha that the regression test has; `explain` asks for the functions
        that became slower.
        """
        ...

    def place(
        self, ends: Ends, step: Program, error: float, *, margin: float, repeat: int | None
    ) -> tuple[Place | None, Estimate]:
        """Return where `step` lies between the ends, None where that is not told, and what that rests on.

        Raises `NotReplayedError` where the ends replay the block and the step does not.
        """
        ...


@dataclass(frozen=True, slots=True)
class PartBegins:
    """A part of the history is looked at."""

    good: Commit
    bad: Commit
    commits: int
    steps: int
    """To be expected where none is skipped."""
    error: float
    """Probability that the part's steps go to a wrong side anywhere."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The ends of a part were compared."""

    base: Commit
    head: Commit
    change: Change
    known: bool
    """By an earlier run."""


@dataclass(frozen=True, slots=True)
class StepBegins:
    """A commit is built and measured next."""

    number: int
    steps: int
    commit: Commit
    known: bool


@dataclass(frozen=True, slots=True)
class StepEnds:
    """What it was."""

    commit: Commit
    answer: Answer


@dataclass(frozen=True, slots=True)
class Culprit:
    """The end of a part: the commit, or several where skipped ones may be it."""

    candidates: tuple[Commit, ...]
    parent: Commit | None
    """First parent of the oldest."""
    change: Change | None
    """From the parent to the newest of them."""
    log: Path
    """What `git bisect replay` repeats."""


Event: TypeAlias = PartBegins | Compared | StepBegins | StepEnds | Culprit


class Search:
    """One search between two commits; `every` goes on for further culprits in what is left on both sides."""

    def __init__(
        self,
        history: History,
        build: Build,
        gauge: Gauge,
        memory: Memory,
        *,
        first_parent: bool = True,
        every: bool = False,
    ) -> None:
        self._history = history
        self._build = build
        self._gauge = gauge
        self._memory = memory
        self._first_parent = first_parent
        self._every = every
        self._programs: dict[str, Program] = {}
        self._parts = 0
        self._compared = 0

    def run(self, good: str, bad: str) -> Iterator[Event]:
        """Search between `good` and `bad`, which contains it; yield what happens.

        Where bad is not proven slower than good, the only event is a `Compared` that says so.
        Raises `MeasurementError`.
        """
        found = yield from self._part(good, bad)
        if found is None or not self._every:
            return
        waiting = [(good, bad, found)]
        while waiting:
            good, bad, found = waiting.pop(0)
            left = found.parent
            for ends in ((good, left.id if left else good), (found.candidates[-1].id, bad)):
                if ends[0] == ends[1] or not self._history.is_ancestor(*ends):
                    continue
                further = yield from self._part(*ends)
                if further is not None:
                    waiting.append((*ends, further))

    def _part(self, good: str, bad: str) -> Generator[Event, None, Culprit | None]:
        """Search one part; return what was found, None where its ends do not differ."""
        first, last = self._history.commit(good), self._history.commit(bad)
        change, known = self._change(first, last, "ends")
        yield Compared(first, last, change, known)
        if not change.is_slower:
            return None
        self._parts += 1
        commits = self._history.between(good, bad, first_parent=self._first_parent)
        steps = nearer.steps_expected(len(commits))
        error = nearer.ERROR * self._share(self._parts)
        yield PartBegins(first, last, len(commits), steps, error)
        found, log = yield from self._steps(good, bad, steps, error)
        inside = [commit for commit in commits if commit in found.candidates] or list(found.candidates)
        candidates = tuple(map(self._history.commit, inside))
        parents = candidates[0].parents
        parent = self._history.commit(parents[0]) if parents else None
        own = None if parent is None else self._change(parent, candidates[-1], "commit")[0]
        culprit = Culprit(candidates, parent, own, log)
        yield culprit
        return culprit

    def _share(self, number: int) -> float:
        """Return the share of the errors for the `number`-th of so many as may come: they sum to 1."""
        return 1 / (number * (number + 1)) if self._every else 1.0

    # --- one step -------------------------------------------------------------------------------------------

    def _steps(
        self, good: str, bad: str, steps: int, error: float
    ) -> Generator[Event, None, tuple[Found, Path]]:
        budget = nearer.errors(steps, error)
        sides: dict[str, Answer] = {}
        bisection = Bisection(self._history.repository, self._memory.folder / "git")
        position = bisection.start(good, bad, first_parent=self._first_parent)
        number = 0
        while not isinstance(position, Found):
            number += 1
            commit = self._history.commit(position.commit)
            answer = self._memory.answer(good, bad, commit.id)
            yield StepBegins(number, steps, commit, known=answer is not None)
            if answer is None:
                answer = self._answer(good, bad, commit, sides, budget)
                self._memory.add(answer)
            elif answer.reason not in _SPENT_NOTHING:
                next(budget)
            if answer.sha256 is not None and answer.reason != "same program":
                sides[answer.sha256] = answer
            yield StepEnds(commit, answer)
            position = bisection.answer(commit.id, answer.side)
            self._memory.log(self._parts, bisection.log())
        return position, self._memory.log(self._parts, bisection.log())

    def _answer(
        self, good: str, bad: str, commit: Commit, sides: dict[str, Answer], budget: Iterator[float]
    ) -> Answer:
        answer = Answer(good=good, bad=bad, commit=commit.id, side="skip", reason="not built")
        try:
            program = self._program(commit.id)
        except NotBuiltError as error:
            return msgspec.structs.replace(answer, detail=str(error))
        answer = msgspec.structs.replace(answer, sha256=program.sha256)
        ends = Ends(self._program(good), self._program(bad))
        same = self._same(program, ends, good, bad, sides)
        if same is not None:
            return msgspec.structs.replace(answer, side=same.side, reason="same program", detail=same.commit)
        proof = self._memory.change(good, bad, "ends")
        margin, repeat = (0.0, None) if proof is None else (proof.margin, proof.repeat)
        try:
            place, estimate = self._gauge.place(ends, program, next(budget), margin=margin, repeat=repeat)
        except NotReplayedError as error:
            return msgspec.structs.replace(answer, reason="not replayed", detail=str(error))
        side, reason = _JUDGED[place]
        return msgspec.structs.replace(answer, side=side, reason=reason, estimate=estimate)

    @staticmethod
    def _same(program: Program, ends: Ends, good: str, bad: str, sides: dict[str, Answer]) -> Answer | None:
        """Return the answer of the commit whose program this is as well, None where it is a new one."""
        if program.sha256 == ends.good.sha256:
            return Answer(good=good, bad=bad, commit=good, side="good", reason="measured")
        if program.sha256 == ends.bad.sha256:
            return Answer(good=good, bad=bad, commit=bad, side="bad", reason="measured")
        return sides.get(program.sha256)

    # --- one commit against another -------------------------------------------------------------------------

    def _change(self, base: Commit, head: Commit, purpose: Purpose) -> tuple[Change, bool]:
        """Return how `head` differs from `base`, and whether that was known."""
        is_first = purpose == "ends" and not self._compared
        self._compared += purpose == "ends"
        known = self._memory.change(base.id, head.id, purpose)
        if known is not None:
            return known, True
        change = Change(base=base.id, head=head.id, purpose=purpose, verdict=None, reason="")
        try:
            programs = self._program(base.id), self._program(head.id)
        except NotBuiltError as error:
            if is_first:
                raise NotBuiltError(f"an end of the search {error}") from None
            return _unmeasured(change, None, str(error)), False
        if programs[0].sha256 == programs[1].sha256:
            change = _unmeasured(change, Verdict.UNCHANGED, "both are the same program")
        else:
            share = self._share(self._compared) if purpose == "ends" else 1.0
            change = self._gauge.change(*programs, change, alpha_share=share, explain=purpose == "commit")
        self._memory.add(change)
        return change, False

    def _program(self, commit: str) -> Program:
        if commit not in self._programs:
            self._programs[commit] = self._build(commit)
        return self._programs[commit]


def _unmeasured(change: Change, verdict: Verdict | None, reason: str) -> Change:
    return msgspec.structs.replace(change, verdict=verdict, reason=reason)
