"""A decision's reason in words: one clause for people, with its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge.verdict import Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_HUGE = 10.0  # from +1000 % on a factor reads better


def change(log: float) -> str:
    """Return a log ratio as people write it: `+1.8 %`, and a factor where the change is huge: `x 24.1`."""
    if math.isinf(log) or abs(log) > math.log1p(_HUGE):
        return f"x {math.exp(min(log, 700.0)):.3g}" if math.isfinite(log) else "beyond measure"
    return f"{100 * math.expm1(log):+.1f} %"


def fraction(value: float) -> str:
    """Return a plain fraction as a percentage without a sign: `1 %`, `0.3 %`."""
    return f"{100 * value:.3g} %"


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
    if below_floor and verdict in {None, Verdict.INCONCLUSIVE}:
        return f"{change(estimate)} after {measured}, but less than the absolute floor of {rules.floor:g}"
    return _REASONS[verdict](estimate, ci95, rules, measured)


def _regression(estimate: float, _: tuple[float, float], rules: Rules, measured: str) -> str:
    return f"{change(estimate)}, proven slower than the {fraction(rules.margin)} margin in {measured}"


def _improvement(estimate: float, _: tuple[float, float], rules: Rules, measured: str) -> str:
    return f"{change(estimate)}, proven faster than the {fraction(rules.margin)} margin in {measured}"


def _unchanged(estimate: float, _: tuple[float, float], rules: Rules, __: str) -> str:
    return f"{change(estimate)}, below the {fraction(rules.tolerance)} tolerance"


def _open(estimate: float, ci95: tuple[float, float], rules: Rules, measured: str) -> str:
    low, high = map(change, ci95)
    return (
        f"{change(estimate)} (95 % interval {low} to {high}) after {measured}: neither proven beyond the "
        f"{fraction(rules.margin)} margin nor within the {fraction(rules.tolerance)} tolerance"
    )


def _going_on(estimate: float, ci95: tuple[float, float], _: Rules, measured: str) -> str:
    low, high = map(change, ci95)
    return f"{change(estimate)} (95 % interval {low} to {high}) after {measured}: not decided yet"


_REASONS: dict[Verdict | None, Callable[[float, tuple[float, float], Rules, str], str]] = {
    Verdict.REGRESSION: _regression,
    Verdict.IMPROVEMENT: _improvement,
    Verdict.UNCHANGED: _unchanged,
    Verdict.INCONCLUSIVE: _open,
    None: _going_on,
}
