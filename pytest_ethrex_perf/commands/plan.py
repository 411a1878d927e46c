"""`ethrex-perf plan`: what it takes to see an effect on a machine, from what was measured there before."""

from __future__ import annotations

import math
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.commands import limits
from pytest_ethrex_perf.config.parsers import probability, whole
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records import regular_file, units
from pytest_ethrex_perf.records.metric import DEFAULT, TIMES, unit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.measurement import Invocation, StoredSession
    from pytest_ethrex_perf.records.result import BlockResult, RunResult

_MORE_SESSIONS = (5, 8)  # what a stored comparison would be worth with so many
_HALVINGS = 20  # of the interval in which the sd that would do is looked for: to a millionth of it
_ENOUGH = 2  # values have a standard deviation


@dataclass(frozen=True)
class Noise:
    """What a file tells of one metric of one block on its machine; samples and their sd are logs."""

    block: str
    metric: str
    rules: Rules | None
    """Those by which the file judged it."""
    sd: float
    """Of the pair ratio."""
    df: int
    """Degrees of freedom of `sd`."""
    origin: str
    """What `sd` was found from."""
    level: float
    """Typical value in the metric's unit."""
    step: float
    """Resolution of a sample."""
    pair_s: float
    """Wall time of a pair: two invocations."""
    sessions: tuple[tuple[float, ...], ...] = ()
    """Samples of a stored baseline's sessions, where the file holds some."""
    callgrind: bool = False
    """Callgrind counted it."""


@dataclass(frozen=True)
class Unknown:
    """A block and metric of which the noise is not known."""

    reason: str
    """Which, and why: one clause."""


@dataclass(frozen=True)
class Goal:
    """What is asked for: an effect (fraction) seen with a power, in a run over so many blocks."""

    effect: float
    power: float
    blocks: int
    gatings: float
    """m of an interleaved run, which judges the mean over blocks too from four blocks on."""
    gatings_stored: float


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `plan`; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = "say beforehand how many pairs, and minutes, it takes to see an effect on the machine of a file"
    parser = subparsers.add_parser("plan", help=text, description=text)
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a results file of --ethrex-json, or a baseline"
    )
    for name, default, help_ in (
        ("effect", "3%", "the slowdown that is to be seen"),
        ("power", "90%", "the probability with which it is to be seen"),
    ):
        parser.add_argument(
            f"--{name}", default=default, metavar="FRACTION", help=f"{help_} (default: {default}%)"
        )
    blocks = "blocks of the planned run, which share the risk of a false alarm (default: as many as in FILE)"
    parser.add_argument("--blocks", metavar="N", help=blocks)
    limits.add_options(parser)
    parser.set_defaults(run=_plan)


def _plan(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.baseline.schema import BaselineError
    from pytest_ethrex_perf.judge import family

    given = limits.given(args)
    try:
        machine, measured = read(args.file, given.get("metrics"))
    except BaselineError:
        raise
    except (ValueError, MeasurementError) as error:  # what nobody can have measured, or can judge
        raise UsageError(f"{args.file}: {error}") from None
    noises = [each for each in measured if isinstance(each, Noise)]
    unknown = [each.reason for each in measured if isinstance(each, Unknown)]
    if not noises:
        why = "; ".join(unknown) or "nothing was measured"
        raise UsageError(f"{args.file}: how much its machine's times vary is not known: {why}")
    names = {noise.block for noise in noises}
    blocks = _read(whole(1), args.blocks, "--blocks") if args.blocks is not None else len(names)
    metrics = len({noise.metric for noise in noises})
    means = metrics if blocks >= family.MIN_BLOCKS_FOR_MEAN else 0
    goal = Goal(
        effect=_read(probability, args.effect, "--effect"),
        power=_read(_power, args.power, "--power"),
        blocks=blocks,
        gatings=family.gatings(blocks * metrics, means).block,
        gatings_stored=float(blocks * metrics),
    )
    planned: dict[str, float] = {}
    _say(f"{args.file}: {machine}")
    family_size = f"{_count(blocks, 'block')}, {_count(metrics, 'metric')}"
    shared = f": {goal.gatings:g} comparisons share the risk of a false alarm" if goal.gatings > 1 else ""
    _say(f"planned for {family_size}{shared}")
    for noise in noises:
        rules = limits.rules(
            given,
            noise.rules,
            goal.gatings,
            metric=noise.metric,
            name=f"{noise.block} {noise.metric}",
            callgrind=noise.callgrind,
        )
        seconds = _tell(noise, rules, goal)
        planned[noise.block] = max(planned.get(noise.block, 0.0), seconds)
    if blocks > 1:
        total = statistics.fmean(planned.values()) * blocks
        sentence = "no plan for some, see above" if math.isinf(total) else f"about {_time(total)}"
        _say(f"\nall {blocks} blocks: {sentence}")
    for why in unknown:
        _say(f"left out: {why}")
    return 0


def _read(parse: Callable[[object], Any], value: object, option: str) -> Any:
    try:
        return parse(value)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{option}: {value!r} is not a value of it: {error}") from None


def _power(value: object) -> float:
    """`90%` or `0.9`."""
    text = str(value).strip()
    power = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < power < 1:
        raise ValueError("write a probability like 90%, above 0 and below 100%")
    return power


# --- what the file says -------------------------------------------------------------------------------------


def read(file: Path, metrics: Sequence[str] | None) -> tuple[str, list[Noise | Unknown]]:
    """The machine of a results file or baseline, and the noise of its blocks, or why it is not known.

    `metrics` None: those that were judged, exec if none. Raises `UsageError`, and `BaselineError` for a
    baseline that is broken.
    """
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.history import main_metric
    from pytest_ethrex_perf.records import results_file

    if _is_baseline(file):
        baseline = store.load(file)
        wanted = metrics or (main_metric(baseline),)
        return baseline.machine, [_of_baseline(baseline, metric) for metric in wanted]
    run = results_file.load(file)
    return run.machine, list(_of_run(run, metrics))


def _is_baseline(file: Path) -> bool:
    try:
        return b'"epochs"' in regular_file.content(file)
    except OSError:
        return False  # the reader of results files says what is wrong


def _of_baseline(baseline: Baseline, metric: str) -> Noise | Unknown:
    sessions = baseline.raw(baseline.epoch.recent)
    return _of_sessions(str(baseline.block_id), metric, sessions, samples.DROP, None)


def _of_run(run: RunResult, metrics: Sequence[str] | None) -> Iterator[Noise | Unknown]:
    for block in run.blocks:
        judged = limits.judged(block)
        for metric in metrics or tuple(judged) or (DEFAULT,):
            rules = judged.get(metric)
            if block.mode == "interleaved":
                yield _of_pairs(block, metric, rules)
            else:
                sessions = _sessions(block, run, metric)
                yield _of_sessions(block.block, metric, sessions, block.drop, rules)


def _sessions(block: BlockResult, run: RunResult, metric: str) -> tuple[StoredSession, ...]:
    """The sessions of the stored baseline; without one, what the run itself has measured is the first."""
    from pytest_ethrex_perf.records.measurement import StoredSession

    times = metric in TIMES or run.counted_on is None
    own = StoredSession(
        id="", started=run.started, program_sha256="", times=times, invocations=block.invocations
    )
    return block.baseline or ((own,) if block.invocations else ())


def _of_pairs(block: BlockResult, metric: str, rules: Rules | None) -> Noise | Unknown:
    pairs = [pair for pair in block.pairs if samples.has(pair.head, metric)]
    if len(pairs) < _ENOUGH:
        why = block.error or block.skipped or f"{len(pairs)} of at least {_ENOUGH} pairs"
        return Unknown(f"{block.block} {metric}: {why}")
    sides = [pair.base for pair in pairs], [pair.head for pair in pairs]
    both = [*sides[0], *sides[1]]
    like = samples.identity(both, metric)
    base, head = (samples.of(side, metric, block.drop) for side in sides)
    return Noise(
        block=block.block,
        metric=metric,
        rules=rules,
        sd=statistics.stdev(right - left for left, right in zip(base, head, strict=True)),
        df=len(base) - 1,
        origin=f"from {len(base)} pairs",
        level=math.exp(statistics.fmean(base)),
        step=samples.step(both, metric),
        pair_s=2 * _wall_s(both),
        sessions=tuple(map(tuple, samples.stored(block.baseline, metric, block.drop, like))),
        callgrind=samples.by_callgrind(both, metric),
    )


def _of_sessions(
    block: str, metric: str, recorded: Sequence[StoredSession], drop: int, rules: Rules | None
) -> Noise | Unknown:
    """Two invocations next to each other differ by at most sqrt(2) times their sd within a session."""
    import numpy as np

    from pytest_ethrex_perf.judge import stored

    like = samples.usual(recorded, metric)
    comparable = [samples.comparable(session, metric, like) for session in recorded]
    sessions = [invocations for invocations in comparable if invocations]
    values = [np.array(samples.of(invocations, metric, drop)) for invocations in sessions]
    df = sum(session.size - 1 for session in values)
    if not df:
        return Unknown(f"{block} {metric}: no session with two invocations")
    invocations = [invocation for session in sessions for invocation in session]
    counts = f"{len(invocations)} invocations within {_count(len(sessions), 'session')}"
    return Noise(
        block=block,
        metric=metric,
        rules=rules,
        sd=math.sqrt(2 * stored.pooled_variance(values)),
        df=df,
        origin=f"sqrt(2) times that of {counts}",
        level=math.exp(statistics.fmean(float(session.mean()) for session in values)),
        step=samples.step(invocations, metric),
        pair_s=2 * _wall_s(invocations),
        sessions=tuple(map(tuple, samples.stored(recorded, metric, drop, like))),
        callgrind=samples.by_callgrind(invocations, metric),
    )


def _wall_s(invocations: Sequence[Invocation]) -> float:
    return statistics.fmean(i.wall_ns + i.counting_ns for i in invocations) / 1e9


# --- what follows from it -----------------------------------------------------------------------------------


def _tell(noise: Noise, rules: Rules, goal: Goal) -> float:
    """Print what it takes to reach the goal; return the seconds it takes, infinite if no plan does."""
    from pytest_ethrex_perf.commands import derivation
    from pytest_ethrex_perf.judge import power

    effect, last = math.log1p(goal.effect), rules.looks[-1]
    sd, uncertain = units.deviation(math.expm1(noise.sd)), units.percent(1 / math.sqrt(2 * noise.df))
    level = units.quantity(noise.level, unit(noise.metric))
    _say(f"\n{noise.block} {noise.metric}, {level}, a pair takes {_time(noise.pair_s)}")
    lines = derivation.wrapped(f"sd of the pair ratio {sd} (itself ± {uncertain}), {noise.origin}", "  ")
    _say("\n".join(lines))
    asked = f"to see +{units.limit(goal.effect)} with {units.limit(goal.power)} power on this machine"
    pairs = power.pairs_needed(effect, noise.sd, rules, goal.power, step=noise.step, level=noise.level)
    if pairs is None:
        _say(f"  {asked}: no plan does")
        for line in _remedies(noise, rules, goal):
            _say(f"    {line}")
    else:
        plan = power.plan_up_to(pairs, rules)
        there, nothing = (
            power.plan_power(true, noise.sd, plan, step=noise.step).mean_pairs for true in (effect, 0.0)
        )
        _say(f"  {asked}: {pairs} pairs, {_time(pairs * noise.pair_s)}")
        _say(f"    on average {there:.0f} pairs if it is there, {nothing:.0f} if nothing changed")
        _say(f"    --ethrex-looks={','.join(map(str, plan.looks))}")
    seen = units.log_percent(_seen(noise, noise.sd, rules, goal))
    _say(f"  the default plan ({last} pairs, {_time(last * noise.pair_s)} at most) sees {seen}")
    for line in _stored(noise, rules, goal):
        _say(f"  {line}")
    return math.inf if pairs is None else pairs * noise.pair_s


def _seen(noise: Noise, sd: float, rules: Rules, goal: Goal) -> float:
    """Effect (log) that the plan of `rules` sees at `sd` with the goal's power."""
    from pytest_ethrex_perf.judge import family, power

    looks = family.spending(rules, rules.looks[-1])
    return power.detectable(looks, sd, rules, step=noise.step, level=noise.level, power=goal.power)


def _remedies(noise: Noise, rules: Rules, goal: Goal) -> Iterator[str]:
    """What would have to change for the goal to be reached."""
    from pytest_ethrex_perf.judge import power

    effect = math.log1p(goal.effect)
    if effect <= math.log1p(rules.margin) + noise.step:
        yield f"it is not above the margin of {units.limit(rules.margin)}, so it never counts as slower:"
        yield "plan for a larger --effect, or set a smaller --margin"
        return
    if noise.level * goal.effect <= rules.floor:
        change, floor = units.duration(noise.level * goal.effect), units.duration(rules.floor)
        yield f"it is {change}, and less than the absolute floor of {floor} never counts:"
        yield "plan for a larger --effect, or set a smaller --floor (ms)"
        return
    if goal.effect < rules.tolerance:
        yield f"it is within the tolerance of {units.limit(rules.tolerance)}: unchanged is often proven first"
        rules = replace(rules, tolerance=goal.effect)
        pairs = power.pairs_needed(effect, noise.sd, rules, goal.power, step=noise.step, level=noise.level)
        if pairs is not None:
            yield f"with --tolerance {100 * goal.effect:g}% it takes {pairs} pairs"
            return
        yield f"and with --tolerance {100 * goal.effect:g}%:"
    longest = power.plan_up_to(power.MAX_PAIRS, rules)
    yield f"even {power.MAX_PAIRS} pairs see only {units.log_percent(_seen(noise, noise.sd, longest, goal))}"
    would_do = (
        f"{units.percent(math.expm1(sd))} for {plan.looks[-1]} pairs"
        for plan in (rules, longest)
        if (sd := _quiet_enough(noise, plan, goal)) > 0
    )
    yield f"a quieter machine: sd of {', '.join(would_do) or '0, and finer times'}"
    margin = power.supported_margin(_seen(noise, noise.sd, rules, goal), rules.margin)
    yield f"or a larger --effect: with {rules.looks[-1]} pairs this machine supports a margin of"
    yield f"{units.percent(math.expm1(margin))}, and sees twice that"


def _quiet_enough(noise: Noise, plan: Rules, goal: Goal) -> float:
    """Largest sd (log) of the pair ratio at which `plan` reaches the goal; 0 if none does."""
    low, high = 0.0, noise.sd
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = _seen(noise, middle, plan, goal) <= math.log1p(goal.effect)
        low, high = (middle, high) if enough else (low, middle)
    return low


def _stored(noise: Noise, rules: Rules, goal: Goal) -> Iterator[str]:
    """What the comparison with the stored sessions alone sees, now and with more of them."""
    from pytest_ethrex_perf.judge import stored

    now = len(noise.sessions)
    if not any(len(session) >= _ENOUGH for session in noise.sessions):
        return
    alone = replace(rules, gatings=goal.gatings_stored)
    yield "the stored comparison alone, without running base again, sees"
    for number in (None, *(more for more in _MORE_SESSIONS if more > now)):
        seen = stored.outlook(
            noise.sessions, alone, sessions=number, step=noise.step, level=noise.level, power=goal.power
        )
        state = "as it is" if number is None else "if days differ as they do so far"
        counts = f"{_count(seen.sessions, 'session')} and {seen.invocations} invocations"
        yield f"  {units.log_percent(seen.detectable)} with {counts}, {state}"
    if now < stored.ENOUGH_SESSIONS:
        yield "  record more on other days: --ethrex-update-baseline"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _time(seconds: float) -> str:
    return units.clock(seconds) if seconds >= 10 else f"{seconds:.2g} s"  # noqa: PLR2004 - whole seconds suffice


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
