"""To which of two ends a program in between is nearer, at a stated error for a whole search.

A search knows that its end `bad` is slower than its end `good`. A round measures good, the step and bad next
to each other, and gives z = x_step - (x_good + x_bad) / 2 of the samples (logs). The mean of z is above 0 for
a step on bad's side of the middle, below 0 on good's. A one-sided t-test against either side at each look
tells which; wherever the true mean lies, a look errs with at most the probability that it spends.

Where two changes of one size lie on both sides of a step, it is in the middle, and no number of rounds tells
its side. But then both halves hold a slowdown, and either answer is right: from the end of the ordinary plan
on, a step that is proven slower than good and faster than bad, both by more than the margin, is `between`.

Nothing here overlaps cleverly: the looks of a step spend shares of the step's error that sum to 1, whatever
the data are, and the steps of a search spend shares of the search's. So by the union bound the probability
that any step of a search goes to the wrong side is at most `ERROR`, for any number of looks and steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
from scipy.special import stdtr, stdtrit

from pytest_ethrex_perf.judge.bounds import check_samples
from pytest_ethrex_perf.judge.family import shares
from pytest_ethrex_perf.judge.looks import FURTHER, ORDINARY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Place: TypeAlias = Literal["good", "bad", "between"]

ERROR = 0.05
"""Probability that a search goes to a wrong side anywhere."""
LOOKS = (*ORDINARY, *FURTHER)
"""Rounds after which a step is looked at."""

_SIDE_SHARE = 0.75  # of a step's error, for its side; the rest is for `between`
_ORDINARY_SHARE = 0.5  # of that, for the looks of the ordinary plan
_EXPECTED_SHARE = 0.75  # of a search's error, for the steps that it takes where none is skipped
_GOOD, _OPEN, _BAD, _BETWEEN = -1, 0, 1, 2
_PLACES: dict[int, Place | None] = {_GOOD: "good", _OPEN: None, _BAD: "bad", _BETWEEN: "between"}
_ROUNDING = 1e-12  # samples with a smaller sd are equal but for floating point


@dataclass(frozen=True, slots=True)
class Nearness:
    """What the rounds of one step say. Estimates are logs."""

    place: Place | None
    """On which side of the middle it lies, or `between`; None: not decided yet."""
    rounds: int
    mean: float
    """Of z: above 0 on bad's side of the middle."""
    low: float
    """The mean's interval at the error that the last look spent; infinite before the first."""
    high: float
    gap: float
    """From good to bad, as these rounds have it."""

    @property
    def half_width(self) -> float:
        """Half of the interval."""
        return (self.high - self.low) / 2


class Places(NamedTuple):
    """Where steps lie, one element each: -1 good, 1 bad, 2 between, 0 not decided; and the rounds used."""

    codes: NDArray[np.int8]
    rounds: NDArray[np.int64]


class Spent(NamedTuple):
    """What one of `LOOKS` spends."""

    side: float
    between: float = 0.0


def spending(error: float) -> tuple[Spent, ...]:
    """Return what each of `LOOKS` spends of a step's `error`; all of it sums to that.

    Of what is for the side, half belongs to the looks of the ordinary plan by their rounds, the rest to the
    further ones alike: how many of those are taken depends on the machine, and never on what this promises.
    What is for `between` belongs alike to the last look of the ordinary plan and the further ones.
    """
    side = _SIDE_SHARE * error
    ordinary = [_ORDINARY_SHARE * side * share for share in shares(ORDINARY)]
    further = (1 - _ORDINARY_SHARE) * side / len(FURTHER)
    between = (1 - _SIDE_SHARE) * error / (len(FURTHER) + 1)
    return (
        *map(Spent, ordinary[:-1]),
        Spent(ordinary[-1], between),
        *[Spent(further, between)] * len(FURTHER),
    )


def errors(expected: int, whole: float = ERROR) -> Iterator[float]:
    """Yield what each measured step of a search may spend; all of them together spend less than `whole`.

    Three quarters belong to the `expected` steps alike. Skips make it more: the j-th of those spends
    1 / (j (j + 1)) of the rest, which sums to 1 for any number of them. Raises ValueError for a negative
    number.
    """
    if expected < 0:
        raise ValueError(f"{expected} steps are not to be expected of any search")
    for _ in range(expected):
        yield _EXPECTED_SHARE * whole / expected
    for extra in count(1):
        yield (1 - _EXPECTED_SHARE) * whole / (extra * (extra + 1))


def steps_expected(commits: int) -> int:
    """Return the steps that halving takes to find one of so many commits: ceil(log2(commits))."""
    return math.ceil(math.log2(commits)) if commits > 1 else 0


def nearer(
    good: Sequence[float],
    step: Sequence[float],
    bad: Sequence[float],
    error: float,
    *,
    margin: float,
    resolution: float = 0.0,
) -> Nearness:
    """Return where the step lies, by the first look that tells; rounds after it are left out.

    good[i], step[i] and bad[i] are the samples (logs) of one round; `margin` is a fraction, `resolution` that
    of the samples as a log: every sd is floored at it, and every bound widened by it. Raises ValueError for
    rounds that are not whole, for values that are no logarithms and for an error that is none.
    """
    if not len(good) == len(step) == len(bad):
        raise ValueError(f"{len(good)}, {len(step)} and {len(bad)} samples make no rounds")
    if not 0 < error < 1:
        raise ValueError(f"error is {error!r}: a probability lies between 0 and 1")
    rows = [np.asarray(samples, dtype=float)[None, :] for samples in (good, step, bad)]
    places = places_of(rows[0], rows[1], rows[2], spending(error), margin=margin, resolution=resolution)
    rounds = int(places.rounds[0])
    before, here, after = (row[0, :rounds] for row in rows)
    z = here - (before + after) / 2
    mean = float(z.mean()) if rounds else 0.0
    reach = _reach(z, error, resolution)
    return Nearness(
        place=_PLACES[int(places.codes[0])],
        rounds=rounds,
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        gap=float((after - before).mean()) if rounds else 0.0,
    )


def places_of(
    good: Floats,
    step: Floats,
    bad: Floats,
    spending: Sequence[Spent],
    *,
    margin: float,
    resolution: float = 0.0,
) -> Places:
    """Return where each row of `step` (steps x rounds, logs) lies; see `nearer`.

    `spending` is what each of `LOOKS` spends. Raises ValueError for values that are no logarithms.
    """
    for name, values in (("good", good), ("step", step), ("bad", bad)):
        check_samples(values, name, ("steps", "rounds"))
    steps, rounds = step.shape
    z, over, under = step - (good + bad) / 2, step - good, bad - step
    bound = math.log1p(margin)
    codes, used = np.full(steps, _OPEN, dtype=np.int8), np.full(steps, rounds)
    for look, spent in zip(LOOKS, spending, strict=True):
        left = np.flatnonzero(codes == _OPEN)
        if look > rounds or not left.size:
            break
        taken = z[left, :look]
        is_beside = (_p_above(over[left, :look], bound, resolution) <= spent.between) & (
            _p_above(under[left, :look], bound, resolution) <= spent.between
        )
        here = np.where(is_beside, _BETWEEN, _OPEN)
        here = np.where(_p_above(-taken, 0.0, resolution) <= spent.side, _GOOD, here)
        here = np.where(_p_above(taken, 0.0, resolution) <= spent.side, _BAD, here)
        codes[left] = here
        used[left[here != _OPEN]] = look
    return Places(codes, used)


def _p_above(values: Floats, bound: float, resolution: float) -> Floats:
    """Return p of the one-sided t-test of each row's mean against `bound`, widened by the resolution."""
    mean, se = _moments(values, resolution)
    p: Floats = stdtr(values.shape[1] - 1, (bound + resolution - mean) / se)
    return p


def _moments(values: Floats, resolution: float) -> tuple[Floats, Floats]:
    """Return the mean of each row and its standard error."""
    sd = np.maximum(values.std(axis=1, ddof=1), max(resolution, _ROUNDING))
    return values.mean(axis=1), sd / math.sqrt(values.shape[1])


def _reach(z: Floats, error: float, resolution: float) -> float:
    """Return half the interval of the mean of z at what the last look at it spent."""
    taken = [spent.side for look, spent in zip(LOOKS, spending(error), strict=True) if look <= z.size]
    if not taken:
        return math.inf
    _, se = _moments(z[None, :], resolution)
    return float(-stdtrit(z.size - 1, taken[-1]) * se[0]) + resolution
