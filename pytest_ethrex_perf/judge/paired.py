"""The gate: base and head interleaved, judged pair by pair as the pairs come in.

A decision is a pure function of the data: every call replays the looks from the start and the first one that
decides wins, so more data never turns a decided block back.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from pytest_ethrex_perf.judge import looks as plans
from pytest_ethrex_perf.judge import power, signed_rank, words
from pytest_ethrex_perf.judge.batch import Judged, is_over, judge_many, look_at
from pytest_ethrex_perf.judge.bounds import GO_ON, VERDICTS, check_samples
from pytest_ethrex_perf.judge.family import MIN_PAIRS, spending
from pytest_ethrex_perf.records.decision import Decision, Look, Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pytest_ethrex_perf.judge.bounds import Tests
    from pytest_ethrex_perf.judge.family import Spending

    Floats = NDArray[np.float64]

__all__ = ["VERDICTS", "Judged", "judge", "judge_many"]


def judge(
    base: Sequence[float] | Floats,
    head: Sequence[float] | Floats,
    rules: Rules,
    *,
    step: float = 0.0,
    final: bool = False,
) -> Decision:
    """Judge the pairs (base[i], head[i]), samples as logs in the order they ran.

    Replays every look of the plan (`planned`) that has its pairs; pairs after the last look are left out.
    `step` is the resolution of a sample as a log (`samples.step`). With `final` nothing more will come: what
    is left of alpha and beta is spent on one last look, and `inconclusive` is the verdict of what is still
    open. Without it an open decision has the verdict None: go on.

    Raises ValueError for sides of different length, values that are no logarithms, a negative step, or
    rules that make no sense.
    """
    differences, left = _differences(base, head)
    if not 0 <= step < math.inf:
        raise ValueError(f"step is {step!r}: a resolution is 0 or a positive number")
    rules = _planned(differences, rules, step)
    plan = spending(rules, left.size, final=final)
    looks: list[Look] = []
    for spent in plan:
        level = math.exp(left[: spent.pairs].mean())
        tests = look_at(differences[:, : spent.pairs], spent, rules, step=step, level=level)
        looks.append(_look(tests, spent))
        if looks[-1].verdict is not None:
            break
    over = is_over(rules, left.size, final=final)
    if not looks:
        return _too_few(differences[0], rules, step, final=final)
    decided = looks[-1].verdict is not None
    pairs = looks[-1].pairs if decided or over else left.size
    level = math.exp(left[:pairs].mean())
    # a block that stopped at a planned look had the whole plan before it; a budget's last look had not
    early = over and not (decided and len(looks) <= len(spending(rules, left.size)))
    seen = plan if early else spending(rules, rules.looks[-1])
    return _decision(differences[0, :pairs], looks, rules, seen, step=step, level=level, over=over)


def planned(
    base: Sequence[float] | Floats, head: Sequence[float] | Floats, rules: Rules, step: float = 0.0
) -> Rules:
    """Return `rules` with the looks of the whole plan, which the noise at the first look chooses.

    They are `rules` as they are where those don't go on, and before the first look. `step` is the resolution
    of the pairs of the first look. Raises ValueError as `judge` does.
    """
    return _planned(_differences(base, head)[0], rules, step)


def _planned(differences: Floats, rules: Rules, step: float) -> Rules:
    if not rules.most or differences.shape[1] < rules.looks[0]:
        return rules
    return plans.planned(rules, int(plans.last_looks(differences, rules, step)[0]))


def pairs_to_decide(
    base: Sequence[float] | Floats,
    head: Sequence[float] | Floats,
    rules: Rules,
    step: Callable[[int], float],
) -> int:
    """Return the pairs of the first look that decides; where none does, all pairs up to the last look.

    `step` gives the resolution of the samples of so many pairs, as a log: each look has its own. Raises
    ValueError as `judge` does.
    """
    differences, left = _differences(base, head)
    rules = _planned(differences, rules, step(rules.looks[0]))
    for spent in spending(rules, left.size):
        level = math.exp(left[: spent.pairs].mean())
        taken = differences[:, : spent.pairs]
        tests = look_at(taken, spent, rules, step=step(spent.pairs), level=level)
        if tests.codes[0] != GO_ON:
            return spent.pairs
    return min(left.size, rules.looks[-1])


def _differences(base: Sequence[float] | Floats, head: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Head minus base as a single row for `batch`, and base."""
    left, right = _samples(base, "base"), _samples(head, "head")
    if left.size != right.size:
        raise ValueError(f"{left.size} samples of base and {right.size} of head do not make pairs")
    return (right - left)[None, :], left


def _samples(values: Sequence[float] | Floats, name: str) -> Floats:
    samples = np.asarray(values, dtype=float)
    check_samples(samples, name, ("pairs",))
    return samples


def _look(tests: Tests, spent: Spending) -> Look:
    estimate, se = float(tests.estimate[0]), float(tests.se[0])
    reach = _critical(spent.pairs - 1, spent.alpha) * se
    return Look(
        pairs=spent.pairs,
        alpha=spent.alpha,
        beta=spent.beta,
        estimate=estimate,
        sd=se * math.sqrt(spent.pairs),
        low=estimate - reach,
        high=estimate + reach,
        p_slower=float(tests.p_slower[0]),
        p_faster=float(tests.p_faster[0]),
        p_equivalent=float(tests.p_equivalent[0]),
        verdict=VERDICTS[tests.codes[0]],
    )


@lru_cache(maxsize=4096)
def _critical(df: int, level: float) -> float:
    return float(-stdtrit(df, level))


def _too_few(differences: Floats, rules: Rules, step: float, *, final: bool) -> Decision:
    pairs = differences.size
    first = rules.looks[0]
    if final:
        reason = f"only {pairs} pairs: fewer than {MIN_PAIRS} are never a verdict"
    else:
        reason = f"{pairs} of {first} pairs for the first look"
    return Decision(
        verdict=Verdict.INCONCLUSIVE if final else None,
        reason=reason,
        pairs=pairs,
        estimate=float(differences.mean()) if pairs else None,
        sd=max(float(differences.std(ddof=1)), step) if pairs > 1 else None,
    )


def _decision(
    differences: Floats,
    looks: list[Look],
    rules: Rules,
    plan: tuple[Spending, ...],
    *,
    step: float,
    level: float,
    over: bool,
) -> Decision:
    """Sum up: the tests of the last look taken, the estimate and its interval over all `differences`."""
    last = looks[-1]
    pairs = differences.size
    estimate, sd = float(differences.mean()), max(float(differences.std(ddof=1)), step)
    if pairs == last.pairs:  # else between two looks: newer than what was tested
        estimate, sd = last.estimate, last.sd
    se = sd / math.sqrt(pairs)
    nominal = _critical(pairs - 1, 0.025) * se
    ci95 = (estimate - nominal, estimate + nominal)
    verdict = Verdict.INCONCLUSIVE if over and last.verdict is None else last.verdict
    share = last.beta if verdict is Verdict.UNCHANGED else last.alpha
    reach = _critical(last.pairs - 1, share) * last.sd / math.sqrt(last.pairs)
    proven = min(last.p_slower, last.p_faster) <= last.alpha
    return Decision(
        verdict=verdict,
        reason=words.reason(
            verdict,
            estimate,
            ci95,
            rules,
            measured=f"{pairs} pairs",
            below_floor=proven and last.verdict is None,
        ),
        pairs=pairs,
        estimate=estimate,
        sd=sd,
        se=se,
        df=float(pairs - 1),
        p=_deciding_p(verdict, last),
        interval=(last.estimate - reach, last.estimate + reach),
        ci95=ci95,
        detectable=power.detectable(plan, sd, rules, step=step, level=level),
        wilcoxon_p=_cross_check(verdict, differences[: last.pairs], rules, step),
        looks=tuple(looks),
        plan=rules.looks,
    )


def _deciding_p(verdict: Verdict | None, look: Look) -> float:
    if verdict is Verdict.IMPROVEMENT:
        return look.p_faster
    return look.p_equivalent if verdict is Verdict.UNCHANGED else look.p_slower


def _cross_check(verdict: Verdict | None, differences: Floats, rules: Rules, step: float) -> float:
    """Wilcoxon's p for the test that decided (a regression's where none did), against the same bound."""
    margin, tolerance = math.log1p(rules.margin) + step, math.log1p(rules.tolerance)
    if verdict is Verdict.IMPROVEMENT:
        return signed_rank.greater(-differences - margin)
    if verdict is Verdict.UNCHANGED:
        return max(signed_rank.greater(tolerance - differences), signed_rank.greater(differences + tolerance))
    return signed_rank.greater(differences - margin)
