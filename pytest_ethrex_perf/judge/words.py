"""A decision's reason in words: one clause for people, with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.decision import Decision


class _Shown(NamedTuple):
    """An estimate and its 95 % interval in words."""

    estimate: str
    low: str
    high: str


def reason(
    verdict: Verdict | None,
    estimate: float,
    ci95: tuple[float, float],
    rules: Rules,
    *,
    measured: str,
    below_floor: bool,
) -> str:
    """Say why `verdict` (None: not decided yet) follows from an estimate and its 95 % interval, both logs.

    `measured` says what the decision is based on ("24 pairs"); `below_floor` that a change was proven and is
    too small in absolute terms to count.
    """
    decimals = units.decimals(rules.margin)
    shown = _Shown(*(units.log_ratio(value, decimals) for value in (estimate, *ci95)))
    if below_floor and verdict in {None, Verdict.INCONCLUSIVE}:
        floor = units.duration(rules.floor)
        return f"{shown.estimate} after {measured}, but less than your floor of {floor}"
    return _REASONS[verdict](shown, rules, measured)


def asks_for(decision: Decision, rules: Rules, seconds: float) -> str:
    """Say what the noise of the first look asks for: `sd 9.0 %: 81 pairs, about 3 min, to tell +3 % …`.

    `seconds` is what the pairs that are missing take.
    """
    told = f"to tell +{units.limit(rules.tolerance)} from +{units.limit(rules.margin)}"
    sd = units.deviation(decision.looks[0].sd)
    return f"sd {sd}: {decision.plan[-1]} pairs, about {units.clock(seconds)}, {told}"


def _regression(shown: _Shown, rules: Rules, measured: str) -> str:
    return f"{shown.estimate}, proven slower than the {units.limit(rules.margin)} margin in {measured}"


def _improvement(shown: _Shown, rules: Rules, measured: str) -> str:
    return f"{shown.estimate}, proven faster than the {units.limit(rules.margin)} margin in {measured}"


def _unchanged(shown: _Shown, rules: Rules, _: str) -> str:
    return f"{shown.estimate}, below the {units.limit(rules.tolerance)} tolerance"


def _open(shown: _Shown, rules: Rules, measured: str) -> str:
    margin, tolerance = units.limit(rules.margin), units.limit(rules.tolerance)
    return (
        f"{shown.estimate} (95 % interval {shown.low} to {shown.high}) after {measured}: "
        f"neither proven beyond the {margin} margin nor within the {tolerance} tolerance"
    )


def _going_on(shown: _Shown, _: Rules, measured: str) -> str:
    return f"{shown.estimate} (95 % interval {shown.low} to {shown.high}) after {measured}: not decided yet"


_REASONS: dict[Verdict | None, Callable[[_Shown, Rules, str], str]] = {
    Verdict.REGRESSION: _regression,
    Verdict.IMPROVEMENT: _improvement,
    Verdict.UNCHANGED: _unchanged,
    Verdict.INCONCLUSIVE: _open,
    None: _going_on,
}
