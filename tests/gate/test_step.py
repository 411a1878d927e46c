"""What a step is measured by: rounds of three fake programs, for as long as it takes."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.config import settings as config
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.bisect import Ends, NotReplayedError
from pytest_ethrex_perf.gate.step import Round, StepGauge
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import failure
from pytest_ethrex_perf.replay.program import resolve
from tests.conftest import BLOCK

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.records.search import Estimate
    from tests.conftest import Bench

ID = BlockId("mainnet", BLOCK)


class Steps:
    """Measures steps between programs of set times."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def program(self, name: str, ms: float, noise: float, behaviour: str) -> Program:
        path = self.bench.program(name, exec_ms=ms, noise=noise, behaviour=behaviour)
        return resolve(path, cwd=self.bench.path, environ=os.environ)

    def measure(
        self,
        ms: tuple[float, float, float],
        *,
        noise: float = 0.002,
        margin: float = 0.01,
        patience: str = "0",
        behaviour: str = "normal",
        ends: str = "normal",
        **hears: Any,
    ) -> tuple[str | None, Estimate]:
        typed = {"repeat": "3", "patience": patience, "block": [str(BLOCK)]}
        path = self.bench.path
        settings = config.load(typed, cwd=path, root=path, ini={}, environ=os.environ)
        good, bad = self.program("g", ms[0], noise, ends), self.program("b", ms[2], noise, ends)
        here = self.program("s", ms[1], noise, behaviour)
        gauge = StepGauge(settings, ID, "exec", **hears)
        return gauge.place(Ends(good, bad), here, 0.01, margin=margin, repeat=None)


@pytest.fixture
def steps(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Steps:
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)  # the programs take no time
    return Steps(bench)


@pytest.mark.parametrize(
    ("ms", "place"), [((60, 60, 65), "good"), ((60, 65, 65), "bad"), ((60, 62, 65), "good")]
)
def test_a_step_is_told_in_few_rounds_of_three(
    steps: Steps, ms: tuple[float, float, float], place: str
) -> None:
    seen: list[Round] = []
    told, estimate = steps.measure(ms, on_round=seen.append)
    assert told == place
    assert estimate.rounds == len(seen) <= 10
    assert estimate.gap == pytest.approx(0.08, abs=0.01)
    calls = [len(steps.bench.calls(f"bin/{name}")) for name in ("g", "s", "b")]
    assert calls == [estimate.rounds] * 3


def test_both_sides_of_a_step_between_two_changes_are_right(steps: Steps) -> None:
    place, estimate = steps.measure((60, 60 * 1.08, 60 * 1.08**2))
    assert (place, estimate.rounds) == ("between", 24)


def test_an_undecided_step_goes_on_while_patience_lasts(steps: Steps) -> None:
    middle = (60.0, 60 * 1.01, 60 * 1.01**2)
    place, estimate = steps.measure(middle, noise=0.02)
    assert (place, estimate.rounds) == (None, 24)
    seconds = itertools.count()
    place, estimate = steps.measure(middle, noise=0.02, patience="8s", clock=lambda: next(seconds))
    assert place is None
    assert 24 < estimate.rounds < 40


def test_the_machine_is_held_while_rounds_are_measured_and_free_afterwards(steps: Steps) -> None:
    def refused(_: Round) -> None:
        with pytest.raises(MeasurementError, match="ethrex-perf bisect"), lock.measuring("other", timeout=0):
            raise AssertionError

    steps.measure((60, 60, 65), on_round=refused)
    with lock.measuring("other", timeout=0):
        pass


def test_a_step_that_alone_cannot_be_replayed_says_so(steps: Steps) -> None:
    with pytest.raises(NotReplayedError, match=r"its program failed: .*panicked"):
        steps.measure((60, 60, 65), behaviour="panic")


def test_what_no_program_can_replay_is_no_fault_of_the_step(steps: Steps) -> None:
    with pytest.raises(MeasurementError, match="panicked") as raised:
        steps.measure((60, 60, 65), behaviour="panic", ends="panic")
    assert not isinstance(raised.value, NotReplayedError)
