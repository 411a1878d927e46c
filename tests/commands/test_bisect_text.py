"""What a search says fits a terminal, whatever commits are called; its progress is one line."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.commands import bisect_text
from pytest_ethrex_perf.commands.bisect_text import CELLS, Screen
from pytest_ethrex_perf.gate.bisect import Compared, Culprit, PartBegins, StepBegins, StepEnds
from pytest_ethrex_perf.gate.step import Round
from pytest_ethrex_perf.host.git import Commit
from pytest_ethrex_perf.judge.nearer import Nearness
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.search import Answer, Change, Estimate
from pytest_ethrex_perf.report import escape
from pytest_ethrex_perf.report.terminal import width

if TYPE_CHECKING:
    import pytest

    from pytest_ethrex_perf.gate.bisect import Event
    from pytest_ethrex_perf.records.search import Reason, Side

LINE = "2026-01-31T12:00:00+01:00"


def commit(digit: str, subject: str = "Make it slower") -> Commit:
    return Commit(40 * digit, 40 * "e", subject, LINE[:10], LINE, (40 * "f",))


def change(
    verdict: Verdict | None = Verdict.REGRESSION,
    estimate: float | None = 0.08,
    reason: str = "because",
    notes: tuple[str, ...] = (),
) -> Change:
    return Change(
        base=40 * "a",
        head=40 * "b",
        purpose="ends",
        verdict=verdict,
        reason=reason,
        estimate=estimate,
        ci95=(0.07, 0.09),
        pairs=24,
        margin=0.01,
        notes=notes,
    )


def answer(side: Side, reason: Reason, detail: str = "") -> Answer:
    estimate = Estimate(rounds=36, mean=0.039, half_width=0.01, gap=0.08, error=0.01, seconds=72)
    return Answer(
        good=40 * "a",
        bad=40 * "b",
        commit=40 * "c",
        side=side,
        reason=reason,
        detail=detail,
        estimate=None if detail else estimate,
    )


@given(subject=st.text(max_size=200), detail=st.text(st.characters(max_codepoint=127), max_size=200))
def test_every_line_fits_and_moves_no_cursor(subject: str, detail: str) -> None:
    one, other = commit("c", subject), commit("d", subject)
    events: list[Event] = [
        Compared(one, other, change(), known=False),
        Compared(one, other, change(None, estimate=None, reason=detail), known=True),
        PartBegins(one, other, 1234, 11, 0.05),
        StepBegins(7, 4, one, known=True),
        StepEnds(one, answer("skip", "not built", detail or "it fails")),
        StepEnds(one, answer("bad", "measured")),
        StepEnds(one, answer("bad", "between")),
        StepEnds(one, answer("skip", "undecided")),
        StepEnds(one, answer("good", "same program", 40 * "e")),
        Culprit((one,), other, change(), Path("log")),
        Culprit((one, other), other, change(Verdict.INCONCLUSIVE, notes=(detail,)), Path("log")),
    ]
    for event in events:
        for line in bisect_text.lines(event):
            assert escape.shown(line) == line
            longest = max(map(width, line.split()), default=0)
            assert width(line) <= CELLS or width(line.lstrip()) == longest  # a word is never cut


def test_a_step_says_what_it_was_and_why() -> None:
    assert bisect_text.answer(answer("skip", "same program", 40 * "e")) == (
        "skipped: the same program as eeeeeeeeee"
    )
    assert bisect_text.answer(answer("skip", "not replayed", "its program failed")) == (
        "skipped: its program failed"
    )
    assert bisect_text.answer(answer("skip", "undecided")) == (
        "skipped, undecided: +3.98 % [+2.94, +5.02] from the middle of +8.3 %, 36 rounds, 1 min 12 s"
    )


def test_candidates_are_named_as_git_does() -> None:
    event = Culprit((commit("c"), commit("d")), commit("b"), change(), Path("log"))
    text = "\n".join(bisect_text.lines(event))
    words = " ".join(text.split())
    assert "There are only skipped commits left to test." in text
    assert f"  {40 * 'c'} Make it slower\n  {40 * 'd'} Make it slower\n" in text
    assert "together, against bbbbbbbbbb: +8.3 % [+7.3, +9.4], 24 pairs: slower" in words


def test_a_change_that_is_not_proven_is_said() -> None:
    event = Culprit((commit("c"),), commit("b"), change(Verdict.INCONCLUSIVE), Path("log"))
    text = " ".join(" ".join(bisect_text.lines(event)).split())
    assert "inconclusive, not proven slower than +1 %" in text
    assert "its own change is not proven" in text


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_written_over_on_a_terminal_and_gone_before_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)
    screen = Screen("exec")
    screen.begin("step 2 of about 4: 1a2b3c4d5e")
    screen.round(Round(Nearness("bad", 6, 0.039, 0.03, 0.048, 0.08), 6))
    screen.say("done")
    _, building, round_, line = terminal.getvalue().split("\r")
    assert building == "step 2 of about 4: 1a2b3c4d5e: building\x1b[K"
    assert round_ == "step 2 of about 4: 1a2b3c4d5e: exec, 6 rounds, +4.0 % [+3.0, +4.9] from middle\x1b[K"
    assert line == "\x1b[Kdone\n"


def test_without_a_terminal_progress_is_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    out, now = io.StringIO(), [0.0]
    monkeypatch.setattr(sys, "stdout", out)
    screen = Screen("exec", clock=lambda: now[0])
    screen.begin("step 1 of about 4: 1a2b3c4d5e")
    for seconds in (30.0, 61.0, 90.0):
        now[0] = seconds
        screen.progress(f"{seconds:.0f} s")
    assert out.getvalue() == "step 1 of about 4: 1a2b3c4d5e: 61 s\n"
