"""Changes of level in a long row of sessions: which of the proposed ones are real, when, and how large.

A library proposes where levels may have changed (`baseline.segments`). Each is tested here, the least sure
is dropped, and so on until all that are left hold. The noise is that between sessions, never that of the
repeats within one. `benchmarks/changes.py` measures how often nothing is called a change, on recorded noise.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHORTEST = 5
"""Sessions of a level: a few bad nights are no level."""
FEWEST = 2 * SHORTEST
"""Sessions below which nothing can be said."""
LEVEL = 0.000001
"""Risk that any place of one metric's history is called a change by chance, shared by its places."""
NEAR = 10
"""Sessions: steps in one direction that are nearer to each other are one change."""
_SURE = 0.95  # of the window in which a level began
_AROUND = 2 * SHORTEST - 1  # sessions of the running median, around which outliers are cut
_CUT = 2.0  # standard deviations
_MAD = 1.4826  # of a normal distribution: sd / median absolute deviation
_MOST_CORRELATED = 0.8


class Step(NamedTuple):
    """A new level: sessions are numbered from 0."""

    start: int
    """The first session at the new level, most probably."""
    earliest: int
    """It began between this session and `latest`, with 95 % probability."""
    latest: int
    change: float
    """New level against the old one, as a log."""
    se: float
    p: float
    """Two-sided, times the number of places at which it could have been."""


class Change(NamedTuple):
    """Steps that belong together: one, or several in one direction."""

    steps: tuple[Step, ...]

    @property
    def change(self) -> float:
        """The level after the last step against that before the first, as a log."""
        return sum(step.change for step in self.steps)

    @property
    def se(self) -> float:
        """Its standard error."""
        return float(np.sqrt(sum(step.se**2 for step in self.steps)))


class Row(NamedTuple):
    """Sessions in the order of time, with outliers cut, ready to be searched."""

    values: Floats
    """Means, logs."""
    variances: Floats
    """Of each session's mean around its level: between sessions, and its own standard error."""
    sd: float
    """Typical noise of a session."""

    @property
    def standardised(self) -> Floats:
        """The values in units of their noise: what a library searches."""
        return (self.values - np.median(self.values)) / self.sd


def row(means: Sequence[float] | Floats, errors: Sequence[float] | Floats, least: float = 0.0) -> Row:
    """Return sessions (`means` as logs with their standard `errors`) with their noise, outliers cut.

    The noise is that of neighbours, which no change of level adds to; it is no smaller than the errors, and
    than `least`. An error that is not known is NaN. Raises ValueError for values that are not finite.
    """
    values = np.asarray(means, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("a session's mean is not a finite number")
    own = np.asarray(errors, dtype=float)
    known = own[np.isfinite(own)]
    own = np.where(np.isfinite(own), own, np.median(known) if known.size else 0.0)
    neighbours = np.abs(np.diff(values))
    typical = _MAD * float(np.median(neighbours)) / np.sqrt(2) if values.size > 1 else 0.0
    sd = max(typical, float(np.median(own)) if own.size else 0.0, least, 1e-9)
    between = max(sd**2 - float(np.median(own**2)), (0.3 * sd) ** 2)
    centre, cut = _running_median(values), _CUT * sd
    return Row(np.clip(values, centre - cut, centre + cut), between + own**2, sd)


def _running_median(values: Floats) -> Floats:
    """The median of the sessions around each; of the first and the last few, that of the same ones."""
    around = min(_AROUND, values.size)
    inner = np.median(np.lib.stride_tricks.sliding_window_view(values, around), axis=1)
    left = around // 2
    return np.pad(inner, (left, around - 1 - left), mode="edge")


def steps(sessions: Row, proposals: Sequence[int], level: float = LEVEL) -> list[Step]:
    """Return those of `proposals` (first sessions of new levels) that hold, each where it fits best.

    A step's t test uses the noise of all sessions around their levels, corrected for what neighbours share;
    its p, times the number of sessions, must be within `level`.
    """
    size = sessions.values.size
    bounds = [0]
    bounds += [place for place in sorted(set(proposals)) if SHORTEST <= place <= size - SHORTEST]
    bounds = [*(b for a, b in pairwise([-SHORTEST, *bounds]) if b - a >= SHORTEST), size]
    while len(bounds) > 2:  # noqa: PLR2004 - its two ends
        bounds = _refined(sessions, bounds)
        tested = _tested(sessions, bounds)
        worst = max(range(len(tested)), key=lambda index: tested[index].p)
        if tested[worst].p <= level:
            return tested
        del bounds[worst + 1]
    return []


def changes(found: Sequence[Step], margin: float, tolerance: float) -> list[Change]:
    """Return steps joined to changes (`margin` and `tolerance` as logs), those within the margin left out.

    Steps in one direction are one change where they follow on each other closely, or where each of them is
    below the tolerance: the creep that a gate lets through.
    """
    joined: list[list[Step]] = []
    for step in found:
        last = joined[-1][-1] if joined else None
        if last is not None and last.change * step.change > 0:
            small = max(abs(last.change), abs(step.change)) <= tolerance
            if small or step.start - last.start < NEAR:
                joined[-1].append(step)
                continue
        joined.append([step])
    return [change for group in joined if abs((change := Change(tuple(group))).change) >= margin]


def find(
    means: Sequence[float] | Floats,
    errors: Sequence[float] | Floats,
    propose: Callable[[Floats], Sequence[int]],
    *,
    least: float = 0.0,
    level: float = LEVEL,
) -> list[Step]:
    """Return the steps of a row of sessions (see `row`), among those that `propose` finds in it."""
    if len(means) < FEWEST:
        return []
    sessions = row(means, errors, least)
    return steps(sessions, propose(sessions.standardised), level)


def _refined(sessions: Row, bounds: Sequence[int]) -> list[int]:
    """Every inner bound where the levels on both sides fit best, between its neighbours."""
    refined = list(bounds)
    for index in range(1, len(refined) - 1):
        low, high = refined[index - 1], refined[index + 1]
        fits = _fits(sessions, low, high)
        refined[index] = low + SHORTEST + int(np.argmin(fits))
    return refined


def _fits(sessions: Row, low: int, high: int) -> Floats:
    """Weighted squares left over of sessions `low` to `high` with a new level at each possible place."""
    weights = 1 / sessions.variances[low:high]
    values = sessions.values[low:high] - sessions.values[low:high].mean()
    total, sums = np.cumsum(weights), np.cumsum(weights * values)
    places = np.arange(SHORTEST, high - low - SHORTEST + 1) - 1
    left = sums[places] ** 2 / total[places]
    right = (sums[-1] - sums[places]) ** 2 / (total[-1] - total[places])
    fits: Floats = float((weights * values**2).sum()) - left - right
    return fits


def _tested(sessions: Row, bounds: Sequence[int]) -> list[Step]:
    weights = 1 / sessions.variances
    size = sessions.values.size
    levels, totals = [], []
    residuals = np.empty(size)
    for low, high in pairwise(bounds):
        totals.append(float(weights[low:high].sum()))
        levels.append(float(np.average(sessions.values[low:high], weights=weights[low:high])))
        residuals[low:high] = (sessions.values[low:high] - levels[-1]) * np.sqrt(weights[low:high])
    df = max(size - len(levels), 1)
    spread = max(1.0, float((residuals**2).sum()) / df)
    shared = float((residuals[1:] * residuals[:-1]).sum() / max(float((residuals**2).sum()), 1e-12))
    correlated = min(max(shared, 0.0), _MOST_CORRELATED)
    inflated = spread * (1 + correlated) / (1 - correlated)
    tested = []
    for index in range(1, len(levels)):
        change = levels[index] - levels[index - 1]
        se = float(np.sqrt(inflated * (1 / totals[index - 1] + 1 / totals[index])))
        p = 2 * float(stdtr(df, -abs(change) / se)) * size
        low, high = bounds[index - 1], bounds[index + 1]
        earliest, latest = _window(_fits(sessions, low, high) / inflated)
        first = low + SHORTEST
        tested.append(Step(bounds[index], first + earliest, first + latest, change, se, p))
    return tested


def _window(fits: Floats) -> tuple[int, int]:
    """First and last place of the shortest window around the best that holds 95 % of the likelihood."""
    likelihood = np.exp(-(fits - fits.min()) / 2)
    likelihood /= likelihood.sum()
    first = last = int(np.argmin(fits))
    mass = float(likelihood[first])
    while mass < _SURE and (first > 0 or last < fits.size - 1):
        before = float(likelihood[first - 1]) if first > 0 else -1.0
        after = float(likelihood[last + 1]) if last < fits.size - 1 else -1.0
        if before > after:
            first -= 1
        else:
            last += 1
        mass += max(before, after)
    return first, last
