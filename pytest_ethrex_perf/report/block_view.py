"""One block on the HTML page: what the template shows of it, in words and charts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge import phases
from pytest_ethrex_perf.judge.assess import Material
from pytest_ethrex_perf.profile import artifacts, tables
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.metric import EXEC, PREP
from pytest_ethrex_perf.report import charts, escape, history, text, verdict
from pytest_ethrex_perf.report.block_figures import BlockFigures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup

    from pytest_ethrex_perf.records.decision import Decision, Look
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult

KINDS = (
    *("regression", "error", "inconclusive", "waived", verdict.NOT_DECIDED),
    *("not measured", "skipped", "improvement", "unchanged", "recorded"),
)
"""What became of a block or a metric, as the page orders it: the worst first."""
_LONG = 2_000


@dataclass(frozen=True)
class OverviewRow:
    """One line of the overview: a metric of a block, or what became of a block that was not judged."""

    metric: str
    kind: str
    delta: str
    detail: str
    forest: Markup | str
    change: float | None
    sides: tuple[str, str]
    base: float | None
    head: float | None


@dataclass(frozen=True)
class SortKeys:
    """What the overview sorts and filters a block by: the numbers of its worst line."""

    order: int
    block: str
    txs: int | None
    gas: int | None
    base: float | None
    head: float | None
    delta: float | None
    verdict: int
    kinds: str


@dataclass(frozen=True)
class VerdictView:
    """The verdict of one metric in words, with its charts."""

    metric: str
    kind: str
    label: str
    what: str
    how_sure: str
    why: str
    reason: str
    counted: str
    rules: str
    context: str
    looks: list[list[str]]
    charts: list[tuple[str, Markup]]


@dataclass(frozen=True)
class PhaseRow:
    """A phase of each side that has it: side, ms, and percent of the longest phase of all; and its change."""

    name: str
    sides: list[tuple[str, float, float]]
    change: str
    interval: str
    forest: Markup | str


class BlockView:
    """What the template shows of one block; `reach` is half the width of the overview's scale, a log."""

    def __init__(self, index: int, block: BlockResult, reach: float) -> None:
        self.index, self.block, self._reach = index, block, reach
        self._figures = BlockFigures(block)
        self.id = "".join(c if c.isalnum() and c.isascii() else "-" for c in block.block)[:80] + f"-{index}"
        self.replicates = text.replicates(block)
        self.measurement = text.measurement(block)
        self.state = text.state(block) if not block.metrics else ""
        self.why = text.why(block)
        self.failed = bool(block.error) or any(metric.outcome == "fail" for metric in block.metrics)
        self.beside = text.beside(block)

    # --- the overview ---------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> list[OverviewRow]:
        """Its lines of the overview."""
        block = self.block
        if not block.metrics:
            why = escape.line(self.why, _LONG)
            return [OverviewRow("", self.state, "", why, "", None, ("", ""), None, None)]
        return [
            OverviewRow(
                metric=metric.metric,
                kind=text.kind(metric),
                delta=verdict.change(metric.decision, metric.rules),
                detail=f"95 % interval {text.short_cell(metric)}, {text.rules(metric)}",
                forest=_forest(metric, self._reach),
                change=metric.decision.estimate,
                sides=verdict.sides(metric),
                base=metric.base,
                head=metric.head,
            )
            for metric in block.metrics
        ]

    @property
    def key(self) -> SortKeys:
        """What it is sorted and filtered by."""
        worst = min(self.rows, key=lambda row: (KINDS.index(row.kind), -(row.change or 0.0)))
        return SortKeys(
            order=self.index,
            block=self.block.block,
            txs=self.block.txs,
            gas=self.block.gas,
            base=worst.base,
            head=worst.head,
            delta=worst.change,
            verdict=KINDS.index(worst.kind),
            kinds=" ".join(sorted({row.kind.replace(" ", "-") for row in self.rows})),
        )

    # --- verdicts -------------------------------------------------------------------------------------------

    def verdicts(self) -> Iterator[VerdictView]:
        """The verdict of each metric."""
        for metric in self.block.metrics:
            context, decimals = metric.context, units.decimals(metric.rules.margin)
            yield VerdictView(
                metric=metric.metric,
                kind=text.kind(metric),
                label=verdict.label(metric),
                what=verdict.what(metric),
                how_sure=verdict.how_sure(metric, self.replicates),
                why=metric.outcome_reason or verdict.passed_by(metric),
                reason=metric.decision.reason,
                counted=text.counted(metric),
                rules=text.rules(metric),
                context=units.log_percent(context.estimate, decimals)
                if context and context.estimate is not None
                else "",
                looks=[_look(look, metric.decision, decimals) for look in metric.decision.looks],
                charts=list(self._figures.judged(metric)),
            )

    def figures(self) -> list[tuple[str, Markup]]:
        """Samples of a block that was recorded, and judged by nothing."""
        return self._figures.recorded()

    # --- where the time goes --------------------------------------------------------------------------------

    def changes(self) -> tuple[list[str], list[list[list[str]]]]:
        """What is said of a change's explanation, and its tables: functions, threads."""
        explanation = self.block.explanation
        if explanation is None:
            return [], []
        groups = [explanation.functions, explanation.threads if len(explanation.threads) > 1 else ()]
        return tables.sentences(explanation), [
            [tables.cells(change) for change in group] for group in groups if group
        ]

    def flamegraphs(self) -> list[Markup]:
        """Base against head, and head; nothing where it was not profiled."""
        from markupsafe import Markup

        profile = self.block.profile
        return [] if profile is None else [Markup(figure) for figure in artifacts.figures_of(profile)]  # noqa: S704 - it escapes its names itself

    def phases(self) -> tuple[list[PhaseRow], Markup | str]:
        """Phases of both sides, and the axis of their changes; it is empty where nothing is compared."""
        changes = phases.changes(Material.of(self.block), self.block.rules.get(EXEC, Rules()))
        base, head = (dict(side.phases) if side else {} for side in (self.block.base, self.block.head))
        base |= {name: change.base_ms for name, change in changes.items()}
        head |= {name: change.head_ms for name, change in changes.items()}
        longest = max([*base.values(), *head.values()], default=0.0) or 1.0
        reach = charts.reach(change.ci95 for change in changes.values())
        rows = []
        for name in dict.fromkeys([*base, *head]):
            change = changes.get(name)
            sides = [
                (side, levels[name], 100 * levels[name] / longest)
                for side, levels in (("base", base), ("head", head))
                if name in levels
            ]
            rows.append(
                PhaseRow(
                    name,
                    sides,
                    change=units.log_ratio(change.estimate) if change else "",
                    interval=units.interval(change.ci95) if change and change.ci95 else "",
                    forest=charts.bar(change.estimate, change.ci95, reach) if change else "",
                )
            )
        return rows, charts.forest_axis(reach) if changes else ""

    # --- what was measured ----------------------------------------------------------------------------------

    def table(self, *, counted: bool) -> list[tuple[str, str, str, str, str]]:
        """What was measured of both sides, side by side; or what was `counted`, with what to make of it."""
        return [
            (
                row.name,
                text.spread(row, "base") if row.base is not None else "",
                text.spread(row, "head"),
                "" if row.change is None else units.change(row.change),
                row.remark or row.identity or "",
            )
            for row in self.block.rows
            if row.counted is counted
        ]

    def past(self) -> list[tuple[str, list[list[str]]]]:
        """The baseline's epochs in words, each with a line for every session of it."""
        return history.table(self.block)

    def repeats(self) -> list[tuple[str, Markup]]:
        """Every raw repeat, per metric."""
        return self._figures.repeats()

    def noise(self) -> Iterator[list[str]]:
        """Each invocation's own line: what it took, what it cost, what else the machine did."""
        for number, side, invocation in self._figures.invocations():
            usage, noise, pressure = invocation.usage, invocation.noise, invocation.cpu_pressure
            yield [
                number,
                side,
                invocation.started[11:19],
                units.duration(self._figures.value(invocation, EXEC)),
                units.duration(self._figures.value(invocation, PREP)),
                units.duration(invocation.wall_ns),
                units.duration(usage.cpu_ns),
                units.quantity(usage.max_rss_kib, "KiB"),
                f"{usage.voluntary_switches:,} / {usage.involuntary_switches:,}",
                units.NOTHING if pressure is None else units.percent(pressure),
                units.NOTHING if noise.steal_ticks is None else str(noise.steal_ticks),
                units.NOTHING if noise.throttled_us is None else units.duration(1e3 * noise.throttled_us),
                units.NOTHING if noise.load1 is None else f"{noise.load1:.2f}",
            ]


def _look(look: Look, decision: Decision, decimals: int) -> list[str]:
    return [
        str(look.pairs),
        units.log_percent(look.estimate, decimals),
        f"{units.log_percent(look.low, decimals)} … {units.log_percent(look.high, decimals)}",
        units.percent(look.sd, decimals),
        f"{look.p_slower:.2g}",
        f"{look.p_equivalent:.2g}",
        verdict.of_look(look, decision),
    ]


def _forest(metric: MetricResult, reach: float) -> Markup | str:
    return charts.forest(metric.decision, text.kind(metric), reach, metric.rules)
