"""Is a measurement what the judgement takes it for? Cautions with a remedy, which change no verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr

from pytest_ethrex_perf.judge import signed_rank
from pytest_ethrex_perf.judge.bounds import check_samples
from pytest_ethrex_perf.judge.family import MIN_PAIRS
from pytest_ethrex_perf.judge.samples import DROP
from pytest_ethrex_perf.records import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NOISY_SD = 0.03
DRIFT_CORRELATION = 0.5
UNSTEADY = math.log1p(0.01)
SLOT_BIAS = 0.005  # half the default margin: less is cancelled by the alternating order without much noise
OUTLYING = math.log1p(0.01)
_SURE = 0.01  # a caution that is a test at heart is wrong this often
_EDGE = 3  # repeats at either end that are compared for steadiness


@dataclass(frozen=True, slots=True)
class Caution:
    """Something about the measurement that a person should know."""

    check: str
    """`noisy`, `drift`, `unsteady`, `slot` or `outliers`."""
    message: str
    """What was seen, with its numbers."""
    remedy: str
    """What to do about it, one line."""


def checks(
    base: Sequence[float],
    head: Sequence[float],
    *,
    first: Sequence[str],
    repeats: Sequence[Sequence[float]] = (),
    drop: int = DROP,
) -> list[Caution]:
    """Look at the pairs (base[i], head[i]), samples as logs, and at the raw `repeats` of every invocation.

    `first` names the side that ran first in each pair, `base` or `head`. Fewer than 6 pairs are too few to
    tell anything. Raises ValueError for sides of different length and values that are no logarithms.
    """
    left, right = np.asarray(base, dtype=float), np.asarray(head, dtype=float)
    for name, samples in (("base", left), ("head", right)):
        check_samples(samples, name, ("pairs",))
    if not left.size == right.size == len(first) or not set(first) <= {"base", "head"}:
        raise ValueError("each pair has a sample of base, one of head, and the side that ran first")
    if left.size < MIN_PAIRS:
        return []
    head_second = np.array([side == "base" for side in first])
    cautions = [
        _noisy(right - left),
        _drift(left, right, head_second),
        _unsteady(repeats, drop),
        _slot(right - left, head_second),
        _outliers(right - left),
    ]
    return [caution for caution in cautions if caution is not None]


def steadiness(repeats: Sequence[float], drop: int = DROP) -> float | None:
    """Log ratio of the last three repeats of an invocation to its first three counted ones, by medians.

    0 is steady. None where there are too few repeats for two separate groups.
    """
    counted = np.asarray(repeats[drop:], dtype=float)
    if counted.size < 2 * _EDGE or not (counted > 0).all():
        return None
    return float(np.log(np.median(counted[-_EDGE:]) / np.median(counted[:_EDGE])))


def autocorrelation(base: Floats, head: Floats, head_second: NDArray[np.bool_]) -> float:
    """Lag-1 autocorrelation of the samples in the order they ran, each side about its own mean."""
    left, right = base - base.mean(), head - head.mean()
    ran = np.where(head_second, [left, right], [right, left]).T.ravel()
    square = float(ran @ ran)
    return float(ran[1:] @ ran[:-1]) / square if square > 0 else 0.0


def slot_bias(differences: Floats, head_second: NDArray[np.bool_]) -> tuple[float, float]:
    """How much slower (log) the second invocation of a pair runs, and the two-sided p-value that it does.

    A pooled two-sample t-test of the pairs in which head ran second against those in which it ran first, in
    which the true change cancels. (0, 1) when one order never ran.
    """
    second, first = differences[head_second], differences[~head_second]
    df = differences.size - 2
    if not (second.size and first.size and df > 0):
        return 0.0, 1.0
    bias = float(second.mean() - first.mean()) / 2
    squares = float(((second - second.mean()) ** 2).sum() + ((first - first.mean()) ** 2).sum())
    se = math.sqrt(squares / df * (1 / second.size + 1 / first.size)) / 2
    if se == 0:
        return bias, 1.0 if bias == 0 else 0.0
    return bias, 2 * float(stdtr(df, -abs(bias) / se))


def outlying(differences: Floats) -> list[int]:
    """Pairs (counted from 1) that stand apart from the rest by more than 1 % and many robust deviations.

    The factor on the median absolute deviation, 4 + 36 / n, keeps false alarms on normal data near 1 % from
    6 pairs on: with few pairs that deviation is itself uncertain.
    """
    centred = np.abs(differences - np.median(differences))
    scale = 1.4826 * float(np.median(centred))  # 1.4826: equals the sd on normal data
    limit = max((4 + 36 / differences.size) * scale, OUTLYING)
    return [int(index) + 1 for index in np.flatnonzero(centred > limit)]


def _noisy(differences: Floats) -> Caution | None:
    sd = float(differences.std(ddof=1))
    if sd <= NOISY_SD:
        return None
    return Caution(
        "noisy",
        f"noisy machine: the pair ratio has a standard deviation of {units.percent(sd)}",
        "stop other work on it, pin the program (--ethrex-prefix 'taskset -c ...') or measure elsewhere",
    )


def _drift(base: Floats, head: Floats, head_second: NDArray[np.bool_]) -> Caution | None:
    correlation = autocorrelation(base, head, head_second)
    if correlation <= DRIFT_CORRELATION:
        return None
    return Caution(
        "drift",
        f"the machine drifted during the session: neighbouring samples correlate at {correlation:.2f}",
        "pairs cancel most of it; look for changing clock speed, heat or neighbours, and fix the governor",
    )


def _unsteady(repeats: Sequence[Sequence[float]], drop: int) -> Caution | None:
    each = [value for invocation in repeats if (value := steadiness(invocation, drop)) is not None]
    if len(each) < MIN_PAIRS:
        return None
    trends = np.array(each)
    typical = float(np.median(trends))
    if abs(typical) <= UNSTEADY or signed_rank.greater(math.copysign(1, typical) * trends) > _SURE:
        return None
    return Caution(
        "unsteady",
        f"not steady within a process: the last repeats run {units.log_ratio(typical)} against the first",
        f"drop more repeats than the first {drop} and raise --ethrex-repeat by as many",
    )


def _slot(differences: Floats, head_second: NDArray[np.bool_]) -> Caution | None:
    bias, p = slot_bias(differences, head_second)
    if abs(bias) <= SLOT_BIAS or p > _SURE:
        return None
    return Caution(
        "slot",
        f"slot bias: the second invocation of a pair runs {units.log_ratio(bias)}",
        "the alternating order cancels it but for noise; look for boost clocks, heat or a cold page cache",
    )


def _outliers(differences: Floats) -> Caution | None:
    pairs = outlying(differences)
    if not pairs:
        return None
    median = np.median(differences)
    named = ", ".join(f"#{pair} ({units.log_ratio(float(differences[pair - 1]))})" for pair in pairs)
    return Caution(
        "outliers",
        f"outlying pairs, against a median of {units.log_ratio(float(median))}: {named}",
        "look at what ran then (PSI, steal, load); they stay in the decision and are never dropped by hand",
    )
