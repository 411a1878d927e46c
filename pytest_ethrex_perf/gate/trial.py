"""One program against itself for a minute: how a block's metrics vary on this machine, and what they cost."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.counters import choice
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError
from pytest_ethrex_perf.gate.advice import callgrind_seconds
from pytest_ethrex_perf.gate.equipment import Equipment
from pytest_ethrex_perf.gate.launch import Launcher
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.judge.family import MIN_PAIRS
from pytest_ethrex_perf.judge.prospect import Noise
from pytest_ethrex_perf.profile import depth, record
from pytest_ethrex_perf.profile.sampling import Sampling
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.measurement import Pair
from pytest_ethrex_perf.records.metric import EXEC, INSTRUCTIONS, TASK_CLOCK, limits
from pytest_ethrex_perf.replay import command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Invocation, Side

MOST_PAIRS = 60
"""More say hardly more of the sd."""
_TIMED = 0.6  # of the time, where callgrind takes the rest
_COUNTS, _MOST_COUNTS = 3, 6  # invocations under callgrind
_LONG = 2.0  # times the time: then two counts must do
_SHORT_REPEAT = 2  # of the process beside which callgrind counts: its times are used for nothing

By = Literal["clock", "perf", "callgrind"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How one metric varies here, by what it is measured, and what a pair takes with it."""

    noise: Noise
    by: By
    pair_s: float
    counting_s: float = 0.0
    """Of `pair_s`, what callgrind takes."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a minute says of a block on this machine."""

    outlooks: tuple[Outlook, ...]
    """exec first."""
    pairs: int
    counts: int
    """Invocations under callgrind."""
    uncounted: str | None
    """Why callgrind counted nothing; None where it did."""
    took_s: float
    stacks: str | None = None
    """How many of the program's stacks a profile cuts off, or why nobody knows; None without profiles."""


def run(settings: Settings, block: BlockId, seconds: float, say: Callable[[str], None]) -> Trial:
    """Measure `block` for about so many seconds, as the gate does: at least 6 pairs, whatever they take.

    Raises `MeasurementError` and `UsageError` as a run does. `say` hears for whom we wait, and for how long
    where six pairs take more than that.
    """
    equipment = Equipment(replace(settings, counters="auto", events=()), say=say)
    equipment.programs.build()
    if not block.workload:  # it may have to be made, which has to have the machine to itself
        equipment.cache(block)
    label = f"ethrex-perf doctor in {settings.cwd.name}"
    with lock.measuring(label, timeout=settings.lock_timeout, waiting=say):
        return _measured(equipment, block, seconds, say)


def _measured(equipment: Equipment, block: BlockId, seconds: float, say: Callable[[str], None]) -> Trial:
    began = time.monotonic()
    asked = equipment.settings.block(block)
    launch = Launcher(equipment, equipment.counters())
    callgrind: choice.Chosen | str = _callgrind(equipment)
    if asked.repeat == AUTO:
        chosen = launch.pilot(block, asked.drop)
        say(f"{block}: {chosen}")
        repeat = chosen.repeats
    else:
        repeat = asked.repeat
    until = began + (seconds if isinstance(callgrind, str) else _TIMED * seconds)
    pairs = list(_pairs(launch, equipment, block, repeat, until, say))
    counted: list[Invocation] = []
    uncounted = callgrind if isinstance(callgrind, str) else None
    expected_s = 2 * callgrind_seconds([pair.head for pair in pairs])
    if not isinstance(callgrind, str) and expected_s > _LONG * seconds:
        uncounted = f"two counts take {units.clock(expected_s)}, about: give it time with --for"
    elif not isinstance(callgrind, str):
        try:
            counted = list(_counts(Launcher(equipment, callgrind), equipment, block, began, seconds))
        except MeasurementError as error:  # such as an instruction that valgrind does not know
            uncounted = str(error)
    outlooks = [_of_pairs(pairs, metric, _rules(equipment, block, metric), asked.drop) for metric in _METRICS]
    outlooks.append(_of_counts(counted, asked.drop, equipment.settings.alpha, _pair_s(pairs)))
    return Trial(
        outlooks=tuple(outlook for outlook in outlooks if outlook is not None),
        pairs=len(pairs),
        counts=len(counted),
        uncounted=uncounted,
        took_s=time.monotonic() - began,
        stacks=_stacks(equipment, block),
    )


def _stacks(equipment: Equipment, block: BlockId) -> str | None:
    """How many of the program's own stacks are cut off, by a short recording; None without profiles."""
    settings = equipment.settings
    if settings.profile == "off":
        return None
    try:
        recorder = record.Recorder(
            record.find(command.child_environment(settings.environ)),
            block,
            cache_dir=equipment.cache_dir,
            environ=settings.environ,
            log_dir=settings.log_dir,
            secrets=equipment.secrets,
        )
        trials = recorder.trials(equipment.head, lambda: Sampling(settings.profile_frames))
    except MeasurementError as error:
        return f"not recorded: {error}"
    if not trials:
        return None
    best = depth.best(trials)
    kib = round(best.stack_bytes / 1024)
    if not best.samples:
        return "not known: no sample was taken, the block is very short"
    return f"{units.percent(best.cut)} of {best.samples:,} were cut off, with {kib} KiB of each"


_METRICS = (EXEC, TASK_CLOCK, INSTRUCTIONS)


def _callgrind(equipment: Equipment) -> choice.Chosen | str:
    """Callgrind, or why it can't count."""
    try:
        return choice.choose("callgrind", equipment.settings.environ)
    except EthrexPerfError as error:
        return str(error).removeprefix("--ethrex-counters callgrind: ")


def _pairs(
    launch: Launcher,
    equipment: Equipment,
    block: BlockId,
    repeat: int,
    until: float,
    say: Callable[[str], None],
) -> Iterator[Pair]:
    """Pairs of head with itself, in the gate's order, until then; 6 at least."""
    began = time.monotonic()
    for index in range(MOST_PAIRS):
        if index == 1:
            fewest_s = MIN_PAIRS * (time.monotonic() - began)
            if began + fewest_s > until:
                say(f"{MIN_PAIRS} pairs, the fewest that say anything, take about {units.clock(fewest_s)}")
        if index >= MIN_PAIRS and time.monotonic() >= until:
            return
        one, other = (
            launch(equipment.head, block, repeat=repeat, label=f"doctor-{index + 1:03}", turn=index)
            for _ in range(2)
        )
        first: Side = "head" if index % 2 else "base"
        yield (
            Pair(first=first, base=one, head=other)
            if first == "base"
            else Pair(first=first, base=other, head=one)
        )


def _counts(
    launch: Launcher, equipment: Equipment, block: BlockId, began: float, seconds: float
) -> Iterator[Invocation]:
    """Invocations that callgrind counts: three, and more while there is time; two where they take long."""
    for index in range(_MOST_COUNTS):
        spent = time.monotonic() - began
        if (index >= _COUNTS and spent >= seconds) or (index + 1 >= _COUNTS and spent >= _LONG * seconds):
            return
        yield launch(
            equipment.head, block, repeat=_SHORT_REPEAT, label=f"doctor-count-{index + 1:03}", turn=index
        )


def _rules(equipment: Equipment, block: BlockId, metric: str) -> Rules:
    """By what one such block alone would be judged."""
    settings = equipment.settings
    return Rules(alpha=settings.alpha, **settings.limits(block, metric)._asdict())


def _pair_s(pairs: Sequence[Pair]) -> float:
    return statistics.fmean((pair.base.wall_ns + pair.head.wall_ns) / 1e9 for pair in pairs)


def _of_pairs(pairs: Sequence[Pair], metric: str, rules: Rules, drop: int) -> Outlook | None:
    """How `metric` varies from pair to pair; None where perf does not count it here."""
    base, head = [pair.base for pair in pairs], [pair.head for pair in pairs]
    try:
        left, right = (samples.of(side, metric, drop) for side in (base, head))
        step = samples.step((*base, *head), metric)
    except MeasurementError:
        return None
    level = math.exp(statistics.fmean((*left, *right)))
    noise = Noise.of_pairs(metric, rules, left, right, step=step, level=level)
    return Outlook(noise, "clock" if metric == EXEC else "perf", _pair_s(pairs))


def _of_counts(counted: Sequence[Invocation], drop: int, alpha: float, pair_s: float) -> Outlook | None:
    """How callgrind's instructions vary; two of them differ by sqrt(2) times what one varies by."""
    if len(counted) <= 1:
        return None
    try:
        logs, step = samples.of(counted, INSTRUCTIONS, drop), samples.step(counted, INSTRUCTIONS)
    except MeasurementError:
        return None
    sd = max(math.sqrt(2) * statistics.stdev(logs), step)
    rules = Rules(alpha=alpha, **limits(INSTRUCTIONS, callgrind=True)._asdict())
    counting_s = 2 * statistics.fmean(invocation.counting_ns / 1e9 for invocation in counted)
    noise = Noise(INSTRUCTIONS, rules, sd, len(counted) - 1, step, math.exp(statistics.fmean(logs)))
    return Outlook(noise, "callgrind", pair_s + counting_s, counting_s)
