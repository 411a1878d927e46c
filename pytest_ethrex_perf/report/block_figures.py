"""The figures of one block on the HTML page: titles and charts, from what was measured."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.judge.assess import Material
from pytest_ethrex_perf.records import moment, units
from pytest_ethrex_perf.records.metric import EXEC, TIMES, unit
from pytest_ethrex_perf.report import charts, distribution_chart, history, wall_time_chart
from pytest_ethrex_perf.report.charts import Cluster, Point
from pytest_ethrex_perf.report.distribution_chart import Spread
from pytest_ethrex_perf.report.wall_time_chart import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from pytest_ethrex_perf.records.measurement import Invocation, Side
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult


class BlockFigures:
    """The figures of `block`; of each its title and its chart."""

    def __init__(self, block: BlockResult) -> None:
        self.block = block

    def judged(self, metric: MetricResult) -> Iterator[tuple[str, Markup]]:
        """What a verdict rests on."""
        name, block = metric.metric, self.block
        if block.pairs:
            yield f"{name}: samples, pair by pair", self._samples(name)
        if block.pairs and metric.decision.looks:
            material = Material.of(block)
            sides = zip(material.samples("base", name), material.samples("head", name), strict=False)
            title = f"{name}: head / base of each pair; the interval at each look's share of alpha"
            changes = [head - base for base, head in sides]
            yield title, charts.looks(metric.decision, metric.rules, changes, title)
        if block.baseline:
            yield f"{name}: the baseline's sessions and this one", self._sessions(metric)
        if spreads := self._spreads(metric):
            each = "time" if metric.unit else "count"
            title = f"{name}: share of invocations at or below each {each} (ECDF)"
            yield title, distribution_chart.ecdf(spreads, title, metric.unit)
        if name in TIMES:
            yield from self._over_time(name)
        yield from history.figure(block, name, metric.head)

    def recorded(self) -> list[tuple[str, Markup]]:
        """Samples of a block that was recorded, and judged by nothing."""
        if self.block.metrics or not self.block.rows:
            return []
        now = {row.name: row.head for row in self.block.rows}
        return [
            *((f"{name}: samples", self._samples(name)) for name in TIMES),
            *self._over_time(EXEC),
            *(
                figure
                for name in self.block.rules
                for figure in history.figure(self.block, name, now.get(name))
            ),
        ]

    def _samples(self, metric: str) -> Markup:
        block = self.block
        clusters = [
            tuple(self._point(side, invocation, metric, number) for side, invocation in pair.in_order())
            for number, pair in enumerate(block.pairs, 1)
            if samples.has(pair.base, metric) and samples.has(pair.head, metric)
        ]
        clusters += [
            (self._point("head", invocation, metric, number),)
            for number, invocation in enumerate(block.invocations, 1)
            if samples.has(invocation, metric)
        ]
        numbered = [Cluster(str(number), points) for number, points in enumerate(clusters, 1)]
        return charts.samples(numbered, f"{block.block} {metric}", unit=unit(metric))

    def _sessions(self, metric: MetricResult) -> Markup:
        """The stored sessions, and this one with where its change's 95 % interval lies."""
        name, block = metric.metric, self.block
        now = [invocation for invocation in block.taken("head") if samples.has(invocation, name)]
        sessions: list[tuple[Side, str, list[Invocation]]] = [
            ("base", session.started[5:10], invocations)
            for session, invocations in zip(block.baseline, self._stored(metric), strict=True)
        ]
        clusters = [
            Cluster(
                label,
                tuple(
                    self._point(side, invocation, name, number)
                    for number, invocation in enumerate(invocations, 1)
                ),
            )
            for side, label, invocations in [*sessions, ("head", "now", now)]
            if invocations
        ]
        interval = metric.head_interval if block.mode == "stored" else None
        title = f"{block.block} {name}, session by session"
        return charts.samples(clusters, title, interval, unit=metric.unit)

    def _spreads(self, metric: MetricResult) -> list[Spread]:
        """The samples of both sides, those of each stored session apart; nothing without both sides."""
        name, block = metric.metric, self.block
        base = [block.taken("base")] if block.pairs else self._stored(metric)
        sides: list[tuple[Side, Sequence[Invocation]]] = [
            *(("base", invocations) for invocations in base),
            ("head", block.taken("head")),
        ]
        spreads = [
            Spread(side, [self.value(one, name) for one in invocations if samples.has(one, name)])
            for side, invocations in sides
        ]
        spreads = [spread for spread in spreads if spread.values]
        return spreads if {spread.side for spread in spreads} == {"base", "head"} else []

    def _over_time(self, metric: str) -> Iterator[tuple[str, Markup]]:
        """Its times where they ran; nothing where a start can't be read."""
        taken = self.invocations()
        try:
            starts = [moment.utc(invocation.started).timestamp() for _, _, invocation in taken]
        except ValueError:
            return
        if not starts:
            return
        first = min(starts)
        moments = [
            Moment(
                side=side,
                start=start - first,
                end=start - first + invocation.wall_ns / 1e9,
                value=self.value(invocation, metric),
                load=invocation.noise.load1,
                steal=invocation.noise.steal_ticks,
                pressure=invocation.cpu_pressure,
            )
            for start, (_, side, invocation) in zip(starts, taken, strict=True)
        ]
        began = f"{datetime.fromtimestamp(first, UTC):%H:%M:%S} UTC"
        title = f"{metric} over wall time from {began}, with load, steal and PSI"
        yield title, wall_time_chart.over_time(moments, title)

    def _stored(self, metric: MetricResult) -> list[list[Invocation]]:
        """What of each stored session was compared with."""
        return [
            samples.comparable(session, metric.metric, metric.identity) for session in self.block.baseline
        ]

    def _point(self, side: Side, invocation: Invocation, metric: str, number: int) -> Point:
        value, started = self.value(invocation, metric), invocation.started[:19].replace("T", " ")
        return Point(side, value, f"{side} {number}, {started}: {units.quantity(value, unit(metric))}")

    def repeats(self) -> list[tuple[str, Markup]]:
        """Every raw repeat, per metric."""
        invocations = self.invocations()
        return [
            (
                title,
                charts.repeats(
                    [(side, invocation.repeats(name)) for _, side, invocation in invocations],
                    self.block.drop,
                    title,
                ),
            )
            for name in TIMES
            if (title := f"{name}: every repeat") and invocations
        ]

    def invocations(self) -> list[tuple[str, Side, Invocation]]:
        """(number, side, invocation) in the order they ran; not those of stored sessions."""
        if self.block.pairs:
            return [
                (str(number), side, invocation)
                for number, pair in enumerate(self.block.pairs, 1)
                for side, invocation in pair.in_order()
            ]
        return [
            (str(number), "head", invocation) for number, invocation in enumerate(self.block.invocations, 1)
        ]

    def value(self, invocation: Invocation, metric: str) -> float:
        """Its sample in the metric's unit."""
        return math.exp(samples.sample(invocation, metric, self.block.drop, self.block.sample))
