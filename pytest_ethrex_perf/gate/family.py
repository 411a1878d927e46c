"""The family of one run: what is judged in it, over which alpha is spent, fixed at the end of collection."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.config.settings import check_limits, check_marker
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.judge import family
from pytest_ethrex_perf.records.metric import limits
from pytest_ethrex_perf.records.request import Gating, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.decision import Rules


@dataclass(frozen=True)
class Family:
    """What one run judges; `Rules.gatings` follows from it.

    Attributes: `requests` are measured here, `elsewhere` by other shards (they belong to the family as well);
    `mean` are the blocks whose mean is judged, none where it is not.
    """

    settings: Settings
    requests: tuple[Request, ...] = ()
    mean: tuple[Request, ...] = ()
    elsewhere: tuple[Request, ...] = ()

    @classmethod
    def of(
        cls,
        settings: Settings,
        requests: Iterable[Request],
        mean: Iterable[Request] = (),
        elsewhere: Iterable[Request] = (),
    ) -> Family:
        """The family of these, each once."""
        unique = (tuple(dict.fromkeys(each)) for each in (requests, mean, elsewhere))
        return cls(settings, *unique)

    @property
    def size(self) -> int:
        """Block-metrics that are judged, of all shards together."""
        return len({(r.block, r.repeat, r.drop, gating) for r in self._everywhere for gating in r.gatings})

    @property
    def counts(self) -> tuple[str, ...]:
        """Metrics that are judged and that the clock can't see."""
        return tuple(sorted({metric for request in self._everywhere for metric in request.counts}))

    @property
    def mean_metrics(self) -> tuple[str, ...]:
        """Metrics whose mean over blocks is judged: those that every block of the mean is gated on."""
        if not self.mean or self.settings.recording:
            return ()
        metrics = [[gating.metric for gating in request.gatings] for request in self.mean]
        return tuple(name for name in metrics[0] if all(name in names for names in metrics))

    def rules(self, gating: Gating) -> Rules:
        """By what one block-metric is judged."""
        return self._rules(gating, self._gatings.block)

    def mean_rules(self, metric: str) -> Rules:
        """By what the mean over blocks of `metric` is judged: without a floor, the blocks' levels differ."""
        gating = dataclasses.replace(gating_of(self.settings, metric, None), floor=0.0)
        return self._rules(gating, self._gatings.suite or 1.0)

    @property
    def _everywhere(self) -> tuple[Request, ...]:
        return (*self.requests, *self.elsewhere)

    @property
    def _gatings(self) -> family.Gatings:
        return family.gatings(max(self.size, 1), len(self.mean_metrics))

    def _rules(self, gating: Gating, gatings: float) -> Rules:
        return gating.rules(
            alpha=self.settings.get("alpha"), gatings=gatings, looks=self.settings.get("looks")
        )


def request_of(settings: Settings, block: BlockId, marker: Mapping[str, Any] | None = None) -> Request:
    """What a test with these marker keywords asks of `block`. Raises `UsageError`."""
    marker = marker or {}
    check_marker(marker)
    repeat, drop = settings.get("repeat", block, None, marker), settings.get("drop", block, None, marker)
    if repeat != AUTO and repeat <= drop:
        raise UsageError(
            f"{block}: {repeat} repeats, the first {drop} dropped, leave nothing: raise --ethrex-repeat"
        )
    names = settings.get("metrics", block, None, marker)
    for name in names:
        check_limits(settings, block, name, marker)
    gatings = tuple(gating_of(settings, name, block, marker) for name in names)
    return Request(block, None if repeat == AUTO else repeat, drop, gatings)


def gating_of(
    settings: Settings, metric: str, block: BlockId | None, marker: Mapping[str, Any] | None = None
) -> Gating:
    """What is judged of `metric` of a block (None: of the mean over blocks)."""
    margin, tolerance, floor = (
        settings.get(limit, block, metric, marker) for limit in ("margin", "tolerance", "floor")
    )
    drift = limits(metric, callgrind=settings.get("counters") == "callgrind").drift
    return Gating(metric, margin, tolerance, floor, drift)
