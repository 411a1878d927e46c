"""To which of two ends a program in between is nearer, at a stated error for a whole search.

A search knows that its end `bad` is slower than its end `good`. A round measures good, the step and bad next
to each other, and gives z = x_step - (x_good + x_bad) / 2 of the samples (logs). The mean of z is above 0 for
a step on bad's side of the middle, below 0 on good's. A one-sided t-test against either side at each look
tells which; wherever the true mean lies, a look errs with at most the probability that it spends.

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

End: TypeAlias = Literal["good", "bad"]

ERROR = 0.05
"""Probability that a search goes to a wrong side anywhere."""
LOOKS = (*ORDINARY, *FURTHER)
"""Rounds after which a step is looked at."""

_ORDINARY_SHARE = 0.5  # of a step's error, for the looks of the ordinary plan
_EXPECTED_SHARE = 0.75  # of a search's error, for the steps that it takes where none is skipped
_END_OF: dict[int, End | None] = {-1: "good", 0: None, 1: "bad"}
_ROUNDING = 1e-12  # samples with a smaller sd are equal but for floating point


@dataclass(frozen=True, slots=True)
class Nearness:
    """What the rounds of one step say. Estimates are logs; `side` None: not told yet."""

    side: End | None
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


class Sides(NamedTuple):
    """What `told_apart` finds: -1 for good, 1 for bad, 0 for neither, and the rounds used, one a row."""

    signs: NDArray[np.int8]
    rounds: NDArray[np.int64]


def spent(error: float) -> tuple[float, ...]:
    """Return what each of `LOOKS` spends of a step's `error`; they sum to it.

    Half of it belongs to the looks of the ordinary plan by their rounds, the rest to the further ones alike:
    how many of those are taken depends on the machine, and never on what this promises.
    """
    ordinary = [_ORDINARY_SHARE * error * share for share in shares(ORDINARY)]
    return (*ordinary, *[(1 - _ORDINARY_SHARE) * error / len(FURTHER)] * len(FURTHER))


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
    resolution: float = 0.0,
) -> Nearness:
    """Return to which end the step is nearer, by the first look that tells; pairs after it are left out.

    good[i], step[i] and bad[i] are the samples (logs) of one round; `resolution` is theirs, as a log: the sd
    is floored at it, and a mean within it tells nothing. Raises ValueError for rounds that are not whole, for
    values that are no logarithms and for an error that is none.
    """
    if not len(good) == len(step) == len(bad):
        raise ValueError(f"{len(good)}, {len(step)} and {len(bad)} samples make no rounds")
    if not 0 < error < 1:
        raise ValueError(f"error is {error!r}: a probability lies between 0 and 1")
    ends = np.asarray([good, bad], dtype=float)
    z = (np.asarray(step, dtype=float) - ends.mean(axis=0))[None, :]
    sides = told_apart(z, spent(error), resolution)
    rounds = int(sides.rounds[0])
    taken = z[0, :rounds]
    mean = float(taken.mean()) if rounds else 0.0
    reach = _reach(taken, error, resolution)
    return Nearness(
        side=_END_OF[int(sides.signs[0])],
        rounds=rounds,
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        gap=float((ends[1] - ends[0])[:rounds].mean()) if rounds else 0.0,
    )


def told_apart(z: Floats, spending: Sequence[float], resolution: float = 0.0) -> Sides:
    """Return the side of every row of `z` (steps x rounds, logs), each by the first look that tells.

    `spending` is what each of `LOOKS` spends. Raises ValueError for values that are no logarithms.
    """
    check_samples(z, "z", ("steps", "rounds"))
    steps, rounds = z.shape
    signs, used = np.zeros(steps, dtype=np.int8), np.full(steps, rounds)
    for look, level in zip(LOOKS, spending, strict=True):
        open_ = np.flatnonzero(signs == 0)
        if look > rounds or not open_.size:
            break
        mean, se = _moments(z[open_, :look], resolution)
        p = stdtr(look - 1, (resolution - np.abs(mean)) / se)
        telling = p <= level
        signs[open_[telling]] = np.sign(mean[telling]).astype(np.int8)
        used[open_[telling]] = look
    return Sides(signs, used)


def _moments(z: Floats, resolution: float) -> tuple[Floats, Floats]:
    """Return the mean of each row and its standard error."""
    sd = np.maximum(z.std(axis=1, ddof=1), max(resolution, _ROUNDING))
    return z.mean(axis=1), sd / math.sqrt(z.shape[1])


def _reach(z: Floats, error: float, resolution: float) -> float:
    """Return half the interval of the mean of z at what the last look at it spent."""
    taken = [level for look, level in zip(LOOKS, spent(error), strict=True) if look <= z.size]
    if not taken:
        return math.inf
    _, se = _moments(z[None, :], resolution)
    return float(-stdtrit(z.size - 1, taken[-1]) * se[0]) + resolution
