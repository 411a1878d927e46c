"""The one command that would most probably decide an inconclusive block here, by what was measured."""

from __future__ import annotations

import math
import shutil
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ethrex_perf.counters import callgrind, probe
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate import reproduce
from pytest_ethrex_perf.judge import looks, power
from pytest_ethrex_perf.judge.family import MIN_PAIRS
from pytest_ethrex_perf.judge.prospect import Noise
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Rules, Verdict
from pytest_ethrex_perf.records.metric import INSTRUCTIONS, TASK_CLOCK, TIMES
from pytest_ethrex_perf.records.result import Advice
from pytest_ethrex_perf.report.verdict import below_floor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.records.measurement import Invocation

LONGEST_S = 1800.0
"""Nobody is advised to measure one block for longer than half an hour."""
_MANY_SWITCHES = 50.0  # involuntary ones in a second of CPU time
_FEWEST_CPUS = 4  # of fewer, none can be set aside
_SLOWER = 50.0  # a program under callgrind, of its CPU time: valgrind runs one thread at a time
_IN_VAIN = ("looks", "patience", "time_budget")
"""Options that end a plan early: a command that is to decide does without them."""


@dataclass(frozen=True, slots=True)
class Situation:
    """An inconclusive gating, and what this machine could do about it."""

    noise: Noise
    """Of the gating, by its own pairs."""
    pairs: int
    """That it was judged by."""
    pair_s: float
    metrics: tuple[str, ...]
    """What is judged of the block."""
    patience_s: float = 0.0
    """What the run had beyond the ordinary plan; 0 where its looks or its time were fixed by hand."""
    beside: tuple[Noise, ...] = ()
    """Of what perf counted in the same pairs, and is not judged."""
    pin: str | None = None
    """Where to pin the program, `4-7`; None where nothing shows that it would help, or it is pinned."""
    switches: float = 0.0
    """Involuntary context switches in a second of CPU time."""
    callgrind_s: float | None = None
    """How long callgrind takes for 6 pairs, about; None where it isn't there, or counts already."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Options to measure with once more, and why these."""

    options: tuple[str, ...]
    reason: str
    without: tuple[str, ...] = _IN_VAIN
    """Options of the run, by name, that are left out."""


def choose(situation: Situation) -> Choice:
    """Return what would most probably decide.

    The first that this machine and half an hour allow: patience (or, where its end was reached, more looks),
    a pin, a sharper metric, a wider tolerance.
    """
    return next(_choices(situation))


def _choices(situation: Situation) -> Iterator[Choice]:
    yield from _patience(situation)
    if situation.pin is not None:
        why = (
            f"threads were taken off a CPU {situation.switches:.0f} times a second"
            if situation.switches > _MANY_SWITCHES
            else "this CPU has several kinds of core"
        )
        option = f"--ethrex-prefix=taskset -c {situation.pin}"
        yield Choice((option,), f"{why}: pinned, they stay where they are", without=("prefix", *_IN_VAIN))
    yield from _sharper(situation)
    yield _wider(situation)


def _patience(situation: Situation) -> Iterator[Choice]:
    """More pairs, where so many can be measured."""
    noise, pair_s = situation.noise, situation.pair_s
    rules = noise.rules
    wanted = noise.pairs_wanted()
    if wanted is None:
        return
    sd, tolerance, margin = _sd(noise), units.limit(rules.tolerance), units.limit(rules.margin)
    if situation.pairs < wanted:
        last = next(look for look in (looks.ORDINARY[-1], *looks.FURTHER) if look >= wanted)
        if last * pair_s <= LONGEST_S:
            beyond_s = (last - looks.ORDINARY[-1]) * pair_s * 1.2
            # a plan that ended within its patience took its first pairs for calmer than all of them were
            option = (
                f"--ethrex-patience={max(math.ceil(beyond_s / 60), 1)}m"
                if beyond_s > situation.patience_s
                else _by_hand(last, rules)
            )
            yield Choice(
                (option,),
                f"sd {sd}: {last} pairs, about {units.clock(last * pair_s)}, tell +{tolerance} from "
                f"+{margin}",
            )
        return
    most = 4 * situation.pairs  # half as wide an interval
    if most * pair_s <= LONGEST_S:
        yield Choice(
            (_by_hand(most, rules),),
            f"sd {sd}, and the change is near +{margin} or +{tolerance}, if not between: {most} pairs, at "
            f"most {units.clock(most * pair_s)}, tell half as much",
        )


def _by_hand(pairs: int, rules: Rules) -> str:
    """The option for a plan that measures so many pairs, whatever its first pairs say."""
    return f"--ethrex-looks={','.join(map(str, power.plan_up_to(pairs, rules).looks))}"


def _sharper(situation: Situation) -> Iterator[Choice]:
    """Another metric, that the same pairs show to vary less, or that callgrind counts."""
    for noise in situation.beside:
        wanted = noise.pairs_wanted()
        if wanted is not None and wanted * situation.pair_s <= LONGEST_S:
            metrics = ",".join((*situation.metrics, noise.metric))
            yield Choice(
                (f"--ethrex-metrics={metrics}",),
                f"the sd of {situation.noise.metric} is {_sd(situation.noise)}, that of {noise.metric} "
                f"{_sd(noise)}: {wanted} pairs, about {units.clock(wanted * situation.pair_s)}, decide by it",
                without=("metrics", *_IN_VAIN),
            )
    if situation.callgrind_s is not None and situation.callgrind_s <= LONGEST_S:
        metrics = ",".join(dict.fromkeys((*situation.metrics, INSTRUCTIONS)))
        limit = f"{looks.MOST} pairs" if situation.noise.pairs_wanted() is None else "half an hour"
        yield Choice(
            ("--ethrex-counters=callgrind", f"--ethrex-metrics={metrics}"),
            f"sd {_sd(situation.noise)}: too much for {limit}; callgrind counts instructions (not "
            f"time), which hardly vary: about {units.clock(situation.callgrind_s)} for {MIN_PAIRS} pairs",
            without=("counters", "metrics", *_IN_VAIN),
        )


def _wider(situation: Situation) -> Choice:
    """The tolerance that half an hour supports; it is always there."""
    noise = situation.noise
    pairs = min(looks.MOST, max(looks.ORDINARY[-1], int(LONGEST_S / situation.pair_s)))
    tolerance = rounded_up(noise.tolerance(pairs))
    minutes = max(1, math.ceil((pairs - looks.ORDINARY[-1]) * situation.pair_s / 60))
    return Choice(
        (f"--ethrex-tolerance={tolerance:g}%", f"--ethrex-patience={minutes}m"),
        f"sd {_sd(noise)}: {pairs} pairs, about {units.clock(pairs * situation.pair_s)}, tell no less than "
        f"+{tolerance:g} % from +{units.limit(noise.rules.margin)}",
        without=("tolerance", *_IN_VAIN),
    )


def rounded_up(tolerance: float) -> float:
    """Return a tolerance (a fraction) in percent, up to the next half."""
    return math.ceil(200 * tolerance - 1e-9) / 2


def _sd(noise: Noise) -> str:
    return units.percent(math.expm1(noise.sd))


# --- what was measured --------------------------------------------------------------------------------------


def of(block: Block, settings: Settings) -> Advice | None:
    """Return the advice on a block that ended inconclusive, for its first such metric; else None.

    What is below the floor is decided: there is nothing to advise.

    Against stored sessions alone there is none: what they lack is sessions of other days, which a note says.
    """
    if block.error is not None or block.plan.mode != "interleaved":
        return None
    for gating, decision in block.decisions.items():
        if below_floor(decision, block.rules[gating]):
            continue
        if decision.verdict is Verdict.INCONCLUSIVE and block.pairs:
            chosen = (
                _longer(block)
                if len(block.pairs) < MIN_PAIRS
                else choose(_situation(block, settings, gating.metric, block.rules[gating], decision.pairs))
            )
            command = reproduce.command(settings, block.request, *chosen.options, without=chosen.without)
            return Advice(command=command, reason=chosen.reason)
    return None


def _longer(block: Block) -> Choice:
    """Without the time budget that ended it before the fewest pairs that decide anything."""
    least = units.clock(MIN_PAIRS * block.seconds_a_turn)
    return Choice((), f"{MIN_PAIRS} pairs, the fewest that decide anything, take about {least}")


def _situation(block: Block, settings: Settings, metric: str, rules: Rules, pairs: int) -> Situation:
    both = [*block.side("base"), *block.side("head")]
    judged = tuple(gating.metric for gating in block.rules)
    timed_s = statistics.fmean(i.wall_ns / 1e9 for i in both)
    counting_s = statistics.fmean(i.counting_ns / 1e9 for i in both) if metric not in TIMES else 0.0
    cpu_s = sum(i.usage.cpu_ns for i in both) / 1e9
    switches = sum(i.usage.involuntary_switches for i in both) / cpu_s if cpu_s else 0.0
    beside = (
        _noise(block, name, replace(rules, **settings.limits(block.id, name)._asdict()))
        for name in (TASK_CLOCK, INSTRUCTIONS)
        if name not in judged
    )
    return Situation(
        noise=_noise(block, metric, rules) or Noise(metric, rules, 1.0, 1),
        pairs=pairs,
        pair_s=2 * (timed_s + counting_s),
        metrics=judged,
        patience_s=0.0 if settings.looks or settings.time_budget else settings.patience,
        beside=tuple(noise for noise in beside if noise is not None),
        pin=None if settings.prefix else _pin(block, switches),
        switches=switches,
        callgrind_s=_callgrind_s(both, settings, judged),
    )


def _noise(block: Block, metric: str, rules: Rules) -> Noise | None:
    """How `metric` varies by the pairs of `block`; None where it was not counted in all of them."""
    material = block.material
    try:
        base, head = material.samples("base", metric), material.samples("head", metric)
        step = material.step(metric)
    except MeasurementError:
        return None
    if len(base) != len(head) or len(base) < MIN_PAIRS:
        return None
    return Noise.of_pairs(metric, rules, base, head, step=step, level=math.exp(statistics.fmean(base)))


def _pin(block: Block, switches: float) -> str | None:
    """The CPUs to pin to, where something measured says that threads move."""
    large = probe.core_cpus()
    if large is not None:
        return large
    cpus = block.plan.cpus
    if cpus < _FEWEST_CPUS or switches <= _MANY_SWITCHES:
        return None
    return f"{cpus // 2}-{cpus - 1}"


def _callgrind_s(both: Sequence[Invocation], settings: Settings, judged: Sequence[str]) -> float | None:
    """Seconds of callgrind for 6 pairs; None where it isn't there, or counts already."""
    if settings.counters == "callgrind" or INSTRUCTIONS in judged:
        return None
    if shutil.which("valgrind", path=settings.environ.get("PATH")) is None:
        return None
    return 2 * MIN_PAIRS * callgrind_seconds(both)


def callgrind_seconds(timed: Sequence[Invocation]) -> float:
    """Seconds that callgrind takes, about, to count one invocation of what was `timed` without it.

    50 times the CPU time of its repeats, and of one more for loading; longer on a loaded machine, where the
    `timed` had to wait for a CPU, too.
    """
    repeat_s = statistics.fmean(max(i.usage.cpu_ns, i.wall_ns) / len(i.exec_ns) for i in timed) / 1e9
    return _SLOWER * repeat_s * (callgrind.REPEATS + 1)
