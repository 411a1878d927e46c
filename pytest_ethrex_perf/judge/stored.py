"""A stored baseline without its program: a new session against what the baseline's sessions predict.

Machines drift between sessions, which no single session's data can show. So sessions are the replicates:
the new one's mean is held against a random-effects prediction from the means of the old ones, and with few
of them a prior (1 % of times, or the noise within sessions if that is larger) stands in for their spread.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import nctdtrinc, ndtri, stdtrit

from pytest_ethrex_perf.judge import words
from pytest_ethrex_perf.judge.bounds import GO_ON, INCONCLUSIVE, VERDICTS, Tests, check_samples, three_tests
from pytest_ethrex_perf.judge.family import MIN_PAIRS, spending
from pytest_ethrex_perf.judge.power import POWER
from pytest_ethrex_perf.records.decision import Decision, Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ENOUGH_SESSIONS = 5
"""With fewer the detectable effect is large: record more, on different days."""
MIN_INVOCATIONS = MIN_PAIRS
MAX_INVOCATIONS = 30
WITHIN = 1.1
"""`Rules.within` of what is decided today.

A sample leaves out the slowest repeats, so the noise within sessions is less than it was with medians, but
what sessions differ by is not. Without the factor, a true +1 % on very noisy machines with one stored session
was called a regression in 1.51 % of 20,000 sessions; with it in 1.15 %."""
_PRIOR_DF = 4
_HARDLY = 1.05  # a detectable effect within 5 % of the best that invocations can buy


class Prediction(NamedTuple):
    """What the baseline predicts of a new session's mean; one element per gating, or plain numbers."""

    mean: Floats
    variance: Floats
    """s^2 (1 + 1/M): of the new session's true mean around `mean`, as log."""
    df: int
    """Degrees of freedom of `variance`."""


class Outlook(NamedTuple):
    """What a stored comparison will see."""

    sessions: int
    invocations: int
    """Of the new session."""
    detectable: float
    """Smallest true slowdown (log) that it calls a regression."""


def judge(
    baseline: Sequence[Sequence[float]] | Floats,
    session: Sequence[float] | Floats,
    rules: Rules,
    *,
    step: float = 0.0,
) -> Decision:
    """Judge the invocations of a new `session` against the sessions of `baseline` (samples, logs), once.

    Sessions of one day belong together first: `merge_sessions`. `step` is the resolution of a sample as a
    log. Fewer than 6 new invocations, or a baseline in which no session has two, are `inconclusive` with
    the reason. Raises ValueError for an empty baseline, for values that are no logarithms and rules that
    make no sense.
    """
    sessions = _sessions(baseline)
    new = _samples(session, "the session")
    spending(rules, 0)  # refuses rules that make no sense
    if new.size < MIN_INVOCATIONS:
        reason = f"only {new.size} invocations: fewer than {MIN_INVOCATIONS} are never a verdict"
        return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason, pairs=new.size)
    if all(each.size == 1 for each in sessions):
        reason = "no session of the baseline has two invocations, so its noise is not known: record it again"
        return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason, pairs=new.size)
    means = np.array([each.mean() for each in sessions])
    prediction = predict(means, np.asarray(pooled_variance(sessions)), rules, step=step)
    variance = np.asarray(new.var(ddof=1))
    tests = compare(prediction, np.asarray(new.mean()), variance, new.size, rules, step=step)
    return _decision(
        tests,
        rules,
        f"{new.size} invocations against {len(sessions)} session{'s' * (len(sessions) > 1)}",
        new.size,
        sd=max(float(np.sqrt(variance)), step),
        step=step,
        level=math.exp(prediction.mean),
    )


def judge_many(baseline: Floats, session: Floats, rules: Rules, *, step: float = 0.0) -> NDArray[np.int8]:
    """Judge many simulated gatings exactly as `judge` does and return verdict codes (see `bounds.VERDICTS`).

    `baseline` is gatings x sessions x invocations, `session` gatings x invocations, logs. Raises ValueError
    for fewer than 2 invocations a session or 6 new ones.
    """
    if baseline.shape[2] <= 1 or session.shape[1] < MIN_INVOCATIONS:
        raise ValueError("a simulation needs 2 invocations per baseline session and 6 new ones")
    within = baseline.var(axis=2, ddof=1).mean(axis=1)
    prediction = predict(baseline.mean(axis=2), within, rules, step=step)
    tests = compare(
        prediction, session.mean(axis=1), session.var(axis=1, ddof=1), session.shape[1], rules, step=step
    )
    return np.where(tests.codes == GO_ON, INCONCLUSIVE, tests.codes).astype(np.int8)


def predict(means: Floats, within: Floats, rules: Rules, *, step: float = 0.0) -> Prediction:
    """Random-effects prediction from session `means` (last axis) and the variance `within` sessions, pooled.

    s0^2 = max(drift^2, k within, step^2) with the k of `Rules.within`;
    s^2 = (4 s0^2 + (M-1) var(m)) / (4 + M - 1); its variance is s^2 (1 + 1/M), with 4 + M - 1 degrees of
    freedom.
    """
    sessions = means.shape[-1]
    prior = np.maximum(max(rules.drift**2, step**2), rules.within * within)
    between = means.var(axis=-1, ddof=1) if sessions > 1 else np.zeros(means.shape[:-1])
    df = _PRIOR_DF + sessions - 1
    variance = (_PRIOR_DF * prior + (sessions - 1) * between) / df
    return Prediction(means.mean(axis=-1), variance * (1 + 1 / sessions), df)


def compare(
    prediction: Prediction,
    mean: Floats,
    variance: Floats,
    invocations: int,
    rules: Rules,
    *,
    step: float = 0.0,
) -> Tests:
    """Test a new session's `mean` and `variance` (over its invocations) against the `prediction`."""
    se, df = standard_error(prediction, variance, invocations, step=step)
    return three_tests(
        mean - prediction.mean,
        se,
        df,
        rules,
        alpha=rules.alpha / rules.gatings,
        beta=rules.beta,
        step=step,
        level=np.exp(prediction.mean),
    )


def standard_error(
    prediction: Prediction, variance: Floats, invocations: int, *, step: float = 0.0
) -> tuple[Floats, Floats]:
    """Standard error of new mean - predicted mean, and its degrees of freedom by Welch and Satterthwaite."""
    own = np.maximum(variance, step**2) / invocations
    total = prediction.variance + own
    df = total**2 / (prediction.variance**2 / prediction.df + own**2 / (invocations - 1))
    return np.sqrt(total), df


def detectable(
    se: float, df: float, rules: Rules, *, step: float = 0.0, level: float = 0.0, power: float = POWER
) -> float:
    """Smallest true slowdown (log) that one test with `se` and `df` calls a regression with this `power`.

    From the noncentral t distribution; `level` is the baseline's in the metric's unit, for the absolute
    floor.
    """
    critical = -stdtrit(df, rules.alpha / rules.gatings)
    slower = math.log1p(rules.margin) + step + float(nctdtrinc(df, 1 - power, critical)) * se
    if rules.floor and level:
        slower = max(slower, math.log1p(rules.floor / level) + float(ndtri(power)) * se)
    return slower


def invocations(
    baseline: Sequence[Sequence[float]],
    rules: Rules,
    *,
    minimum: int = MIN_INVOCATIONS,
    maximum: int = MAX_INVOCATIONS,
    step: float = 0.0,
) -> int:
    """Return K, the invocations that a new session is worth, from the noise of `baseline` (samples, logs).

    The smallest K whose detectable effect is within the tolerance, or else hardly above (5 %) what
    `maximum` invocations would detect: what sessions differ by, no number of invocations takes away.
    `minimum` where the baseline's noise is not known. Raises ValueError as `judge` does.
    """
    sessions = _sessions(baseline)
    spending(rules, 0)
    if all(session.size == 1 for session in sessions):
        return minimum
    within = np.asarray(pooled_variance(sessions))
    prediction = predict(np.array([each.mean() for each in sessions]), within, rules, step=step)

    def seen(number: int) -> float:
        se, df = standard_error(prediction, within, number, step=step)
        return detectable(float(se), float(df), rules, step=step)

    enough = max(math.log1p(rules.tolerance), _HARDLY * seen(maximum))
    return next((number for number in range(minimum, maximum) if seen(number) <= enough), maximum)


def outlook(
    baseline: Sequence[Sequence[float]],
    rules: Rules,
    *,
    sessions: int | None = None,
    step: float = 0.0,
    level: float = 0.0,
    power: float = POWER,
) -> Outlook:
    """What a new session against `baseline` (samples, logs) will see, if it varies as the old ones do.

    `sessions`: with so many sessions instead, which vary within and among themselves as those of `baseline`
    do (a single session does not say how they differ: the prior stands in). `level` and `power` as in
    `detectable`. Raises ValueError as `judge` does, and for a baseline in which no session has two
    invocations.
    """
    recorded = _sessions(baseline)
    if all(session.size == 1 for session in recorded):
        raise ValueError("no session of the baseline has two invocations, so its noise is not known")
    within = np.asarray(pooled_variance(recorded))
    means = np.array([session.mean() for session in recorded])
    if sessions is not None:
        alone = float(predict(means[:1], within, rules, step=step).variance) / 2  # s0^2 (1 + 1/1)
        between = float(means.var(ddof=1)) if len(means) > 1 else alone
        size = max(2, round(float(np.mean([session.size for session in recorded]))))
        means = means.mean() + _spread(sessions, between)
        recorded = [mean + _spread(size, float(within)) for mean in means]
    number = invocations([session.tolist() for session in recorded], rules, step=step)
    prediction = predict(means, within, rules, step=step)
    se, df = standard_error(prediction, within, number, step=step)
    seen = detectable(float(se), float(df), rules, step=step, level=level, power=power)
    return Outlook(len(means), number, seen)


def contradicts(
    epoch: Sequence[Sequence[float]], session: Sequence[float], rules: Rules, *, step: float = 0.0
) -> Decision | None:
    """Return the decision by which `session` does not belong to its `epoch`, None where it does.

    It is the gate's own test at alpha, in either direction. A stricter refusal would shrink the spread of the
    sessions that are kept, and with it every later prediction. Raises ValueError as `judge` does.
    """
    decision = judge(epoch, session, rules, step=step)
    return decision if decision.verdict in {Verdict.REGRESSION, Verdict.IMPROVEMENT} else None


def merge_sessions(
    starts: Sequence[datetime | str], sessions: Sequence[Sequence[float]], gap_hours: float = 6.0
) -> list[list[float]]:
    """Return `sessions` (samples) in order of their `starts`, those less than `gap_hours` apart as one.

    `starts` are datetimes or ISO 8601. Sessions that follow one another closely share the machine's day and
    are no independent look at it. Raises ValueError when the two differ in length or a start cannot be
    read.
    """
    if len(starts) != len(sessions):
        raise ValueError(f"{len(starts)} starts for {len(sessions)} sessions")
    times = [datetime.fromisoformat(start) if isinstance(start, str) else start for start in starts]
    merged: list[list[float]] = []
    previous: datetime | None = None
    for time, samples in sorted(zip(times, sessions, strict=True), key=lambda pair: pair[0]):
        if previous is None or time - previous >= timedelta(hours=gap_hours):
            merged.append([])
        merged[-1].extend(samples)
        previous = time
    return merged


def _spread(number: int, variance: float) -> Floats:
    """`number` values around 0 of just this sample variance; 0 alone for one."""
    values = np.arange(number, dtype=np.float64) - (number - 1) / 2
    if number > 1:
        values *= math.sqrt(variance) / float(values.std(ddof=1))
    return values


def _sessions(baseline: Sequence[Sequence[float]] | Floats) -> list[Floats]:
    sessions = [_samples(session, "a session of the baseline") for session in baseline]
    if not sessions or not all(session.size for session in sessions):
        raise ValueError("the baseline has no sessions, or one without invocations")
    return sessions


def _samples(values: Sequence[float] | Floats, name: str) -> Floats:
    samples = np.asarray(values, dtype=float)
    check_samples(samples, name, ("invocations",))
    return samples


def pooled_variance(sessions: Iterable[Floats]) -> float:
    """Variance between invocations within sessions, pooled over those that have two or more samples.

    Raises ZeroDivisionError where none has: the noise is not known then.
    """
    several = [session for session in sessions if session.size > 1]
    squares = sum(float(session.var(ddof=1)) * (session.size - 1) for session in several)
    return squares / sum(session.size - 1 for session in several)


def _decision(
    tests: Tests, rules: Rules, measured: str, invocations: int, *, sd: float, step: float, level: float
) -> Decision:
    verdict = VERDICTS[int(tests.codes)] or Verdict.INCONCLUSIVE
    estimate, se, df = float(tests.estimate), float(tests.se), float(tests.df)
    alpha = rules.alpha / rules.gatings
    p_slower, p_faster = float(tests.p_slower), float(tests.p_faster)
    p = {Verdict.IMPROVEMENT: p_faster, Verdict.UNCHANGED: float(tests.p_equivalent)}.get(verdict, p_slower)
    nominal = -float(stdtrit(df, 0.025)) * se
    reach = -float(stdtrit(df, rules.beta if verdict is Verdict.UNCHANGED else alpha)) * se
    ci95 = (estimate - nominal, estimate + nominal)
    below_floor = min(p_slower, p_faster) <= alpha
    return Decision(
        verdict=verdict,
        reason=words.reason(verdict, estimate, ci95, rules, measured=measured, below_floor=below_floor),
        pairs=invocations,
        estimate=estimate,
        sd=sd,
        se=se,
        df=df,
        p=p,
        interval=(estimate - reach, estimate + reach),
        ci95=ci95,
        detectable=detectable(se, df, rules, step=step, level=level),
    )
