"""The search itself: a repository that the test makes, programs and measurements that it makes up."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.gate.bisect import (
    Compared,
    Culprit,
    NotBuiltError,
    NotReplayedError,
    PartBegins,
    Search,
    StepEnds,
)
from pytest_ethrex_perf.gate.bisection import History
from pytest_ethrex_perf.gate.search_file import Memory
from pytest_ethrex_perf.host.git import Repository
from pytest_ethrex_perf.judge.nearer import ERROR
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.measurement import Program
from pytest_ethrex_perf.records.search import Estimate
from tests.gate.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.gate.bisect import Ends, Event
    from pytest_ethrex_perf.judge.nearer import Place
    from pytest_ethrex_perf.records.search import Change

COMMITS = 12


@pytest.fixture
def line(tmp_path: Path) -> Line:
    line = Line(tmp_path / "repository")
    for number in range(COMMITS):
        line.commit(f"Commit {number}")
    return line


@dataclass
class World:
    """What commits take, and what happens when they are built or measured."""

    line: Line
    folder: Path
    ms: Callable[[int], float]
    broken: tuple[int, ...] = ()
    undecided: tuple[int, ...] = ()
    crashing: tuple[int, ...] = ()
    same: dict[int, int] = field(default_factory=dict)
    """Commits that build the program of another one."""
    stops_after: int | None = None
    """Steps after which Ctrl-C is pressed."""
    measured: list[str] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def number(self, program: Program) -> int:
        return int(program.label)

    def build(self, commit: str) -> Program:
        number = self.line.ids.index(commit)
        if number in self.broken:
            raise NotBuiltError("cc: error")
        number = self.same.get(number, number)
        return Program(kind="ethrex", command=("p",), sha256=f"{number:064x}", label=str(number))

    def change(
        self, base: Program, head: Program, change: Change, *, alpha_share: float, explain: bool
    ) -> Change:
        assert 0 < alpha_share <= 1
        assert explain is (change.purpose == "commit")
        before, after = self.number(base), self.number(head)
        self.measured.append(f"{before}..{after}")
        estimate = self.ms(after) / self.ms(before) - 1
        verdict = Verdict.REGRESSION if estimate > 0.01 else Verdict.UNCHANGED
        return msgspec.structs.replace(
            change, verdict=verdict, reason="", estimate=estimate, margin=0.01, repeat=3
        )

    def place(
        self, ends: Ends, step: Program, error: float, *, margin: float, repeat: int | None
    ) -> tuple[Place | None, Estimate]:
        assert (margin, repeat) == (0.01, 3)
        if len(self.errors) == self.stops_after:
            raise KeyboardInterrupt
        self.errors.append(error)
        number = self.number(step)
        self.measured.append(str(number))
        if number in self.crashing:
            raise NotReplayedError("its program failed: SIGSEGV")
        good, here, bad = (math.log(self.ms(self.number(each))) for each in (ends.good, step, ends.bad))
        z = here - (good + bad) / 2
        estimate = Estimate(rounds=6, mean=z, half_width=0.1, gap=bad - good, error=error, seconds=1)
        if number in self.undecided:
            return None, estimate
        if abs(z) < 0.001:
            return "between", estimate
        return ("bad" if z > 0 else "good"), estimate

    def search(self, *, every: bool = False, restart: bool = False) -> list[Event]:
        history = History(Repository(self.line.path, os.environ))
        memory = Memory(self.folder, "a question", restart=restart)
        search = Search(history, self.build, self, memory, every=every)
        return list(search.run(self.line.ids[0], self.line.ids[-1]))

    def culprits(self, events: list[Event]) -> list[list[int]]:
        return [
            [self.line.ids.index(commit.id) for commit in event.candidates]
            for event in events
            if isinstance(event, Culprit)
        ]


@pytest.fixture
def world(line: Line, tmp_path: Path) -> Callable[..., World]:
    return lambda ms, **happens: World(line, tmp_path / "kept", ms, **happens)


def slower_from(*commits: int) -> Callable[[int], float]:
    """60 ms, and 8 % more from each of these commits on."""
    return lambda number: 60 * 1.08 ** sum(number >= commit for commit in commits)


@pytest.mark.parametrize("culprit", [1, 4, 7, COMMITS - 1])
def test_the_commit_is_found_and_measured_against_its_parent(
    world: Callable[..., World], culprit: int
) -> None:
    place = world(slower_from(culprit))
    events = place.search()
    assert place.culprits(events) == [[culprit]]
    begins = next(event for event in events if isinstance(event, PartBegins))
    assert (begins.commits, begins.steps, begins.error) == (COMMITS - 1, 4, ERROR)
    assert len(place.errors) <= 4
    assert sum(place.errors) <= ERROR
    assert place.measured[-1] == f"{culprit - 1}..{culprit}"
    last = events[-1]
    assert isinstance(last, Culprit)
    assert last.change is not None
    assert last.change.estimate == pytest.approx(0.08)
    assert "# first bad commit" in last.log.read_text() or "first 'bad'" in last.log.read_text()


def test_the_users_repository_stays_as_it_is(world: Callable[..., World], line: Line) -> None:
    line.git("bisect", "start", "HEAD", line.ids[0])
    before = sorted(path for path in (line.path / ".git").rglob("*") if "objects" not in path.parts)
    log = line.git("bisect", "log")
    world(slower_from(4)).search()
    assert sorted(p for p in (line.path / ".git").rglob("*") if "objects" not in p.parts) == before
    assert line.git("bisect", "log") == log


def test_bad_that_is_not_slower_ends_the_search(world: Callable[..., World]) -> None:
    place = world(lambda _: 60.0)
    (only,) = place.search()
    assert isinstance(only, Compared)
    assert not only.change.is_slower
    assert place.measured == ["0..11"]


def test_ends_of_the_same_program_are_not_measured(world: Callable[..., World]) -> None:
    place = world(slower_from(4), same={11: 0})
    (only,) = place.search()
    assert isinstance(only, Compared)
    assert only.change.reason == "both are the same program"
    assert place.measured == []


def test_what_cannot_be_built_is_skipped(world: Callable[..., World]) -> None:
    place = world(slower_from(4), broken=(5, 6))
    events = place.search()
    assert place.culprits(events) == [[4]]
    reasons = [event.answer.reason for event in events if isinstance(event, StepEnds)]
    assert "not built" in reasons


def test_what_cannot_be_replayed_is_skipped_and_not_tried_again(world: Callable[..., World]) -> None:
    place = world(slower_from(4), crashing=(5, 6), stops_after=3)
    with pytest.raises(KeyboardInterrupt):
        place.search()
    place.stops_after = None
    events = place.search()
    assert place.culprits(events) == [[4]]
    reasons = [event.answer.reason for event in events if isinstance(event, StepEnds)]
    assert "not replayed" in reasons
    assert len(set(place.measured)) == len(place.measured)
    assert sum(place.errors) <= ERROR


def test_an_end_that_cannot_be_built_is_an_error(world: Callable[..., World]) -> None:
    with pytest.raises(NotBuiltError, match="cc: error"):
        world(slower_from(4), broken=(0,)).search()


def test_skipped_commits_beside_the_culprit_are_named_as_git_does(world: Callable[..., World]) -> None:
    place = world(slower_from(5), broken=(4,), undecided=(5,))
    events = place.search()
    assert place.culprits(events) == [[4, 5, 6]]
    assert place.measured[-1] == "3..6"
    assert sum(place.errors) <= ERROR


def test_a_commit_that_builds_a_judged_program_takes_its_answer(world: Callable[..., World]) -> None:
    place = world(slower_from(4), same={5: 4, 6: 4, 3: 0, 2: 0, 1: 0})
    events = place.search()
    assert place.culprits(events) == [[4]]
    steps = [event.answer for event in events if isinstance(event, StepEnds)]
    assert {answer.reason for answer in steps} == {"measured", "same program"}
    assert len(place.errors) == sum(answer.reason == "measured" for answer in steps)


def test_a_search_goes_on_after_an_interruption(world: Callable[..., World]) -> None:
    place = world(slower_from(7), stops_after=2)
    with pytest.raises(KeyboardInterrupt):
        place.search()
    first = list(place.measured)
    assert len(first) == 3  # the ends and two steps
    place.stops_after = None
    events = place.search()
    assert place.culprits(events) == [[7]]
    assert place.measured[:3] == first
    assert len(set(place.measured)) == len(place.measured)  # nothing twice
    assert sum(place.errors) <= ERROR
    again = place.search()
    assert place.culprits(again) == [[7]]
    assert len(set(place.measured)) == len(place.measured)
    place.search(restart=True)
    assert place.measured.count("0..11") == 2


def test_a_damaged_file_is_one_line(world: Callable[..., World], tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "search.json").write_text('{"schema": 1')
    with pytest.raises(UsageError, match=r"search\.json: no search of this version .*--restart begins anew"):
        world(slower_from(4)).search()
    assert world(slower_from(4)).search(restart=True)


def test_every_culprit_is_found(world: Callable[..., World]) -> None:
    place = world(slower_from(3, 8))
    events = place.search(every=True)
    assert sorted(place.culprits(events)) == [[3], [8]]
    assert sum(place.errors) <= ERROR
    reasons = [event.answer.reason for event in events if isinstance(event, StepEnds)]
    assert "between" in reasons  # both changes are of one size, so the commits in between are in the middle


def test_three_culprits_are_found_down_to_the_margin(world: Callable[..., World]) -> None:
    place = world(lambda n: 60 * 1.08 ** sum(n >= c for c in (2, 5, 9)) * (1.005 if n >= 7 else 1))
    assert sorted(place.culprits(place.search(every=True))) == [[2], [5], [9]]
