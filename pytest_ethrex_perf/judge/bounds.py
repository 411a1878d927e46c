"""The three tests that make a verdict: slower than the margin, faster than it, within the tolerance.

Both the interleaved and the stored comparison end here, for one gating or for many at a time. All
estimates, standard errors and bounds are natural logarithms, and bounds are +-log1p(fraction), so that
swapping the sides swaps the verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtr

from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

VERDICTS: tuple[Verdict | None, ...] = (None, *Verdict)
"""What a code stands for: 0 is "go on", then regression, improvement, unchanged, inconclusive."""
GO_ON, REGRESSION, IMPROVEMENT, UNCHANGED, INCONCLUSIVE = range(5)

_LARGEST = 200.0  # e^200 of any unit was never measured; products of such levels stay finite


class Tests(NamedTuple):
    """The three tests, one element per gating; `codes` are indices into `VERDICTS`."""

    estimate: Floats
    se: Floats
    df: Floats
    p_slower: Floats
    p_faster: Floats
    p_equivalent: Floats
    codes: NDArray[np.int8]


def three_tests(
    estimate: Floats,
    se: Floats,
    df: Floats,
    rules: Rules,
    *,
    alpha: float,
    beta: float,
    step: float | Floats,
    level: float | Floats,
) -> Tests:
    """One-sided t-tests of `estimate` against each bound, at `alpha` (slower, faster) and `beta` (within).

    The margin is widened by one `step` of resolution. `level` is base's in the metric's unit: a change of
    less than `rules.floor` there proves neither slower nor faster.
    """
    margin, tolerance = np.log1p(rules.margin) + step, np.log1p(rules.tolerance)
    p_slower = stdtr(df, (margin - estimate) / se)
    p_faster = stdtr(df, (margin + estimate) / se)
    p_equivalent = stdtr(df, (np.abs(estimate) - tolerance) / se)  # the larger p of the two one-sided tests
    counts = np.abs(level * np.expm1(estimate)) >= rules.floor
    codes = np.where(p_equivalent <= beta, UNCHANGED, GO_ON)
    codes = np.where(counts & (p_faster <= alpha), IMPROVEMENT, codes)
    codes = np.where(counts & (p_slower <= alpha), REGRESSION, codes)
    return Tests(estimate, se, df, p_slower, p_faster, p_equivalent, codes.astype(np.int8))


def check_samples(values: Floats, name: str, axes: tuple[str, ...]) -> None:
    """Raise ValueError unless `values` has these axes and holds what logarithms of measurements can be."""
    if len(values.shape) != len(axes):
        raise ValueError(f"{name} must have the axes {axes}, not the shape {values.shape}")
    possible = np.abs(values) <= _LARGEST  # false for NaN, too
    if not possible.all():
        wrong = float(values[~possible].flat[0])
        raise ValueError(f"{name} holds {wrong!r}: a sample is the logarithm of a positive, finite number")
