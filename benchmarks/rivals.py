"""How other tools decide "slower", vectorised from their documented rules.

Every rule takes `Sides` (both (trials, invocations, repeats), seconds) and returns one bool per trial: does
the tool say that head is *slower* than base? Where a tool pools the repeats of several processes, so does its
rule. Sources are named per rule; only what they do is taken from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.noise import Floats, Sides

Bools = NDArray[np.bool_]
RESAMPLES = 1000
"""Bootstrap resamples; criterion takes 100,000, reth 10,000: the edge of a decision is less blurred there."""
_SEED = 20_260_101  # the same resamples for all trials: each is still a bootstrap of its own data


@dataclass(frozen=True, slots=True)
class Rival:
    """Another tool's rule."""

    name: str
    rule: str
    """In one clause."""
    source: str
    slower: Callable[[Sides], Bools]


def benchstat(sides: Sides) -> Bools:
    """Two-sided Mann-Whitney U over the pooled repeats, p <= 0.05, and the median of head above base's."""
    base, head = _pooled(sides)
    slower: Bools = np.median(head, axis=1) > np.median(base, axis=1)
    slower[slower] = mann_whitney(base[slower], head[slower], alternative="two-sided") <= 0.05
    return slower


def mann_whitney(base: Floats, head: Floats, *, alternative: Literal["greater", "two-sided"]) -> Floats:
    """Give p-values of the U test per row; "greater" is head above base.

    As go-moremath has it: exact up to 50 values a side without ties, else by the normal approximation with
    corrections for ties and continuity (its exact values with ties, up to 9 a side, are not needed here).
    """
    values = base.shape[1]
    if not len(base):
        return np.empty(0)
    ranks = cast("Floats", stats.rankdata(np.concatenate([head, base], axis=1), axis=1))
    ties = _tie_correction(ranks)
    u = ranks[:, :values].sum(axis=1) - values * (values + 1) / 2
    total = 2 * values
    sd = np.sqrt(values * values / 12 * ((total + 1) - ties / (total * (total - 1))))
    excess = u - values * values / 2
    if alternative == "greater":
        p = cast("Floats", stats.norm.sf((excess - 0.5) / sd))
    else:
        z = np.maximum(np.abs(excess) - 0.5, 0) / sd
        p = cast("Floats", 2 * stats.norm.sf(z))
    exact = np.flatnonzero(ties == 0) if values <= 50 else np.empty(0, dtype=np.intp)
    if exact.size:
        test = stats.mannwhitneyu(head[exact], base[exact], axis=1, method="exact", alternative=alternative)
        p[exact] = test.pvalue
    return p


def _tie_correction(ranks: Floats) -> Floats:
    """Sum of t³ − t over the groups of equal values, per row; t values of one group share one rank."""
    ordered = np.sort(ranks, axis=1)
    correction = np.zeros(len(ranks))
    tied_rows = np.flatnonzero((np.diff(ordered, axis=1) == 0).any(axis=1))
    for row in tied_rows:
        counts = np.unique(ordered[row], return_counts=True)[1].astype(float)
        correction[row] = (counts**3 - counts).sum()
    return correction


def pyperf(sides: Sides) -> Bools:
    """Student's two-sample t over the pooled values against pyperf's table of 95 % values."""
    base, head = _pooled(sides)
    values = base.shape[1]
    variance = (base.var(axis=1) + head.var(axis=1)) * values / (2 * values - 2)
    t = (head.mean(axis=1) - base.mean(axis=1)) / np.sqrt(variance / values * 2)
    # pyperf rounds the degrees of freedom down to the next row of its table
    rows = ((200, 1.960), (100, 1.984), (80, 1.990), (60, 2.000), (50, 2.009), (40, 2.021), (30, 2.042))
    df = 2 * values - 2
    critical = next((value for row, value in rows if df >= row), None)
    return cast("Bools", t >= (critical or round(float(stats.t.isf(0.025, df)), 3)))


def pytest_benchmark(field: str, percent: int) -> Callable[[Sides], Bools]:
    """`--benchmark-compare-fail=FIELD:PERCENT%` over the pooled rounds; `field` is `min` or `mean`."""

    def slower(sides: Sides) -> Bools:
        base, head = (cast("Floats", getattr(np, field)(values, axis=1)) for values in _pooled(sides))
        return head / base * 100 - 100 > percent

    return slower


def hyperfine(sides: Sides) -> Bools:
    """Welch's two-sided t over one time per process, p < 0.05.

    hyperfine times whole processes; here it is generously given the mean exec of each, without the load.
    """
    base, head = sides.base.mean(axis=2), sides.head.mean(axis=2)
    runs = base.shape[1]
    a, b = (side.var(axis=1, ddof=1) / runs for side in (base, head))
    with np.errstate(divide="ignore", invalid="ignore"):  # two equal times: no variance, t is infinite or NaN
        t = (head.mean(axis=1) - base.mean(axis=1)) / np.sqrt(a + b)
        df = (a + b) ** 2 / ((a**2 + b**2) / (runs - 1))
    return cast("Bools", (2 * stats.t.sf(np.abs(t), df) < 0.05) & (t > 0))


def criterion(sides: Sides, resamples: int = RESAMPLES) -> Bools:
    """Bootstrapped t under "no difference" p < 0.05, and the 95 % interval of the mean's change above 1 %."""
    base, head = _pooled(sides)
    slower: Bools = head.mean(axis=1) > 1.01 * base.mean(
        axis=1
    )  # else the interval's lower end is below, too
    base, head = base[slower], head[slower]
    values = base.shape[1]
    changes = head @ _weights(values, resamples, 0) / (base @ _weights(values, resamples, 1)) - 1
    index = int(0.025 * resamples)
    low = np.partition(changes, index, axis=1)[:, index]
    slower[slower] = (_bootstrapped_p(base, head, resamples) < 0.05) & (low > 0.01)
    return slower


def _bootstrapped_p(base: Floats, head: Floats, resamples: int) -> Floats:
    """Where Welch's t lies among those of two samples drawn from both sides together."""
    values = base.shape[1]
    both = np.concatenate([head, base], axis=1)
    both -= both.mean(axis=1, keepdims=True)  # a shift changes no t, and keeps the sums of squares precise
    squares = both**2
    moments = []
    for side in (2, 3):
        weights = _weights(2 * values, resamples, side, drawn=values)
        mean = both @ weights
        moments.append((mean, squares @ weights - mean**2))
    (mean_a, variance_a), (mean_b, variance_b) = moments
    null = (mean_a - mean_b) / np.sqrt((variance_a + variance_b) / (values - 1))
    t = (head.mean(axis=1) - base.mean(axis=1)) / np.sqrt(
        (head.var(axis=1) + base.var(axis=1)) / (values - 1)
    )
    below = (null < t[:, None]).sum(axis=1)
    p: Floats = 2 * np.minimum(below, resamples - below) / resamples
    return p


def reth(sides: Sides, resamples: int = RESAMPLES) -> Bools:
    """The whole 95 % interval above +1.2 %: whole runs resampled, half its width around the point estimate.

    A run is an invocation; of reth's rows the p50 is taken, the sturdiest one: the mean over runs of each
    run's sorted[n // 2].
    """
    repeats = sides.base.shape[2]
    base, head = (np.partition(side, repeats // 2, axis=2)[:, :, repeats // 2] for side in sides)
    percent = (head.mean(axis=1) / base.mean(axis=1) - 1) * 100
    slower: Bools = percent > 1.2
    base, head = base[slower], head[slower]
    runs = base.shape[1]
    changes = head @ _weights(runs, resamples, 0) - base @ _weights(runs, resamples, 1)
    low, high = int(resamples * 0.025), int(resamples * 0.975)
    ordered = np.partition(changes, [low, high], axis=1)
    half = (ordered[:, high] - ordered[:, low]) / 2
    slower[slower] = percent[slower] - half / base.mean(axis=1) * 100 > 1.2
    return slower


def tango(sides: Sides) -> Bools:
    """Decide by z >= 2.6 of the paired differences and a mean change above 0.5 %.

    tango alternates both functions inside one process, which two builds of a program can't: hence "-like";
    repeats are paired as they come. Its filter for outliers five quartile ranges out is left away: it seldom
    removes anything from such samples.
    """
    base, head = _pooled(sides)
    differences = head - base
    mean = differences.mean(axis=1)
    z = mean / (differences.std(axis=1, ddof=1) / np.sqrt(differences.shape[1]))
    slower: Bools = (z >= 2.6) & (mean / head.mean(axis=1) > 0.005)
    return slower


def _pooled(sides: Sides) -> tuple[Floats, Floats]:
    trials = len(sides.base)
    return sides.base.reshape(trials, -1), sides.head.reshape(trials, -1)


@lru_cache(maxsize=8)
def _weights(values: int, resamples: int, stream: int, drawn: int | None = None) -> Floats:
    """What each value weighs in the mean of a resample of `drawn`: (values, resamples).

    The means of all resamples of all trials are then one matrix product.
    """
    rng = np.random.default_rng([_SEED, stream])
    counts = rng.multinomial(drawn or values, np.full(values, 1 / values), size=resamples)
    return counts.T / (drawn or values)


POOLED = Rival(
    "benchstat",
    "Mann-Whitney over all repeats, p <= 0.05",
    "golang/perf benchmath/anone.go, aclements/go-moremath stats/utest.go",
    benchstat,
)
RIVALS = (
    POOLED,
    Rival(
        "pyperf compare_to",
        "Student's t over all values, 95 %",
        "psf/pyperf pyperf/_utils.py is_significant",
        pyperf,
    ),
    Rival(
        "pytest-benchmark min:3%",
        "minimum of all rounds more than 3 % up",
        "ionelmc/pytest-benchmark utils.py PercentageRegressionCheck",
        pytest_benchmark("min", 3),
    ),
    Rival(
        "pytest-benchmark mean:5%",
        "mean of all rounds more than 5 % up",
        "ionelmc/pytest-benchmark utils.py PercentageRegressionCheck",
        pytest_benchmark("mean", 5),
    ),
    Rival(
        "hyperfine welch_ttest",
        "Welch's t over one time per process, p < 0.05",
        "sharkdp/hyperfine scripts/welch_ttest.py",
        hyperfine,
    ),
    Rival(
        "criterion",
        "bootstrapped t p < 0.05, 95 % interval above +1 %",
        "bheisler/criterion.rs src/analysis/compare.rs, src/report.rs (0.8.2)",
        criterion,
    ),
    Rival(
        "reth bench.yml",
        "run-cluster bootstrap, 95 % interval above +1.2 %",
        "paradigmxyz/reth .github/scripts/bench-reth-summary.py, pulls 24238 and 24511",
        reth,
    ),
    Rival(
        "tango-like",
        "paired z >= 2.6 and above +0.5 %",
        "bazhenov/tango tango-bench/src/lib.rs calculate_run_result",
        tango,
    ),
)
