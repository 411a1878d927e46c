"""The arithmetic of a decision, line by line, so that it can be checked by hand. Decides nothing itself.

Every p-value, standard error and verdict comes from the judge; what stands between them is written out.
"""

from __future__ import annotations

import math
import statistics
import textwrap
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from pytest_ethrex_perf.judge import looks, samples, stored
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.metric import unit
from pytest_ethrex_perf.report import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_ethrex_perf.judge.bounds import Tests
    from pytest_ethrex_perf.records.decision import Decision, Look, Rules
    from pytest_ethrex_perf.records.measurement import Invocation, Pair, StoredSession

Reader: TypeAlias = "Callable[[Invocation], float]"
"""What reads the sample of an invocation, a log."""

WIDTH = 80
_FLOORED = 1 - 1e-9  # an sd that is smaller than the judge's by more than rounding was raised to the step


class _Tested(NamedTuple):
    """The three tests of one look, or of the stored comparison."""

    estimate: float
    se: float
    p_slower: float
    p_faster: float
    p_equivalent: float
    alpha: float
    beta: float
    verdict: Verdict | None


def wrapped(sentence: str, indent: str = "", width: int = WIDTH) -> list[str]:
    """`sentence` in lines of at most `width`; words such as paths are not broken."""
    return textwrap.wrap(
        sentence,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def pairs_table(pairs: Sequence[Pair], metric: str, read: Reader, used: int) -> list[str]:
    """Every pair of one block: which side ran first, samples in the metric's unit and as logs, d."""
    rows = []
    for number, pair in enumerate(pairs, 1):
        taken = pair.base, pair.head
        if number > used and not all(samples.has(invocation, metric) for invocation in taken):
            break  # it was decided, and no longer counted
        base, head = map(read, taken)
        levels = (_level(logarithm, metric) for logarithm in (base, head))
        rows.append((str(number), pair.first, *levels, f"{base:.6f}", f"{head:.6f}", f"{head - base:+.6f}"))
    of = _unit(metric)
    heads = ("pair", "first", f"base{of}", f"head{of}", "x base", "x head", "d")
    return _split(heads, rows, used, "pairs")


def rounds_table(base: Sequence[float], head: Sequence[float]) -> list[str]:
    """The mean over blocks: its samples (logs) and d of every round."""
    rows = [
        (str(number), f"{left:.6f}", f"{right:.6f}", f"{right - left:+.6f}")
        for number, (left, right) in enumerate(zip(base, head, strict=True), 1)
    ]
    return _indented(terminal.columns([("round", "x base", "x head", "d"), *rows], right=range(4)))


def sessions_table(
    sessions: Sequence[StoredSession], metric: str, read: Reader, identity: str | None
) -> list[str]:
    """Every invocation of the stored sessions that is compared with: sample, and as a log."""
    rows = [
        (session.started[:16], *_sample_cells(number, invocation, metric, read))
        for session in sessions
        for number, invocation in enumerate(samples.comparable(session, metric, identity), 1)
    ]
    heads = ("session", "invocation", f"sample{_unit(metric)}", "x")
    return _indented(terminal.columns([heads, *rows], right=range(1, 4)))


def invocations_table(invocations: Sequence[Invocation], metric: str, read: Reader) -> list[str]:
    """Every invocation of the new session: sample, and as a log."""
    rows = [_sample_cells(number, taken, metric, read) for number, taken in enumerate(invocations, 1)]
    return _indented(terminal.columns([("invocation", f"sample{_unit(metric)}", "x"), *rows], right=range(3)))


def rules_lines(rules: Rules, step: float, decision: Decision) -> list[str]:
    """The rules of a gating, its plan, and the bounds that follow from them, as logs."""
    tolerance = math.log1p(rules.tolerance)
    floor = f", floor {rules.floor / 1e6:g} ms" if rules.floor else ""
    return [
        *wrapped(
            f"rules: margin {units.limit(rules.margin)}, tolerance {units.limit(rules.tolerance)}, "
            f"alpha {rules.alpha:g}, beta {rules.beta:g}, m = {rules.gatings:g} (alpha is divided by it), "
            f"looks at {', '.join(map(str, rules.looks))} pairs{floor}"
        ),
        *_plan_lines(rules, step, decision),
        f"step: {step:.6f}, the resolution of a sample: least sd, and added to the margin",
        f"bounds: log1p(margin) + step = {_margin(rules, step):.6f}, log1p(tolerance) = {tolerance:.6f}",
    ]


def _plan_lines(rules: Rules, step: float, decision: Decision) -> list[str]:
    """How far the plan goes on and why, and what its looks may spend together."""
    lines: list[str] = []
    if rules.most and decision.looks:
        sd = decision.looks[0].sd
        wanted = float(looks.pairs_wanted(sd, rules, step))
        further = ", ".join(map(str, decision.plan[len(rules.looks) :]))
        lines += wrapped(
            f"plan: at the first look's sd of {sd:.6f} it takes {wanted:.1f} pairs (at most {rules.most}) "
            "to tell the tolerance from the margin: "
            + (f"further looks at {further}" if further else "no further looks")
        )
    if (rules.alpha_spend, rules.beta_spend) != ((1.0, 1.0), (1.0, 1.0)):
        (alpha, cut), (beta, cut_beta) = rules.alpha_spend, rules.beta_spend
        lines += wrapped(
            f"spend: the looks overlap, and the noise chose their number: together {alpha:.4g} alpha and "
            f"{beta:.4g} beta; {cut:.4g} and {cut_beta:.4g} of a plan cut short"
        )
    return lines


def looks_lines(
    decision: Decision,
    base: Sequence[float],
    head: Sequence[float],
    rules: Rules,
    *,
    step: float,
    counted: str = "pairs",
) -> list[str]:
    """Every look that was taken at the pairs (base[i], head[i]), samples as logs."""
    lines: list[str] = []
    for number, look in enumerate(decision.looks, 1):
        differences = [right - left for left, right in zip(base, head, strict=True)][: look.pairs]
        se = look.sd / math.sqrt(look.pairs)
        share = look.alpha * rules.gatings / rules.alpha
        raised = _raised(statistics.stdev(differences), look.sd)
        alpha = f"alpha·f/m = {rules.alpha:g}·{share:.4g}/{rules.gatings:g} = {look.alpha:.4g}"
        beta = f"beta·f = {rules.beta:g}·{share:.4g} = {look.beta:.4g}"
        lines += [
            "",
            f"look {number}, after {look.pairs} {counted}",
            f"  mean d = {look.estimate:+.6f} ({units.log_percent(look.estimate)})",
            f"  sd = {look.sd:.6f}{raised}",
            f"  se = sd / sqrt({look.pairs}) = {se:.6f}, df = {look.pairs - 1}",
            f"  share f = {share:.4g}: {alpha}",
            f"  {beta}",
            *_tests(_of_look(look, se), rules, step, statistics.fmean(base[: look.pairs])),
        ]
    open_end = decision.verdict is Verdict.INCONCLUSIVE
    if not decision.looks:
        lines += wrapped(f"no look was taken: {decision.reason}")
    elif decision.looks[-1].verdict is None:
        lines.append("  nothing more was measured: inconclusive" if open_end else "  not decided yet")
    return lines


def stored_lines(
    decision: Decision, sessions: Sequence[Sequence[float]], new: Sequence[float], rules: Rules, step: float
) -> list[str]:
    """The random-effects arithmetic of `judge.stored` for samples (logs) of old and new sessions."""
    if decision.se is None:
        return wrapped(f"nothing was tested: {decision.reason}")
    means = np.array([statistics.fmean(session) for session in sessions])
    within = np.asarray(stored.pooled_variance(map(np.asarray, sessions)))
    prediction = stored.predict(means, within, rules, step=step)
    alone = stored.predict(means[:1], within, rules, step=step)
    prior = float(alone.variance) / 2  # s0^2 (1 + 1/1)
    variance, count = np.asarray(statistics.variance(new)), len(new)
    tests = stored.compare(prediction, np.asarray(statistics.fmean(new)), variance, count, rules, step=step)
    number = len(means)
    between = float(means.var(ddof=1)) if number > 1 else 0.0
    between_text = f"{between:.4e}" if number > 1 else "none yet: one session"
    session_lines = (
        f"  {index}. {len(session)} invocations, mean m = {mean:.6f}"
        for index, (session, mean) in enumerate(zip(sessions, means, strict=True), 1)
    )
    spread = float(prediction.variance) / (1 + 1 / number)
    own = max(float(variance), step**2)
    factor = "" if rules.within == 1 else f"{rules.within:g}·"
    alpha = rules.alpha / rules.gatings
    return [
        "",
        f"M = {number}: the baseline's sessions, those less than 6 h apart counted as one",
        *session_lines,
        f"  mean(m) = {float(prediction.mean):.6f}, var(m) = {between_text}",
        f"  variance within sessions, pooled = {float(within):.4e}",
        f"  s0² = max({rules.drift:g}², {factor}within, step²) = {prior:.4e}",
        f"  s² = (4·s0² + (M−1)·var(m)) / (4+M−1) = {spread:.4e}",
        f"  s²·(1 + 1/M) = {float(prediction.variance):.4e}, with {prediction.df} degrees of freedom",
        f"K = {count} new invocations: mean(y) = {statistics.fmean(new):.6f}",
        f"  var(y) = max(var, step²) = {own:.4e}, var(y)/K = {own / count:.4e}",
        f"  se = sqrt(s²·(1 + 1/M) + var(y)/K) = {float(tests.se):.6f}",
        f"  df = {float(tests.df):.3f}, by Welch and Satterthwaite: se⁴ /",
        f"       ((s²·(1 + 1/M))²/{prediction.df} + (var(y)/K)²/{count - 1})",
        f"  mean(y) − mean(m) = {float(tests.estimate):+.6f} ({units.log_percent(float(tests.estimate))})",
        f"  one look: alpha {rules.alpha:g} / m {rules.gatings:g} = {alpha:.4g}, beta {rules.beta:g}",
        *_tests(_of_stored(tests, rules, decision), rules, step, float(prediction.mean)),
        *(["  there is one look only: inconclusive"] if decision.verdict is Verdict.INCONCLUSIVE else []),
    ]


def _of_look(look: Look, se: float) -> _Tested:
    probabilities = look.p_slower, look.p_faster, look.p_equivalent
    return _Tested(look.estimate, se, *probabilities, look.alpha, look.beta, look.verdict)


def _of_stored(tests: Tests, rules: Rules, decision: Decision) -> _Tested:
    probabilities = float(tests.p_slower), float(tests.p_faster), float(tests.p_equivalent)
    verdict = None if decision.verdict is Verdict.INCONCLUSIVE else decision.verdict
    alpha = rules.alpha / rules.gatings
    return _Tested(float(tests.estimate), float(tests.se), *probabilities, alpha, rules.beta, verdict)


def _tests(tested: _Tested, rules: Rules, step: float, level: float) -> list[str]:
    """The three tests as a table, and which of them decided; `level` is base's, as a log."""
    margin, tolerance = _margin(rules, step), math.log1p(rules.tolerance)
    estimate, alpha = tested.estimate, tested.alpha
    rows = [
        ("slower", f"{estimate:+.6f} − {margin:.6f}", estimate - margin, tested.p_slower, alpha),
        ("faster", f"{-estimate:+.6f} − {margin:.6f}", -estimate - margin, tested.p_faster, alpha),
        (
            "unchanged",
            f"{tolerance:.6f} − {abs(estimate):.6f}",
            tolerance - abs(estimate),
            tested.p_equivalent,
            tested.beta,
        ),
    ]
    table = [
        (
            name,
            distance,
            f"{away / tested.se:+.3f}",
            f"{p:.4g} {'≤' if p <= share else '>'} {share:.4g}",
            "yes" if p <= share else "no",
        )
        for name, distance, away, p, share in rows
    ]
    change = math.exp(level) * math.expm1(estimate)
    lines = _indented(
        terminal.columns([("test", "distance", "t = distance/se", "p", "proven"), *table], right={2})
    )
    below_floor = abs(change) < rules.floor
    if rules.floor:
        verdict = "below the floor, is never counted" if below_floor else "above the floor"
        lines.append(f"  change {change / 1e6:+.4f} ms of {math.exp(level) / 1e6:.4f} ms: {verdict}")
    return [*lines, f"  → {_outcome(tested, below_floor=below_floor)}"]


def _outcome(tested: _Tested, *, below_floor: bool) -> str:
    if tested.verdict is Verdict.UNCHANGED:
        why = "a change is below the floor" if below_floor else "slower and faster are not proven"
        return f"unchanged: within the tolerance; {why}"
    if tested.verdict is not None:
        return f"{tested.verdict}: proven, and asked before unchanged"
    if min(tested.p_slower, tested.p_faster) <= tested.alpha:
        return "open: what is proven is less than the absolute floor"
    return "open: none of the three is proven"


def _margin(rules: Rules, step: float) -> float:
    return math.log1p(rules.margin) + step


def _raised(own: float, used: float) -> str:
    return f" (raised to the step from {own:.6f})" if own < used * _FLOORED else ""


def _sample_cells(number: int, invocation: Invocation, metric: str, read: Reader) -> tuple[str, str, str]:
    logarithm = read(invocation)
    return str(number), _level(logarithm, metric), f"{logarithm:.6f}"


def _unit(metric: str) -> str:
    """What heads a column of samples: times are in ms."""
    return " ms" if unit(metric) == "ns" else ""


def _level(logarithm: float, metric: str) -> str:
    value = math.exp(logarithm)
    return f"{value / 1e6:.6f}" if unit(metric) == "ns" else f"{value:,.1f}"


def _split(heads: Sequence[str], rows: Sequence[Sequence[str]], used: int, counted: str) -> list[str]:
    """A table in which the rows after the first `used` took no part in the decision."""
    lines = _indented(terminal.columns([heads, *rows], right={0, *range(2, len(heads))}))
    if used >= len(rows):
        return lines
    after = f"  the decision was made; further {counted}, for the other metrics and the mean:"
    return [*lines[: used + 1], after, *lines[used + 1 :]]


def _indented(lines: Iterable[str]) -> list[str]:
    return ["  " + line for line in lines]
