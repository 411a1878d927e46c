"""A made-up year of nightly sessions of a block, as a history file holds it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from pytest_ethrex_perf.records.history import BlockHistory, History, HistoryEpoch, HistorySession, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 1, 1, 2, tzinfo=UTC)
LEVEL_NS = 60e6


def date(night: int) -> str:
    """The day of a night, from 0: `2026-01-01`."""
    return (START + timedelta(days=night)).isoformat()[:10]


def commit(night: int) -> str:
    """The commit that was measured in a night."""
    return f"{night:04x}" * 10


def year(
    *steps: tuple[int, float],
    nights: int = 365,
    seed: int = 1,
    noise: float = 0.01,
    block: str = "mainnet/24443168",
    epochs: Sequence[tuple[int, str]] = (),
    one_program: bool = False,
    metrics: Sequence[str] = ("exec",),
) -> BlockHistory:
    """A block whose level changes by `steps` (night, percent); `epochs` begin at (night, reason)."""
    logs = noise * np.random.default_rng(seed).standard_normal(nights)
    for night, percent in steps:
        logs[night:] += math.log1p(percent / 100)
    sessions = [
        HistorySession(
            id=f"{night:012x}",
            started=(START + timedelta(days=night)).isoformat(),
            program=("0" * 12 if one_program else f"{night:012x}"),
            commit=commit(0 if one_program else night),
            invocations=10,
            levels={
                metric: Level(mean=LEVEL_NS * math.exp(log), error=0.003, counted=counted(metric))
                for metric in metrics
            },
        )
        for night, log in enumerate(logs.tolist())
    ]
    return BlockHistory(
        block=block,
        kind="ethrex",
        machine="bench",
        gas=30_000_000,
        sessions=tuple(sessions),
        epochs=tuple(
            HistoryEpoch(started=(START + timedelta(days=night)).isoformat(), reason=reason)
            for night, reason in [(0, "first recording"), *epochs]
        ),
    )


def counted(metric: str) -> str | None:
    """How a count was counted."""
    return None if metric in {"exec", "prep"} else f"{metric}:u by perf (window, repeat)"


def history(*blocks: BlockHistory) -> History:
    """A history of blocks."""
    return History(version="0.1.0", blocks=blocks)


def without_commits(block: BlockHistory) -> BlockHistory:
    """The same, measured by programs whose commits nobody knows."""
    return msgspec.structs.replace(
        block, sessions=tuple(msgspec.structs.replace(session, commit=None) for session in block.sessions)
    )
