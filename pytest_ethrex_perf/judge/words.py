"""A decision's reason in words: one clause for people, with its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_COARSE = 0.01  # a margin that one decimal does justice to
_HUGE = 10.0  # from +1000 % on a factor reads better


def change(log: float, decimals: int = 1) -> str:
    """Return a log ratio as people write it: `+1.8 %`, and a factor where the change is huge: `x 24.1`."""
    if math.isinf(log) or abs(log) > math.log1p(_HUGE):
        return f"x {math.exp(min(log, 700.0)):.3g}" if math.isfinite(log) else "beyond measure"
    return f"{100 * math.expm1(log):+.{decimals}f} %"


def fraction(value: float) -> str:
    """Return a plain fraction as a percentage without a sign: `1 %`, `0.3 %`."""
    return f"{100 * value:.3g} %"


class _Told(NamedTuple):
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
    decimals = 1 if rules.margin >= _COARSE else 2
    told = _Told(*(change(value, decimals) for value in (estimate, *ci95)))
    if below_floor and verdict in {None, Verdict.INCONCLUSIVE}:
        return f"{told.estimate} after {measured}, but less than the absolute floor of {rules.floor:g}"
    return _REASONS[verdict](told, rules, measured)


def _regression(told: _Told, rules: Rules, measured: str) -> str:
    return f"{told.estimate}, proven slower than the {fraction(rules.margin)} margin in {measured}"


def _improvement(told: _Told, rules: Rules, measured: str) -> str:
    return f"{told.estimate}, proven faster than the {fraction(rules.margin)} margin in {measured}"


def _unchanged(told: _Told, rules: Rules, _: str) -> str:
    return f"{told.estimate}, below the {fraction(rules.tolerance)} tolerance"


def _open(told: _Told, rules: Rules, measured: str) -> str:
    return (
        f"{told.estimate} (95 % interval {told.low} to {told.high}) after {measured}: neither proven beyond "
        f"the {fraction(rules.margin)} margin nor within the {fraction(rules.tolerance)} tolerance"
    )


def _going_on(told: _Told, _: Rules, measured: str) -> str:
    return f"{told.estimate} (95 % interval {told.low} to {told.high}) after {measured}: not decided yet"


_REASONS: dict[Verdict | None, Callable[[_Told, Rules, str], str]] = {
    Verdict.REGRESSION: _regression,
    Verdict.IMPROVEMENT: _improvement,
    Verdict.UNCHANGED: _unchanged,
    Verdict.INCONCLUSIVE: _open,
    None: _going_on,
}
