"""The line that is written over while a run measures."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.pytest_run import live
from pytest_ethrex_perf.records.decision import Decision
from pytest_ethrex_perf.report import terminal


class Block(SimpleNamespace):
    """A block that is being measured, as far as the line shows it."""

    def __str__(self) -> str:
        return "mainnet/24443168"

    def visible(self) -> float | None:
        return self.seen  # type: ignore[no-any-return] # a namespace knows no types


def status(
    decision: Decision | None = None,
    blocks: int = 1,
    left_s: float = 250,
    seen: float | None = None,
    news: tuple[str, ...] = (),
    pairs: tuple[int, ...] = (1, 2, 3),
) -> Any:
    change = decision and decision.estimate
    block = Block(
        samples_taken=3, samples_planned=24, estimate=decision, change=change, seen=seen, pairs=pairs
    )
    worst = block if change else None
    return SimpleNamespace(block=block, blocks=blocks, decided=2, left_s=left_s, news=news, worst=worst)


RUNNING = Decision(verdict=None, reason="", pairs=7, estimate=0.02, ci95=(0.01, 0.03))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (status(), "mainnet/24443168 3/24 · at most 4 min 10 s left"),
        (status(RUNNING), "mainnet/24443168 3/24 · +2.0 % [+1.0, +3.0] · at most 4 min 10 s left"),
        (
            status(RUNNING, seen=math.log(1.09)),
            "mainnet/24443168 3/24 · +2.0 % [+1.0, +3.0] · would see +9.0 % · at most 4 min 10 s left",
        ),
        (
            status(RUNNING, seen=math.inf),
            "mainnet/24443168 3/24 · +2.0 % [+1.0, +3.0] · at most 4 min 10 s left",
        ),
        (
            status(Decision(verdict=None, reason="", pairs=1, estimate=0.02), blocks=5, left_s=9),
            "mainnet/24443168 3/24 · +2.0 % · 2/5 blocks · at most 9 s left",
        ),
    ],
)
def test_it_says_where_the_run_stands(given: Any, expected: str) -> None:
    assert live.line(given, 100) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (status(pairs=()), "mainnet/24443168 invocation 3/24 · at most 4 min 10 s left"),
        (status(RUNNING), "mainnet/24443168 pair 3/24 · +2.0 % [+1.0, +3.0] · at most 4 min 10 s left"),
        (status(blocks=40), "pair 3/24 · 2 of 40 decided · at most 4 min 10 s left"),
        (
            status(RUNNING, blocks=40),
            "pair 3/24 · 2 of 40 decided · worst so far mainnet/24443168 +2.0 % · at most 4 min 10 s left",
        ),
    ],
)
def test_a_log_says_when_and_what_seems_worst(given: Any, expected: str) -> None:
    assert live.minute(given, "12:04") == f"[12:04] {expected}"


@given(st.integers(0, 100))
def test_it_never_takes_more_than_its_room(room: int) -> None:
    whole = live.line(status(RUNNING, blocks=5), 1000)
    line = live.line(status(RUNNING, blocks=5), room)
    assert terminal.width(line) <= room
    assert whole.startswith(line)
    assert len(line) == min(room, len(whole))


# --- the terminal -------------------------------------------------------------------------------------------


class Reporter:
    """pytest's terminal reporter, as far as the screen uses it."""

    def __init__(self, *, isatty: bool = True) -> None:
        self.isatty = isatty
        self.lines: list[str] = []
        self.unseen = 0
        self._tw = SimpleNamespace(fullwidth=80, width_of_current_line=10)

    def write_line(self, line: str, **_: bool) -> None:
        self.lines.append(line)
        self.unseen += 1

    def flush(self) -> None:
        self.unseen = 0


def screen(reporter: Reporter | None, verbosity: int = 0, **config: object) -> live.Screen:
    plugins = {"terminalreporter": reporter}
    manager = SimpleNamespace(getplugin=plugins.get)
    given: Any = SimpleNamespace(pluginmanager=manager, get_verbosity=lambda: verbosity, **config)
    return live.Screen(given)


@pytest.fixture(autouse=True)
def at_a_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def test_progress_stands_behind_what_is_on_the_line_until_it_is_cleared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = screen(Reporter())
    desk.show(status())
    written = capsys.readouterr().out
    line = "mainnet/24443168 3/24 · at most 4 min 10 s left"
    assert written == f"\x1b[K{line}\x1b[{len(line)}D"
    desk.show(status(RUNNING, blocks=5))
    assert terminal.width(capsys.readouterr().out.partition("\x1b[K")[2].partition("\x1b")[0]) <= 80 - 10 - 2
    desk.clear()
    assert capsys.readouterr().out == "\x1b[K"
    desk.clear()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("reporter", "verbosity"),
    [(None, 0), (Reporter(isatty=False), 0), (Reporter(), -1)],
    ids=["none", "no terminal", "-q"],
)
def test_progress_is_written_over_on_terminals_alone(
    capsys: pytest.CaptureFixture[str], reporter: Reporter | None, verbosity: int
) -> None:
    screen(reporter, verbosity).show(status())
    assert capsys.readouterr().out == ""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in s, to be set by hand."""
    now = [1000.0]
    monkeypatch.setattr(live.Minutes.__init__, "__defaults__", (lambda: now[0],))
    return now


@pytest.mark.parametrize("isatty", [False, True])
def test_without_a_terminal_and_in_ci_it_is_one_line_a_minute(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, *, isatty: bool
) -> None:
    if isatty:
        monkeypatch.setenv("CI", "1")
    reporter = Reporter(isatty=isatty)
    desk = screen(reporter)
    for seconds in (1, 58, 1, 30, 29, 1, 0):
        clock[0] += seconds
        desk.show(status())
    line = r"ethrex-perf: \[\d\d:\d\d\] mainnet/24443168 pair 3/24 · at most 4 min 10 s left"
    assert [re.fullmatch(line, each) is not None for each in reporter.lines] == [True] * 2


def test_a_worker_says_it_on_standard_error(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    desk = screen(None, workerinput={})
    clock[0] += 60
    desk.show(status())
    said = capsys.readouterr().err
    assert said.startswith("\nethrex-perf: [")
    assert said.endswith("] mainnet/24443168 pair 3/24 · at most 4 min 10 s left\n")


def test_what_a_turn_has_shown_of_the_plan_is_said_at_once_unless_it_is_to_be_quiet() -> None:
    reporter = Reporter(isatty=False)
    screen(reporter).show(status(news=("sd 9.0 %: 81 pairs",)))
    screen(reporter, verbosity=-1).show(status(news=("sd 9.0 %: 81 pairs",)))
    assert reporter.lines == ["ethrex-perf: sd 9.0 %: 81 pairs"]


def test_what_comes_from_outside_is_text_in_every_sentence() -> None:
    reporter = Reporter(isatty=False)
    screen(reporter).show(status(news=("net\x1b[2Jwork/1: sd 9.0 %",)))
    assert reporter.lines == ["ethrex-perf: net#x1B[2Jwork/1: sd 9.0 %"]


def test_a_sentence_goes_to_the_terminal_and_from_a_worker_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter()
    screen(reporter).say("waiting")
    assert (reporter.lines, reporter.unseen) == (["ethrex-perf: waiting"], 0)
    screen(None).say("waiting")
    assert capsys.readouterr() == ("", "")
    screen(None, workerinput={}).say("waiting")
    assert capsys.readouterr() == ("", "\nethrex-perf: waiting\n")


def test_a_line_has_room_where_there_is_no_terminal() -> None:
    assert screen(Reporter()).room == 80
    assert screen(None).room == terminal.ROOM
