"""What a test asks of a block: how it is measured and what is judged of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_ethrex_perf.records.block import BlockId


@dataclass(frozen=True, slots=True)
class Gating:
    """What is judged of a block: a metric and its limits (fractions; the floor in the metric's unit)."""

    metric: str
    margin: float
    tolerance: float
    floor: float
    drift: float

    def rules(self, **family: Any) -> Rules:
        """Its rules; `family` are those that it shares with the other gatings, for this block alone none."""
        return Rules(
            margin=self.margin, tolerance=self.tolerance, floor=self.floor, drift=self.drift, **family
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What a test asks for: a block, how it is measured and what is judged of it."""

    block: BlockId
    repeat: int | None
    """None: the baseline's, or what a pilot finds best."""
    drop: int
    gatings: tuple[Gating, ...]

    def only(self, metrics: Collection[str]) -> Request:
        """The same with the gatings of `metrics` alone."""
        return replace(self, gatings=tuple(gating for gating in self.gatings if gating.metric in metrics))

    @property
    def counts(self) -> tuple[str, ...]:
        """Those of its metrics that are counted."""
        return tuple(gating.metric for gating in self.gatings if gating.metric not in TIMES)
