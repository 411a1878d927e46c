"""How numbers and verdicts read, in every report alike."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.result import SuiteResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ethrex_perf.records.decision import Decision
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, Row

SYMBOLS = {
    Verdict.REGRESSION: "❌",
    Verdict.IMPROVEMENT: "🚀",
    Verdict.UNCHANGED: "✅",
    Verdict.INCONCLUSIVE: "❔",
}
WAIVED = "🔕"
NOT_DECIDED = "not decided"  # the run was stopped
_ORDER = ("regression", "error", "inconclusive", "waived", "improvement", "unchanged")
_NOTHING = 5e-5  # what two decimals would round away as well
_TINY = 0.001  # spread, as of counts, that one decimal would round away
_COARSE = 0.01  # a margin that one decimal does justice to
_LARGE = 100_000
_COUNTABLE = ("regression", "improvement", "error")  # the others are adjectives


def limit(fraction: float) -> str:
    """A margin or tolerance as the user wrote it: `1 %`, `0.3 %`."""
    return f"{100 * fraction:g} %"


def percent(fraction: float, decimals: int = 1) -> str:
    """What was measured: `0.9 %`."""
    return f"{100 * fraction:.{decimals}f} %"


def change(fraction: float, decimals: int = 1) -> str:
    """A measured change: `+4.5 %`."""
    return f"{100 * fraction:+z.{decimals}f} %"


def log_percent(log: float, decimals: int = 1) -> str:
    """A change given as a logarithm, as a signed percentage."""
    return change(math.expm1(log), decimals)


def decimals(result: MetricResult | SuiteResult) -> int:
    """Of the percentages of a result: as many as its margin needs."""
    return 1 if result.rules.margin >= _COARSE else 2


def duration(ns: float) -> str:
    """`59.75 ms`: four significant digits in the unit that fits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        value = float(f"{ns / size:.4g}")  # rounded first: 999.96 µs is 1.000 ms
        if value >= 1:
            return f"{value:.{max(0, 3 - int(math.log10(value)))}f} {unit}"
    return f"{ns:.0f} ns"


def clock(seconds: float) -> str:
    """`1 h 05 min`, `4 min 10 s`, `12 s`."""
    whole = max(0, round(seconds))
    if whole >= 3600:  # noqa: PLR2004 - seconds of an hour
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"  # noqa: PLR2004 - a minute


def quantity(value: float | None, unit: str) -> str:
    """A value of a row in its unit."""
    if value is None:
        return "–"
    if unit == "ns":
        return duration(value)
    if unit == "KiB":
        return f"{value / 1024:.1f} MiB"
    if unit == "%":
        return f"{100 * value:.2f} %"
    if unit == "ratio":
        return f"{value:.2f}"
    return f"{value:.3g} {unit}" if unit else count(value)


def count(value: float) -> str:
    """A count: `8,880`, and from a hundred thousand on four significant digits: `688.3 M`."""
    if value < _LARGE:
        return f"{value:,.0f}"
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        scaled = float(f"{value / size:.4g}")  # rounded first, as durations are
        if scaled >= 1:
            return f"{scaled:.{max(0, 3 - int(math.log10(scaled)))}f} {prefix}"
    raise AssertionError(value)  # no large number is below a thousand


def phase(ms: float | None) -> str:
    """A phase of the program."""
    return "–" if ms is None else f"{ms:.2f} ms"


def spread(row: Row, side: str) -> str:
    """`59.75 ms ± 1.2 %`."""
    value, sd = (row.base, row.base_sd) if side == "base" else (row.head, row.head_sd)
    told = quantity(value, row.unit)
    if sd is None or value is None:
        return told
    return f"{told} ± {deviation(sd)}"


def deviation(sd: float) -> str:
    """A relative standard deviation: `1.2 %`, `0.04 %`."""
    return percent(sd, 2 if _NOTHING < sd < _TINY else 1)


def symbol(result: MetricResult | SuiteResult) -> str:
    """The verdict as one character."""
    verdict = result.decision.verdict
    return WAIVED if result.outcome == "waived" else SYMBOLS[verdict] if verdict else "…"


def cell(result: MetricResult | SuiteResult) -> str:
    """`+4.5 % ❌ (±0.9 %, margin 1 %)`: change, verdict, half the 95 % interval, margin."""
    decision, places = result.decision, decimals(result)
    if decision.estimate is None:
        return f"– {symbol(result)}"
    reach = half_width(decision)
    within = f"±{percent(reach, places)}, " if reach is not None else ""
    told = f"{log_percent(decision.estimate, places)} {symbol(result)}"
    return f"{told} ({within}margin {limit(result.rules.margin)})"


def short_cell(result: MetricResult | SuiteResult) -> str:
    """`+4.5 % ❌ ±0.9 %`: the same where room is short."""
    decision = result.decision
    reach = half_width(decision)
    told = cell(result).partition(" (")[0]
    return told if reach is None else f"{told} ±{percent(reach, decimals(result))}"


def shortest_cell(result: MetricResult | SuiteResult) -> str:
    """`+4.5 % ❌`: where there is hardly any."""
    return cell(result).partition(" (")[0]


def half_width(decision: Decision) -> float | None:
    """Half the nominal 95 % interval, as a fraction; None where there is none."""
    return None if decision.ci95 is None else math.expm1((decision.ci95[1] - decision.ci95[0]) / 2)


def headline(name: str, result: MetricResult | SuiteResult, unit: str) -> str:
    """The verdict with its numbers in one line: all that an annotation or a list of failures shows."""
    parts = [f"{label(result)}: {name} {result.metric} {estimate(result)}"]
    if not isinstance(result, SuiteResult):
        counted = f" (a count, not time: {result.identity})" if result.identity else ""
        parts.append(" → ".join(sides(result)) + counted)
    return ", ".join([*parts, *evidence(result, unit)]) + reason(result)


def sides(result: MetricResult) -> tuple[str, str]:
    """Base and head of what was judged, in its unit."""
    return quantity(result.base, result.unit), quantity(result.head, result.unit)


def kind(result: MetricResult | SuiteResult) -> str:
    """What became of it, by one name: the verdict, or `waived`."""
    return "waived" if result.outcome == "waived" else str(result.decision.verdict or NOT_DECIDED)


def label(result: MetricResult | SuiteResult) -> str:
    """The verdict in words."""
    return "waived regression" if result.outcome == "waived" else str(result.decision.verdict or NOT_DECIDED)


def estimate(result: MetricResult | SuiteResult) -> str:
    """`+4.5 % (95 % CI +3.6 % … +5.4 %)`, or why there is no estimate."""
    decision, places = result.decision, decimals(result)
    if decision.estimate is None or decision.ci95 is None:
        return f"({decision.reason})"
    low, high = (log_percent(end, places) for end in decision.ci95)
    return f"{log_percent(decision.estimate, places)} (95 % CI {low} … {high})"


def evidence(result: MetricResult | SuiteResult, unit: str) -> list[str]:
    """What the verdict rests on: p, pairs, margin, and what the measurement could have seen."""
    decision = result.decision
    parts = [] if decision.p is None else [f"p = {decision.p:.2g}"]
    parts += [f"{decision.pairs} {unit}", f"margin {limit(result.rules.margin)}"]
    if decision.detectable is not None and math.isfinite(decision.detectable):
        parts.append(f"detectable {log_percent(decision.detectable, decimals(result))}")
    return parts


def reason(result: MetricResult | SuiteResult) -> str:
    """Why the outcome is not what the verdict alone would give."""
    return f" – {result.outcome_reason}" if result.outcome_reason else ""


def gas(amount: int | None) -> str:
    """`37.5 M gas`."""
    return "–" if amount is None else f"{amount / 1e6:.1f} M gas" if amount else "0 gas"


def unit(block: BlockResult) -> str:
    """What was counted while the block was measured: `pairs`, or `invocations` of one side."""
    return "pairs" if block.mode == "interleaved" else "invocations"


def taken(block: BlockResult) -> str:
    """How the block was measured: `7 pairs, interleaved`."""
    told = {
        "interleaved": f"{len(block.pairs)} pairs, interleaved",
        "stored": f"{len(block.invocations)} invocations against {len(block.baseline)} stored sessions",
        "record": f"{len(block.invocations)} invocations",
    }[block.mode]
    return told + (", A/A" if block.aa else "")


def state(block: BlockResult) -> str:
    """What became of a block of which nothing was judged: `error`, `skipped`, `recorded`, `not measured`."""
    return next((name for name in ("error", "skipped", "recorded") if getattr(block, name)), "not measured")


def why(block: BlockResult) -> str:
    """What there is to say about that state."""
    return block.error or block.skipped or block.recorded or ""


def worst_first(blocks: Iterable[BlockResult]) -> list[BlockResult]:
    """Failures, errors, warnings, then the rest; the slower ones first in each."""
    return sorted(blocks, key=_badness)


def _badness(block: BlockResult) -> tuple[int, float]:
    estimates = [metric.decision.estimate or 0.0 for metric in block.metrics]
    if any(metric.outcome == "fail" for metric in block.metrics):
        rank = 0
    elif block.error:
        rank = 1
    else:
        rank = 2 if any(metric.outcome in ("warn", "waived") for metric in block.metrics) else 3
    return rank, -max(estimates, default=0.0)


def counts(blocks: Iterable[BlockResult]) -> str:
    """`2 regressions, 1 error, 5 unchanged`: one line over everything."""
    return tally(
        name for block in blocks for name in [kind(metric) for metric in block.metrics] or [state(block)]
    )


def tally(names: Iterable[str]) -> str:
    """`2 regressions, 1 error`: how often each of `names` is there, the worst first."""
    found = Counter(names)
    ranked = sorted(found, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return ", ".join(
        f"{found[name]} {name}{'s' if found[name] > 1 and name in _COUNTABLE else ''}" for name in ranked
    )


def beside(block: BlockResult) -> list[str]:
    """What is shown for information: earlier sessions, so that creep is seen, and others' numbers."""
    told = []
    for one in block.references:
        metric = "" if one.metric == "exec" else f", {one.metric}"
        told.append(f"against {one.name} {one.date}{metric}: {change(one.change)}")
    told += [
        f"reference of {other.machine}, {other.date}: {duration(other.exec_ns)}, "
        f"{other.ggas_per_s:.2f} Ggas/s; never gated against"
        for other in block.published
    ]
    return told
