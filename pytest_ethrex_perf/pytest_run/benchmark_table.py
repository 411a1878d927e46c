"""Our samples in pytest-benchmark's table: where a test takes its `benchmark` fixture beside `ethrex_block`.

Only its public ways are used: a timer in the marker, and `benchmark.pedantic` with as many rounds as there
are samples.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
from pytest_ethrex_perf.records.metric import EXEC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.result import BlockResult

FIXTURE = "benchmark"


class Playback:
    """A timer that plays the durations that it was given, two readings for each; without any, a clock."""

    __name__ = "ethrex_replay"

    def __init__(self) -> None:
        self._readings: deque[float] = deque()

    def load(self, seconds: Sequence[float]) -> None:
        """Play these durations from now on."""
        self._readings.extend(reading for duration in seconds for reading in (0.0, duration))

    def __call__(self) -> float:
        """The next reading, in s."""
        return self._readings.popleft() if self._readings else time.perf_counter()


TIMER: pytest.StashKey[Playback] = pytest.StashKey()


def prepare(item: pytest.Item) -> None:
    """Give the `benchmark` fixture of `item` our timer, before it is made; its marker's settings are kept.

    Nothing happens where pytest-benchmark is not loaded or is disabled (pytest-codspeed does that, too).
    """
    wanted = {FIXTURE, "ethrex_block"} <= set(getattr(item, "fixturenames", ()))
    if not wanted or not item.config.pluginmanager.hasplugin(FIXTURE):
        return
    if item.config.getoption("benchmark_disable", default=False):
        return
    marker = item.get_closest_marker(FIXTURE)
    item.stash[TIMER] = Playback()
    settings = {**(marker.kwargs if marker else {}), "timer": item.stash[TIMER]}
    item.add_marker(pytest.mark.benchmark(**settings), append=False)


def beside(request: pytest.FixtureRequest, gated: GatedBlock) -> GatedBlock:
    """`gated` as a test gets it: one that takes `benchmark`, too, gets a row of its table when it judges."""
    if FIXTURE not in request.fixturenames:
        return gated

    def gate() -> BlockResult:
        play(request.getfixturevalue(FIXTURE), request.node, gated.result)
        return gated.gate()

    return GatedBlock(gated.result, gate, required=gated.required)


def play(benchmark: Any, item: pytest.Item, result: BlockResult) -> None:
    """Put the head's exec samples of `result` into the table, a round each, and the verdict beside them."""
    if not type(benchmark).__module__.startswith("pytest_benchmark"):
        return  # somebody else's: pytest-codspeed measures by itself
    from pytest_ethrex_perf.report import benchmark_json

    seconds = benchmark_json.seconds(result, "head", EXEC)
    timer = item.stash.get(TIMER, None)
    if timer is not None:
        timer.load(seconds)
    benchmark.extra_info.update(
        {f"ethrex_{metric.metric}_verdict": str(metric.decision.verdict) for metric in result.metrics}
    )
    benchmark.pedantic(lambda: None, rounds=max(1, len(seconds)))
