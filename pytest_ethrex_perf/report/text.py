"""How numbers and verdicts read, in every report alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge.verdict import Verdict

if TYPE_CHECKING:
    from pytest_ethrex_perf.judge.verdict import Decision
    from pytest_ethrex_perf.results import MetricResult, Row, SuiteResult

SYMBOLS = {
    Verdict.REGRESSION: "❌",
    Verdict.IMPROVEMENT: "🚀",
    Verdict.UNCHANGED: "✅",
    Verdict.INCONCLUSIVE: "❔",
}
WAIVED = "🔕"


def limit(fraction: float) -> str:
    """A margin or tolerance as the user wrote it: `1 %`, `0.3 %`."""
    return f"{100 * fraction:g} %"


def percent(fraction: float) -> str:
    """What was measured, to one decimal: `0.9 %`."""
    return f"{100 * fraction:.1f} %"


def change(fraction: float) -> str:
    """A measured change: `+4.5 %`."""
    return f"{100 * fraction:+.1f} %"


def log_percent(log: float) -> str:
    """A change given as a logarithm, as a signed percentage."""
    return change(math.expm1(log))


def duration(ns: float) -> str:
    """`59.75 ms`: four significant digits in the unit that fits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            value = ns / size
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
    return f"{value:.3g} {unit}" if unit else f"{value:,.0f}"


def spread(row: Row, side: str) -> str:
    """`59.75 ms ± 1.2 %`."""
    value, sd = (row.base, row.base_sd) if side == "base" else (row.head, row.head_sd)
    told = quantity(value, row.unit)
    return told if sd is None or value is None else f"{told} ± {percent(sd)}"


def symbol(result: MetricResult | SuiteResult) -> str:
    """The verdict as one character."""
    verdict = result.decision.verdict
    return WAIVED if result.outcome == "waived" else SYMBOLS[verdict] if verdict else "…"


def cell(result: MetricResult | SuiteResult) -> str:
    """`+4.5 % ❌ (±0.9 %, margin 1 %)`: change, verdict, half the 95 % interval, margin."""
    decision = result.decision
    if decision.estimate is None:
        return f"– {symbol(result)}"
    reach = half_width(decision)
    within = f"±{percent(reach)}, " if reach is not None else ""
    return f"{log_percent(decision.estimate)} {symbol(result)} ({within}margin {limit(result.rules.margin)})"


def half_width(decision: Decision) -> float | None:
    """Half the nominal 95 % interval, as a fraction; None where there is none."""
    return None if decision.ci95 is None else math.expm1((decision.ci95[1] - decision.ci95[0]) / 2)


def headline(name: str, result: MetricResult | SuiteResult, unit: str) -> str:
    """The verdict with its numbers in one line: all that an annotation or a list of failures shows."""
    decision = result.decision
    base, head = getattr(result, "base_ns", None), getattr(result, "head_ns", None)
    parts = [f"{label(result)}: {name} {result.metric} {estimate(decision)}"]
    if base is not None and head is not None:
        parts.append(f"{duration(base)} → {duration(head)}")
    return ", ".join([*parts, *evidence(result, unit)]) + reason(result)


def label(result: MetricResult | SuiteResult) -> str:
    """The verdict in words."""
    return (
        "waived regression" if result.outcome == "waived" else str(result.decision.verdict or "not decided")
    )


def estimate(decision: Decision) -> str:
    """`+4.5 % (95 % CI +3.6 % … +5.4 %)`, or why there is no estimate."""
    if decision.estimate is None or decision.ci95 is None:
        return f"({decision.reason})"
    low, high = map(log_percent, decision.ci95)
    return f"{log_percent(decision.estimate)} (95 % CI {low} … {high})"


def evidence(result: MetricResult | SuiteResult, unit: str) -> list[str]:
    """What the verdict rests on: p, pairs, margin, and what the measurement could have seen."""
    decision = result.decision
    parts = [] if decision.p is None else [f"p = {decision.p:.2g}"]
    parts += [f"{decision.pairs} {unit}", f"margin {limit(result.rules.margin)}"]
    if decision.detectable is not None and math.isfinite(decision.detectable):
        parts.append(f"detectable {log_percent(decision.detectable)}")
    return parts


def reason(result: MetricResult | SuiteResult) -> str:
    """Why the outcome is not what the verdict alone would give."""
    return f" – {result.outcome_reason}" if result.outcome_reason else ""
