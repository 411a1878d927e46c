"""The interleaved rule, over one gating or a hundred thousand simulated ones at a time.

This is its only implementation: `paired.judge` walks it with a single row, simulations with many. Rows are
gatings, columns are pairs in the order they ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_ethrex_perf.judge import looks
from pytest_ethrex_perf.judge.bounds import GO_ON, INCONCLUSIVE, Tests, check_samples, three_tests
from pytest_ethrex_perf.judge.family import Spending, spending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_ethrex_perf.records.decision import Rules

    Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # differences of logs with a smaller sd are equal but for floating point


class Judged(NamedTuple):
    """Verdict codes (indices into `bounds.VERDICTS`) and pairs used, one element per gating."""

    codes: NDArray[np.int8]
    pairs: NDArray[np.int64]


def judge_many(
    differences: Floats,
    rules: Rules,
    *,
    step: float | Floats = 0.0,
    base: Floats | None = None,
    final: bool = False,
) -> Judged:
    """Judge every row of `differences` (gatings x pairs, head minus base, logs) just as `paired.judge` does.

    `step` is the resolution as a log, for all or one per row. `base` (same shape, logs) is needed only where
    `rules.floor` is set. Raises ValueError for another shape, for values that are no logarithms and for rules
    that make no sense.
    """
    check_samples(differences, "differences", ("gatings", "pairs"))
    if base is None and rules.floor:
        raise ValueError("an absolute floor needs the level: give the samples of base")
    spending(rules, 0)  # refuses rules that make no sense
    rows, pairs = differences.shape
    steps = np.broadcast_to(np.asarray(step, dtype=float), (rows,))
    codes = np.zeros(rows, dtype=np.int8)
    used = np.full(rows, pairs)
    ends = looks.last_looks(differences, rules, steps)
    for last in np.unique(ends):
        planned = looks.planned(rules, int(last))
        mine = np.flatnonzero(ends == last)
        of_base = None if base is None else base[mine]
        codes[mine], used[mine] = _walk(differences[mine], planned, steps[mine], of_base, final=final)
    return Judged(codes, used)


def _walk(differences: Floats, rules: Rules, steps: Floats, base: Floats | None, *, final: bool) -> Judged:
    """Judge rows that have the same plan."""
    rows, pairs = differences.shape
    codes = np.zeros(rows, dtype=np.int8)
    used = np.full(rows, pairs)
    for look in spending(rules, pairs, final=final):
        undecided = np.flatnonzero(codes == GO_ON)
        level = 0.0 if base is None else np.exp(base[undecided, : look.pairs].mean(axis=1))
        taken = differences[undecided, : look.pairs]
        codes[undecided] = look_at(taken, look, rules, step=steps[undecided], level=level).codes
        used[undecided] = look.pairs
    if is_over(rules, pairs, final=final):
        codes[codes == GO_ON] = INCONCLUSIVE
    used[codes == GO_ON] = pairs
    return Judged(codes, used)


def is_over(rules: Rules, pairs: int, *, final: bool) -> bool:
    """Whether nothing more can be decided after `pairs` pairs."""
    return final or pairs >= rules.looks[-1]


def look_at(
    differences: Floats, look: Spending, rules: Rules, *, step: float | Floats, level: float | Floats
) -> Tests:
    """One look at `differences` (gatings x `look.pairs`): `scipy.stats.ttest_1samp` against each bound.

    The sd is floored at the resolution `step` and the margin widened by it; `level` is exp(mean(base)) in the
    metric's unit, for the absolute floor.
    """
    sd = np.maximum(differences.std(axis=1, ddof=1), np.maximum(step, _ROUNDING))
    return three_tests(
        differences.mean(axis=1),
        sd / np.sqrt(look.pairs),
        np.asarray(look.pairs - 1),
        rules,
        alpha=look.alpha,
        beta=look.beta,
        step=step,
        level=level,
    )
