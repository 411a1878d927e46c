"""One invocation reduced to one number: the log of the median of its repeats, the first ones dropped.

The repeats of a process share its memory layout and its minute; only this one number per invocation takes
part in a decision.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DROP = 1
"""Repeats dropped at the start of an invocation: the first is 10-20 % slower than the rest."""


def log_median(repeats: Sequence[float], drop: int = DROP) -> float:
    """Natural logarithm of the median of `repeats[drop:]`, in the log of the repeats' own unit.

    Raises ValueError when no repeat is left after the drop, or when one is not a positive, finite number.
    """
    return math.log(_median(repeats, drop))


def resolution(value_ns: float) -> float:
    """Step in ns at which ethrex-replay prints a duration of this size.

    It prints Rust's `{:.2?}`: two decimals of ns, µs, ms or s (there are no minutes), hence 0.01 of the unit;
    durations are whole nanoseconds, hence at least 1 ns.
    """
    unit = next((unit for unit in (1e9, 1e6, 1e3) if value_ns >= unit), 1.0)
    return max(0.01 * unit, 1.0)


def step(repeats_ns: Sequence[float], drop: int = 0) -> float:
    """Resolution of a sample as a logarithm: one printed step at the level of the median of `repeats_ns`.

    Raises ValueError as `log_median` does.
    """
    level = _median(repeats_ns, drop)
    return math.log1p(resolution(level) / level)


def _median(repeats: Sequence[float], drop: int) -> float:
    if drop < 0:
        raise ValueError(f"cannot drop {drop} repeats")
    if len(repeats) <= drop:
        raise ValueError(f"{len(repeats)} repeats with the first {drop} dropped leave nothing to measure")
    for index, value in enumerate(repeats, 1):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"repeat {index} is {value!r}: a repeat is a positive, finite number")
    return float(median(repeats[drop:]))
