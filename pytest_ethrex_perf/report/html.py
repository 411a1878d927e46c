"""One self-contained page: everything about a run, to look at; nothing is loaded from anywhere.

The template escapes every value; a content security policy allows the page's own script alone.
"""

from __future__ import annotations

import base64
import hashlib
import math
import shlex
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.profile import artifacts, flamegraph, tables
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import EXEC, PREP, TIMES, unit
from pytest_ethrex_perf.report import charts, escape, history, text
from pytest_ethrex_perf.report.charts import Cluster, Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from pytest_ethrex_perf.records.measurement import Invocation, Program
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult

_KINDS = (
    *("regression", "error", "inconclusive", "waived", text.NOT_DECIDED),
    *("not measured", "skipped", "improvement", "unchanged", "recorded"),
)
_LEAST_REACH, _MOST_REACH = 0.05, 0.25  # of the scale that the rows of the overview share, fractions
_LONG = 2_000


def dump(result: RunResult) -> str:
    """The page's HTML."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_ethrex_perf.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: escape.plain(value) if type(value) is str else value,
    )
    environment.filters |= {
        "change": units.change,
        "gas": units.gas,
        "phase": units.phase,
    }
    files = resources.files("pytest_ethrex_perf.report") / "page"
    script, style = ((files / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    scripts = [script]
    if any(block.profile for block in result.blocks):  # nobody else's page grows
        scripts.append(flamegraph.script())
        style += "\n" + flamegraph.style()
    views = [_View(index, block) for index, block in enumerate(text.worst_first(result.blocks))]
    reach = _reach(result)
    kinds = [row.kind for view in views for row in view.rows(reach)]
    page = environment.get_template("page.html.jinja").render(
        run=result,
        counts=text.counts(result.blocks),
        failed="regression" in kinds or "error" in kinds,
        views=views,
        reach=reach,
        chips=[(kind, kinds.count(kind)) for kind in _KINDS if kind in kinds],
        ranks={kind: rank for rank, kind in enumerate(_KINDS)},
        programs=list(_programs(result)),
        command=lambda program: shlex.join([*program.prefix, *program.command]),
        suite=[
            (text.kind(mean), text.headline(f"mean over {len(mean.blocks)} blocks", mean, "rounds"))
            for mean in result.suite
        ],
        wall=units.clock(result.wall_s),
        scripts=scripts,
        style=style,
        digests=" ".join(f"'sha256-{_digest(one)}'" for one in scripts),
    )
    return page.rstrip() + "\n"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@dataclass(frozen=True)
class _Row:
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


class _View:
    """What the template shows of one block."""

    def __init__(self, index: int, block: BlockResult) -> None:
        self.index, self.block = index, block
        self.id = "".join(c if c.isalnum() and c.isascii() else "-" for c in block.block)[:80] + f"-{index}"
        self.unit = text.unit(block)
        self.taken = text.taken(block)
        self.state = text.state(block) if not block.metrics else ""
        self.why = text.why(block)
        self.beside = text.beside(block)

    def rows(self, reach: float) -> list[_Row]:
        """Its lines of the overview."""
        block = self.block
        if not block.metrics:
            why = escape.line(self.why, _LONG)
            return [_Row("", self.state, "", why, "", None, ("", ""), None, None)]
        return [
            _Row(
                metric=metric.metric,
                kind=text.kind(metric),
                delta=text.shortest_cell(metric).removesuffix(text.symbol(metric)).rstrip(),
                detail=text.cell(metric).partition("(")[2].rstrip(")"),
                forest=_forest(metric, reach),
                change=metric.decision.estimate,
                sides=text.sides(metric),
                base=metric.base,
                head=metric.head,
            )
            for metric in block.metrics
        ]

    def verdicts(self) -> Iterator[dict[str, Any]]:
        """The verdict of each metric in words, with its charts."""
        for metric in self.block.metrics:
            context = metric.context
            yield {
                "metric": metric.metric,
                "kind": text.kind(metric),
                "symbol": text.symbol(metric),
                "label": text.label(metric),
                "estimate": text.estimate(metric),
                "why": metric.outcome_reason,
                "reason": metric.decision.reason,
                "counted": metric.identity or "",
                "evidence": ", ".join(text.evidence(metric, self.unit)),
                "tolerance": units.limit(metric.rules.tolerance),
                "context": units.log_percent(context.estimate, units.decimals(metric.rules.margin))
                if context and context.estimate is not None
                else "",
                "looks": metric.decision.looks,
                "look": partial(_look, units.decimals(metric.rules.margin)),
                "charts": list(self._charts(metric)),
            }

    def figures(self) -> list[tuple[str, Markup]]:
        """Samples of a block that was recorded, and judged by nothing."""
        if self.block.metrics or not self.block.rows:
            return []
        now = {row.name: row.head for row in self.block.rows}
        return [
            *((f"{name}: samples", self._samples(name)) for name in TIMES),
            *(one for name in self.block.rules for one in history.figure(self.block, name, now.get(name))),
        ]

    def past(self) -> list[tuple[str, list[list[str]]]]:
        """The baseline's epochs in words, each with a line for every session of it."""
        return history.table(self.block)

    def _charts(self, metric: MetricResult) -> Iterator[tuple[str, Markup]]:
        name, block = metric.metric, self.block
        if block.pairs:
            yield f"{name}: samples, pair by pair", self._samples(name)
        if block.pairs and metric.decision.looks:
            changes = [
                self._sample(p.head, name) - self._sample(p.base, name)
                for p in block.pairs
                if samples.has(p.head, name) and samples.has(p.base, name)
            ]
            title = f"{name}: head / base of each pair; the interval at each look's share of alpha"
            yield title, charts.looks(metric.decision, metric.rules, changes, title)
        if block.baseline:
            yield f"{name}: the baseline's sessions and this one", self._sessions(metric)
        yield from history.figure(block, name, metric.head)

    def changes(self) -> tuple[list[str], list[list[list[str]]]]:
        """What is said of a change's explanation, and its tables: functions, threads."""
        found = self.block.explanation
        if found is None:
            return [], []
        groups = [found.functions, found.threads if len(found.threads) > 1 else ()]
        return tables.sentences(found), [
            [tables.cells(change) for change in group] for group in groups if group
        ]

    def flamegraphs(self) -> list[Markup]:
        """Base against head, and head; nothing where it was not profiled."""
        from markupsafe import Markup

        profile = self.block.profile
        return [] if profile is None else [Markup(figure) for figure in artifacts.figures_of(profile)]  # noqa: S704 - it escapes its names itself

    def repeats(self) -> list[tuple[str, Markup]]:
        """Every raw repeat, per metric."""
        taken = self.invocations()
        return [
            (
                title,
                charts.repeats([(side, one.repeats(name)) for _, side, one in taken], self.block.drop, title),
            )
            for name in TIMES
            if (title := f"{name}: every repeat") and taken
        ]

    def _samples(self, metric: str) -> Markup:
        block = self.block
        clusters = [
            tuple(self._point(side, getattr(pair, side), metric, number) for side in _order(pair.first))
            for number, pair in enumerate(block.pairs, 1)
            if samples.has(pair.base, metric) and samples.has(pair.head, metric)
        ]
        clusters += [
            (self._point("head", one, metric, n),)
            for n, one in enumerate(block.invocations, 1)
            if samples.has(one, metric)
        ]
        numbered = [Cluster(str(number), points) for number, points in enumerate(clusters, 1)]
        return charts.samples(numbered, f"{block.block} {metric}", unit=unit(metric))

    def _sessions(self, metric: MetricResult) -> Markup:
        """The stored sessions, and this one with where its change's 95 % interval lies."""
        name, block = metric.metric, self.block
        heads = block.invocations or [pair.head for pair in block.pairs]
        taken = [one for one in heads if samples.has(one, name)]
        sessions = [
            ("base", session.started[5:10], samples.comparable(session, name, metric.identity))
            for session in block.baseline
        ]
        clusters = [
            Cluster(label, tuple(self._point(side, one, name, n) for n, one in enumerate(invocations, 1)))
            for side, label, invocations in [*sessions, ("head", "now", taken)]
            if invocations
        ]
        interval = None
        if block.mode == "stored" and metric.decision.ci95 is not None:
            low, high = metric.decision.ci95
            interval = (metric.base * math.exp(low), metric.base * math.exp(high))
        title = f"{block.block} {name}, session by session"
        return charts.samples(clusters, title, interval, unit=metric.unit)

    def _point(self, side: str, one: Invocation, metric: str, number: int) -> Point:
        value, started = math.exp(self._sample(one, metric)), one.started[:19].replace("T", " ")
        return Point(side, value, f"{side} {number}, {started}: {units.quantity(value, unit(metric))}")

    def _sample(self, one: Invocation, metric: str) -> float:
        return samples.sample(one, metric, self.block.drop)

    def invocations(self) -> list[tuple[str, str, Invocation]]:
        """(number, side, invocation) in the order they ran; not those of stored sessions."""
        block = self.block
        if block.pairs:
            return [
                (str(number), side, getattr(pair, side))
                for number, pair in enumerate(block.pairs, 1)
                for side in _order(pair.first)
            ]
        return [(str(number), "head", one) for number, one in enumerate(block.invocations, 1)]

    def noise(self) -> Iterator[list[str]]:
        """Each invocation's own line: what it took, what it cost, what else the machine did."""
        for number, side, one in self.invocations():
            usage, noise = one.usage, one.noise
            yield [
                number,
                side,
                one.started[11:19],
                units.duration(math.exp(self._sample(one, EXEC))),
                units.duration(math.exp(self._sample(one, PREP))),
                units.duration(one.wall_ns),
                units.duration(usage.user_ns + usage.system_ns),
                units.quantity(usage.max_rss_kib, "KiB"),
                f"{usage.voluntary_switches:,} / {usage.involuntary_switches:,}",
                _share(noise.psi_some_us, one.wall_ns),
                "–" if noise.steal_ticks is None else str(noise.steal_ticks),
                "–" if noise.throttled_us is None else units.duration(1e3 * noise.throttled_us),
                "–" if noise.load1 is None else f"{noise.load1:.2f}",
            ]

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

    def phases(self) -> list[dict[str, Any]]:
        """Phases of both sides, with the share of the longest for their bars."""
        base, head = (side.phases if side else {} for side in (self.block.base, self.block.head))
        longest = max([*base.values(), *head.values()], default=0.0) or 1.0
        return [
            {
                "name": name,
                "sides": [
                    (side, known[name], 100 * known[name] / longest)
                    for side, known in (("base", base), ("head", head))
                    if name in known
                ],
            }
            for name in dict.fromkeys([*base, *head])
        ]

    def key(self, reach: float) -> dict[str, Any]:
        """What the overview is sorted by: its worst line's numbers."""
        rows = self.rows(reach)
        worst = min(rows, key=lambda row: (_KINDS.index(row.kind), -(row.change or 0.0)))
        return {
            "order": self.index,
            "block": self.block.block,
            "txs": self.block.txs,
            "gas": self.block.gas,
            "base": worst.base,
            "head": worst.head,
            "delta": worst.change,
            "verdict": _KINDS.index(worst.kind),
            "kinds": " ".join(sorted({row.kind.replace(" ", "-") for row in rows})),
        }


def _order(first: str) -> Sequence[str]:
    return ("base", "head") if first == "base" else ("head", "base")


def _share(psi_us: int | None, wall_ns: int) -> str:
    """How much of an invocation something waited for a CPU."""
    return "–" if psi_us is None else units.percent(1e3 * psi_us / max(1, wall_ns))


def _look(decimals: int, look: Any) -> list[str]:
    return [
        str(look.pairs),
        units.log_percent(look.estimate, decimals),
        f"{units.log_percent(look.low, decimals)} … {units.log_percent(look.high, decimals)}",
        units.percent(look.sd, decimals),
        f"{look.p_slower:.2g}",
        f"{look.p_equivalent:.2g}",
        str(look.verdict or "go on"),
    ]


def _forest(metric: MetricResult, reach: float) -> Markup | str:
    if metric.decision.estimate is None:
        return ""
    return charts.forest(
        metric.decision.estimate, metric.decision.ci95, text.kind(metric), reach, metric.rules
    )


def _reach(result: RunResult) -> float:
    """Half the width of the overview's scale, as a log: the widest interval, within reason."""
    ends = [
        abs(end)
        for block in result.blocks
        for metric in block.metrics
        for end in metric.decision.ci95 or ()
        if math.isfinite(end)
    ]
    return min(max([*ends, _LEAST_REACH]), _MOST_REACH) * 1.05


def _programs(result: RunResult) -> Iterator[tuple[str, Program | None, str]]:
    """(side, program or None for stored baselines, label), each once."""
    seen = set()
    for side in ("head", "base"):
        for block in result.blocks:
            known = getattr(block, side)
            if known is None:
                continue
            key = (side, known.program.sha256 if known.program else None)
            if key not in seen:
                seen.add(key)
                yield side, known.program, known.label if known.program else "stored baselines"
