"""The line that is written over while a run measures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.pytest_run import live
from pytest_ethrex_perf.records.decision import Decision
from pytest_ethrex_perf.report import terminal


def status(decision: Decision | None = None, blocks: int = 1, left_s: float = 250) -> Any:
    gate = SimpleNamespace(block="mainnet/24443168", samples_taken=3, samples_planned=24, estimate=decision)
    return SimpleNamespace(gate=gate, blocks=blocks, decided=2, left_s=left_s)


RUNNING = Decision(verdict=None, reason="", pairs=7, estimate=0.02, ci95=(0.01, 0.03))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (status(), "mainnet/24443168 3/24 · at most 4 min 10 s left"),
        (status(RUNNING), "mainnet/24443168 3/24 · +2.0 % ± 1.0 % · at most 4 min 10 s left"),
        (
            status(Decision(verdict=None, reason="", pairs=1, estimate=0.02), blocks=5, left_s=9),
            "mainnet/24443168 3/24 · +2.0 % · 2/5 blocks · at most 9 s left",
        ),
    ],
)
def test_it_says_where_the_run_stands(given: Any, told: str) -> None:
    assert live.line(given, 100) == told


@given(st.integers(0, 100))
def test_it_never_takes_more_than_its_room(room: int) -> None:
    whole = live.line(status(RUNNING, blocks=5), 1000)
    told = live.line(status(RUNNING, blocks=5), room)
    assert terminal.width(told) <= room
    assert whole.startswith(told)
    assert len(told) == min(room, len(whole))
