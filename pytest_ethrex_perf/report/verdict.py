"""A verdict in two sentences, said in these words by every form: what happened, then how sure that is.

No sentence contradicts its numbers: a change has the interval that belongs to it (never `±`: intervals of a
ratio are not symmetric), a p-value stands only beside the test that was passed, and what could have been seen
only where something may have gone unseen, or a regression says how fine the measurement was.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.metric import unit
from pytest_ethrex_perf.records.result import SuiteResult

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.decision import Decision, Look, Rules
    from pytest_ethrex_perf.records.result import MetricResult

NOT_DECIDED = "not decided"  # the run was stopped


class _Words(NamedTuple):
    """What a change of a metric is called."""

    up: str
    down: str
    rise: str


_TIME = _Words("slower", "faster", "a slowdown")
_COUNT = _Words("more", "fewer", "an increase")


def label(result: MetricResult | SuiteResult) -> str:
    """What became of it in words: the verdict, or `slower, but within 3 %` where that is what was proven."""
    decision, rules, words = result.decision, result.rules, _words(result)
    if result.outcome == "waived":
        return "waived regression"
    if decision.verdict is Verdict.UNCHANGED and (direction := _direction(decision, words)):
        return f"{direction}, but within {units.limit(rules.tolerance)}"
    if is_below_floor(result):
        return f"{_up_or_down(decision, words)}, but below the floor"
    return str(decision.verdict or NOT_DECIDED)


def what(result: MetricResult | SuiteResult) -> str:
    """What happened: `exec is 4.7 % slower (4.0 % to 5.3 %): 59.36 ms → 62.13 ms`."""
    decision, name = result.decision, result.metric
    if decision.estimate is None or decision.ci95 is None:
        return f"{name}: {decision.reason}"
    levels = "" if isinstance(result, SuiteResult) else f": {' → '.join(sides(result))}"
    if decision.verdict in {Verdict.REGRESSION, Verdict.IMPROVEMENT}:
        return f"{name} {_by(decision.estimate, decision.ci95, result)}{levels}"
    return f"{name} {change(decision, result.rules)} {interval(decision, result.rules)}{levels}"


def how_sure(result: MetricResult | SuiteResult, replicates: str) -> str:
    """How sure that is, and how fine: `Sure (p = 1.1e-05) after 6 pairs; a slowdown of …`.

    `replicates` is what was counted: pairs, invocations or rounds. Empty where nothing was estimated.
    """
    decision, rules = result.decision, result.rules
    if decision.estimate is None:
        return ""
    after = f"after {decision.pairs} {replicates}"
    if decision.verdict is None:
        return f"Not decided {after}"
    if decision.verdict is Verdict.UNCHANGED:
        within = units.limit(rules.tolerance)
        return f"Sure ({units.limit(1 - rules.beta)}) {after} that it is within {within}"
    if decision.verdict is not Verdict.INCONCLUSIVE:
        p = "" if decision.p is None else f" (p = {decision.p:.2g})"
        seen = _detectable(decision, rules)
        caught = f"would have been caught{_at_cost(decision, replicates)}"
        fine = f"; {_words(result).rise} of {seen} or more {caught}" if seen else ""
        return f"Sure{p} {after} that it is beyond the {units.limit(rules.margin)} margin{fine}"
    if is_below_floor(result):
        floor = units.duration(rules.floor)
        return f"Sure {after}, but only {_absolute(result)}, below your floor of {floor}"
    return f"Not sure {after}: {_open(decision, rules, _words(result))}"


def passed_by(result: MetricResult | SuiteResult) -> str:
    """For what is inconclusive and only warned of in its run: which option would fail it; else empty."""
    if result.decision.verdict is not Verdict.INCONCLUSIVE or result.outcome != "warn":
        return ""
    return "it passed; to fail on this: --ethrex-on-inconclusive=fail"


def of_look(look: Look, decision: Decision) -> str:
    """What followed from a look at the pairs: its verdict, `go on`, or what the last one left."""
    if look.verdict is not None:
        return str(look.verdict)
    if look is not decision.looks[-1] or decision.verdict is None:
        return "go on"
    return str(decision.verdict)


def sides(result: MetricResult) -> tuple[str, str]:
    """Base and head of what was judged, in its unit."""
    return units.quantity(result.base, result.unit), units.quantity(result.head, result.unit)


def change(decision: Decision, rules: Rules) -> str:
    """`+4.5 %`, with as many decimals as the margin asks for; a dash where nothing was estimated."""
    if decision.estimate is None:
        return units.NOTHING
    return units.log_ratio(decision.estimate, units.decimals(rules.margin))


def interval(decision: Decision, rules: Rules) -> str:
    """The 95 % interval in percent: `[+3.6, +5.4]`; empty where there is none."""
    return "" if decision.ci95 is None else units.interval(decision.ci95, units.decimals(rules.margin))


def is_below_floor(result: MetricResult | SuiteResult) -> bool:
    """Whether a change was proven that is too small in absolute terms to count."""
    return below_floor(result.decision, result.rules)


def below_floor(decision: Decision, rules: Rules) -> bool:
    """The same of a decision by these rules."""
    if decision.verdict is not Verdict.INCONCLUSIVE or not rules.floor or decision.p is None:
        return False
    if decision.looks:
        last = decision.looks[-1]
        return min(last.p_slower, last.p_faster) <= last.alpha
    return decision.p <= rules.alpha / rules.gatings


def _words(result: MetricResult | SuiteResult) -> _Words:
    return _TIME if unit(result.metric) == "ns" else _COUNT


def _direction(decision: Decision, words: _Words) -> str:
    """`slower` or `faster` where the whole 95 % interval says so."""
    if decision.ci95 is None or decision.ci95[0] <= 0 <= decision.ci95[1]:
        return ""
    return words.up if decision.ci95[0] > 0 else words.down


def _up_or_down(decision: Decision, words: _Words) -> str:
    return words.up if (decision.estimate or 0.0) > 0 else words.down


def _by(estimate: float, ci95: tuple[float, float], result: MetricResult | SuiteResult) -> str:
    """`is 4.7 % slower (4.0 % to 5.3 %)`."""
    words = _words(result)
    if units.is_huge(max(ci95)):
        factors = " to ".join(f"{math.exp(end):.3g}" for end in ci95)
        much = "long" if words is _TIME else "many"
        return f"is {math.exp(estimate):.3g} times as {much} ({factors} times)"
    places, slower = units.decimals(result.rules.margin), estimate > 0
    by = units.percent(abs(math.expm1(estimate)), places)
    ends = ci95 if slower else reversed(ci95)
    shown = (units.percent(math.expm1(end) if slower else -math.expm1(end), places) for end in ends)
    verb = "is" if words is _TIME else "are"
    return f"{verb} {by} {words.up if slower else words.down} ({' to '.join(shown)})"


def _absolute(result: MetricResult | SuiteResult) -> str:
    """A change in the metric's unit: `+6.6 ms`."""
    if isinstance(result, SuiteResult):
        return change(result.decision, result.rules)
    difference = result.base * math.expm1(result.decision.estimate or 0.0)
    return f"{'-' if difference < 0 else '+'}{units.quantity(abs(difference), result.unit)}"


def _open(decision: Decision, rules: Rules, words: _Words) -> str:
    """What was not proven, and what may have gone unseen."""
    margin, tolerance = units.limit(rules.margin), units.limit(rules.tolerance)
    seen = _detectable(decision, rules)
    unseen = f"{words.rise} below {seen} may go unseen" if seen else "no change would have been seen"
    missing = f"neither beyond the {margin} margin nor within the {tolerance} tolerance"
    return f"{missing}{_surer(decision, rules)}; {unseen}"


def _surer(decision: Decision, rules: Rules) -> str:
    """Why it is not decided although the 95 % interval alone would decide it; else empty."""
    if decision.ci95 is None or decision.interval is None:
        return ""
    low, high = decision.ci95
    beyond = max(low, -high) > math.log1p(rules.margin)
    within = max(high, -low) < math.log1p(rules.tolerance)
    if not beyond and not within:
        return ""
    shares = f"{rules.gatings:g} comparisons" if rules.gatings > 1 else "all looks"
    risk = f"{units.limit(rules.alpha)} risk of a false alarm" if beyond else "risk of a false answer"
    decides = f": {units.interval(decision.interval, units.decimals(rules.margin))} decides" if beyond else ""
    return f" ({shares} share the {risk}, so each must be surer than 95 %{decides})"


def _at_cost(decision: Decision, replicates: str) -> str:
    """What the plan was ready to measure, where it ended before: what it could see it might have taken."""
    if decision.pairs not in decision.plan[:-1]:
        return ""
    return f" in up to {decision.plan[-1]} {replicates}"


def _detectable(decision: Decision, rules: Rules) -> str:
    if decision.detectable is None or not math.isfinite(decision.detectable):
        return ""
    return units.percent(math.expm1(decision.detectable), units.decimals(rules.margin))
