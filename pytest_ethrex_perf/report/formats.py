"""Other tools' formats: what dashboards plot over time, and tables for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import EXEC, PREP
from pytest_ethrex_perf.report import escape, origin, text, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, Row, RunResult

_UNITS: dict[str, Callable[[float], tuple[float, str]]] = {
    "ns": lambda value: (value / 1e6, "ms"),
    "KiB": lambda value: (value, "KiB"),
    "%": lambda value: (100 * value, "%"),
    "": lambda value: (value, "count"),
}
_BIGGER_IS_BETTER = ("Ggas/s", "ratio")
# Bencher has measures of its own: one for exec, and one that Ggas/s is not
_MEASURES = {EXEC: "latency", "throughput": "ggas-per-second"}
_MEASURE = 64  # characters of the name of a measure, by Bencher's limit
_NAME = 1024


def smaller_is_better(result: RunResult) -> str:
    """`customSmallerIsBetter` of github-action-benchmark: an entry for each row of which less is better.

    Format: `[{name, unit, value, range, extra}]`, in that project's README; value is the head's, times in ms.
    """
    entries = []
    for block in result.blocks:
        judged = {metric.metric: metric for metric in block.metrics}
        for row in block.rows:
            if row.head is None or row.unit in _BIGGER_IS_BETTER:
                continue
            value, unit = _UNITS[row.unit](row.head)
            entries.append(
                {
                    "name": escape.line(f"{block.block} {row.name}", _NAME),
                    "unit": unit,
                    "value": value,
                    **({} if row.head_sd is None else {"range": f"± {units.percent(row.head_sd)} sd"}),
                    "extra": _extra(result, block, row, judged.get(row.metric or "")),
                }
            )
    return _json(entries)


def _extra(result: RunResult, block: BlockResult, row: Row, metric: MetricResult | None) -> str:
    lines = [f"base {text.spread(row, 'base')}"] if row.base is not None else []
    if metric is not None:
        lines.append(f"{verdict.label(metric)} {text.cell(metric)}")
    if block.head and block.head.program:
        lines.append(f"head {origin.plain(origin.program(result, 'head', block.head.program))}")
    return "\n".join(lines)


def bencher(result: RunResult) -> str:
    """Bencher Metric Format: for each block its rows as measures, the head's, one sd below and above.

    Format: `{benchmark: {measure: {value, lower_value, upper_value}}}`,
    https://bencher.dev/docs/reference/bencher-metric-format; times in ns, memory in KiB. exec is Bencher's
    own measure `latency`; its `throughput` counts operations a second, so Ggas/s has a name of its own.
    """
    content: dict[str, dict[str, dict[str, float]]] = {}
    for block in result.blocks:
        measures = {
            _MEASURES.get(row.name) or _slug(row.name): _measure(row.head, row.head_sd)
            for row in block.rows
            if row.head is not None
        }
        if measures:
            content[escape.line(block.block, _NAME)] = measures
    return _json(content)


def _slug(name: str) -> str:
    """`L2 cache-misses (window)` as a measure: `l2-cache-misses-window`."""
    return escape.line(name, _MEASURE).lower().replace(" ", "-").replace("(", "").replace(")", "")


def _measure(value: float, sd: float | None) -> dict[str, float]:
    if sd is None:
        return {"value": value}
    return {"value": value, "lower_value": value * math.exp(-sd), "upper_value": value * math.exp(sd)}


def metrics_csv(result: RunResult) -> str:
    """CSV with one line for each block and metric; changes are plain fractions, values in the unit beside."""
    return _csv(_METRIC_COLUMNS, (line for block in result.blocks for line in _metric_lines(block)))


def _metric_lines(block: BlockResult) -> Iterator[dict[str, Any]]:
    about: dict[str, Any] = {
        "block": block.block,
        "txs": block.txs,
        "gas": block.gas,
        "mode": block.mode,
        "base": block.base.label if block.base else None,
        "base_sha256": block.base.program.sha256 if block.base and block.base.program else None,
        "head": block.head.label if block.head else None,
        "head_sha256": block.head.program.sha256 if block.head and block.head.program else None,
    }
    for metric in block.metrics:
        decision = metric.decision
        interval = decision.ci95 or (None, None)
        yield about | {
            "metric": metric.metric,
            "verdict": str(decision.verdict) if decision.verdict else None,
            "outcome": metric.outcome,
            "why": metric.outcome_reason or decision.reason,
            "unit": metric.unit or "count",
            "counted": metric.identity,
            "base_value": metric.base,
            "head_value": metric.head,
            "change": _change(decision.estimate),
            "ci95_low": _change(interval[0]),
            "ci95_high": _change(interval[1]),
            "p": decision.p,
            text.replicates(block): decision.pairs,
            "sd": decision.sd,
            "detectable": _change(decision.detectable),
            "margin": metric.rules.margin,
            "tolerance": metric.rules.tolerance,
        }
    if not block.metrics:
        yield about | {"verdict": text.state(block), "why": text.why(block)}


_METRIC_COLUMNS = (
    "block", "txs", "gas", "metric", "verdict", "outcome", "base_value", "head_value", "unit", "change",
    "ci95_low", "ci95_high", "p", "pairs", "invocations", "sd", "detectable", "margin", "tolerance", "mode",
    "base", "base_sha256", "head", "head_sha256", "counted", "why",
)  # fmt: skip


def samples_csv(result: RunResult) -> str:
    """CSV with one line for each invocation: its samples, what it cost and what else the machine did.

    What was counted in a repeat has a column for each event, named with how it was counted.
    """
    lines = [line for block in result.blocks for line in _sample_lines(block)]
    counted = sorted({name for line in lines for name in line if name not in _SAMPLE_COLUMNS})
    return _csv([*_SAMPLE_COLUMNS, *counted], lines)


def _sample_lines(block: BlockResult) -> Iterator[dict[str, Any]]:
    for number, pair in enumerate(block.pairs, 1):
        for side, invocation in pair.in_order():
            yield _sample(block, side, number, invocation)
    for session in block.baseline:
        for number, invocation in enumerate(session.invocations, 1):
            yield _sample(block, "base", number, invocation) | {"session": session.id}
    for number, invocation in enumerate(block.invocations, 1):
        yield _sample(block, "head", number, invocation)


def _sample(block: BlockResult, side: str, number: int, invocation: Invocation) -> dict[str, Any]:
    from pytest_ethrex_perf.judge import samples

    usage, noise = invocation.usage, invocation.noise
    return {
        "block": block.block,
        "side": side,
        "number": number,
        "started": invocation.started,
        "exec_ns": round(math.exp(samples.sample(invocation, EXEC, block.drop, block.sample))),
        "prep_ns": round(math.exp(samples.sample(invocation, PREP, block.drop, block.sample))),
        "exec_repeats_ns": " ".join(map(str, invocation.exec_ns)),
        "prep_repeats_ns": " ".join(map(str, invocation.prep_ns)),
        "wall_ns": invocation.wall_ns,
        "user_ns": usage.user_ns,
        "system_ns": usage.system_ns,
        "max_rss_kib": usage.max_rss_kib,
        "opcodes": invocation.opcodes,
        "psi_some_us": noise.psi_some_us,
        "steal_ticks": noise.steal_ticks,
        "throttled_us": noise.throttled_us,
        "load1": noise.load1,
        **{count.identity: count.value for count in invocation.counts.values() if count.value is not None},
    }


_SAMPLE_COLUMNS = (
    "block", "session", "side", "number", "started", "exec_ns", "prep_ns", "wall_ns", "user_ns", "system_ns",
    "max_rss_kib", "opcodes", "psi_some_us", "steal_ticks", "throttled_us", "load1", "exec_repeats_ns",
    "prep_repeats_ns",
)  # fmt: skip


def _change(log: float | None) -> float | None:
    return None if log is None or not math.isfinite(log) else math.expm1(log)


def _csv(columns: Iterable[str], lines: Iterable[Mapping[str, Any]]) -> str:
    """RFC 4180, but for its line ends; a number stays a number, text is no formula."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    writer.writeheader()
    for values in lines:
        writer.writerow(
            {name: escape.csv(value) if isinstance(value, str) else value for name, value in values.items()}
        )
    return file.getvalue()


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
