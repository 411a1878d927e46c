"""The family of one run: what is judged in it, over which alpha is spent, fixed at the end of collection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.config.settings import check_limits, check_marker
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.judge import family, looks, stored
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
        limits = self.settings.limits(None, metric)._replace(floor=0.0)
        return self._rules(Gating(metric, *limits), self._gatings.suite or 1.0)

    @property
    def _everywhere(self) -> tuple[Request, ...]:
        return (*self.requests, *self.elsewhere)

    @property
    def _gatings(self) -> family.Gatings:
        return family.gatings(max(self.size, 1), len(self.mean_metrics))

    def _rules(self, gating: Gating, gatings: float) -> Rules:
        rules = gating.rules(alpha=self.settings.alpha, gatings=gatings, within=stored.WITHIN)
        if self.settings.looks is not None:  # a plan by hand
            return replace(rules, looks=self.settings.looks)
        return looks.standard(rules, looks.MOST if self.settings.patience else 0)


def request_of(settings: Settings, block: BlockId, marker: Mapping[str, object] | None = None) -> Request:
    """What a test with these marker keywords asks of `block`. Raises `UsageError`."""
    marker = marker or {}
    check_marker(marker)
    asked = settings.block(block, marker)
    if asked.repeat != AUTO and asked.repeat <= asked.drop:
        raise UsageError(
            f"{block}: {asked.repeat} repeats, the first {asked.drop} dropped, leave nothing: "
            "raise --ethrex-repeat"
        )
    gatings = []
    for metric in asked.metrics:
        limits = settings.limits(block, metric, marker)
        check_limits(block, metric, limits)
        gatings.append(Gating(metric, *limits))
    return Request(block, None if asked.repeat == AUTO else asked.repeat, asked.drop, tuple(gatings))
