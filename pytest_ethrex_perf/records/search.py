"""What a search for a slower commit has found out so far: enough to go on after an interruption.

Estimates are logs. Commits go by their full hash.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.records.profile import Explanation

SCHEMA = 1

Side: TypeAlias = Literal["good", "bad", "skip"]
Reason: TypeAlias = Literal["measured", "between", "same program", "undecided", "not built", "not replayed"]
"""`between`: slower than good and faster than bad; git is told `bad`, for there is a slowdown before it."""
Purpose: TypeAlias = Literal["ends", "commit"]


class Estimate(Record, frozen=True, kw_only=True):
    """How far a step lies from the middle between its ends, and what that rests on."""

    rounds: int
    mean: float
    """Above 0 on the slower end's side."""
    half_width: float
    """Of its interval, at the error that the last look spent."""
    gap: float
    """Between the two ends, as these rounds have it."""
    error: float
    """Probability of a wrong side that this step was given."""
    seconds: float


class Answer(Record, frozen=True, kw_only=True):
    """To which end a commit belongs, or that it is skipped."""

    good: str
    bad: str
    commit: str
    side: Side
    reason: Reason
    detail: str = ""
    """Of what was not measured: which program is the same, why it can't be built."""
    sha256: str | None = None
    """Of its program."""
    estimate: Estimate | None = None


class Change(Record, frozen=True, kw_only=True):
    """One commit against another, by the gate's own pairs."""

    base: str
    head: str
    purpose: Purpose
    """`ends` of a part that is searched, or the `commit` that was found against its parent."""
    verdict: Verdict | None
    """None where it could not be measured."""
    reason: str
    """Why this verdict, or why there is none."""
    estimate: float | None = None
    ci95: tuple[float, float] | None = None
    detectable: float | None = None
    pairs: int = 0
    margin: float = 0.0
    """A fraction."""
    base_level: float | None = None
    """In the metric's unit."""
    head_level: float | None = None
    repeat: int | None = None
    """Repeats per invocation."""
    explanation: Explanation | None = None
    """Which functions became slower."""
    notes: tuple[str, ...] = ()

    @property
    def is_slower(self) -> bool:
        """Whether head is proven slower than base by more than the margin."""
        return self.verdict is Verdict.REGRESSION


class Search(Record, frozen=True, kw_only=True):
    """One search, as it is kept between two runs of the command."""

    schema: int = SCHEMA
    started: str
    """UTC, ISO 8601."""
    question: str
    """What is searched for, in words."""
    answers: tuple[Answer, ...] = ()
    """In the order in which they were given."""
    changes: tuple[Change, ...] = ()
