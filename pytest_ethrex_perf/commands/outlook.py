"""What `ethrex-perf doctor --ethrex-block` says: what is seen here in how many minutes, and what to set."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import CONFIG_NAME
from pytest_ethrex_perf.gate.advice import rounded_up
from pytest_ethrex_perf.judge import looks
from pytest_ethrex_perf.judge.family import MIN_PAIRS
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import EXEC, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.gate.trial import Outlook, Trial
    from pytest_ethrex_perf.judge.prospect import Noise

PAIRS = (24, 120, 270)
"""For which it is said what they see."""
PATIENCE_S = 600.0
"""What a CI has beyond the ordinary plan: the option's default."""
_CELLS = 80
_NAMES = {"clock": "the clock", "perf": "perf", "callgrind": "callgrind"}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One set of options."""

    lines: tuple[str, ...]
    """For ethrex-perf.toml."""
    reason: str


def text(trial: Trial) -> Iterator[str]:
    """What is seen by each metric, and the recommendation; lines of at most 80 cells."""
    yield "a slowdown is seen with 90 % power, where this block alone is gated, by"
    for outlook in trial.outlooks:
        yield from _seen(outlook)
    if trial.uncounted is not None and all(each.by != "callgrind" for each in trial.outlooks):
        yield f"  callgrind: not counted: {trial.uncounted}"
    yield "(few pairs know their sd badly: what is seen is for the sd's upper bound, 90 %)"
    if trial.stacks is not None:
        yield from textwrap.wrap(f"stacks of its profiles: {trial.stacks}", _CELLS, subsequent_indent="  ")
    chosen = recommend(trial.outlooks)
    yield ""
    yield from textwrap.wrap(f"recommended here: {chosen.reason}", _CELLS)
    yield f"in {CONFIG_NAME}:"
    yield from (f"    {line}".rstrip() for line in chosen.lines)


def _seen(outlook: Outlook) -> Iterator[str]:
    noise = outlook.noise
    about = "" if noise.metric == EXEC else f" ({named(noise.metric).counted_as})"
    yield f"  {noise.metric} by {_NAMES[outlook.by]}{about}"
    sd, most = (units.deviation(math.expm1(value)) for value in (noise.sd, noise.sd_at_most))
    of = "counts" if outlook.by == "callgrind" else "pairs"
    yield f"    sd of a pair {sd}, at most {most}, from {noise.df + 1} {of}"
    if outlook.by == "perf":
        yield "    it costs no time: perf counts beside the clock"
    if outlook.counting_s:
        costs, first = units.clock(outlook.counting_s), units.clock(MIN_PAIRS * outlook.pair_s)
        yield f"    counting takes {costs} a pair; {MIN_PAIRS} pairs, the first look, take {first}"
    rows = [
        (f"{pairs} pairs", units.clock(pairs * outlook.pair_s), units.log_percent(noise.detectable(pairs)))
        for pairs in (PAIRS[:1] if outlook.counting_s else PAIRS)
    ]
    for pairs, takes, seen in rows:
        yield f"    {pairs:>9}  {takes:>14}  {seen}"
    floor, level = noise.rules.floor, noise.level
    if level is not None and floor > noise.rules.margin * level:
        share = units.log_percent(math.log1p(floor / level))
        yield f"    the absolute floor, {units.duration(floor)}, is {share}: less is never a regression"


def recommend(outlooks: Sequence[Outlook]) -> Recommendation:
    """Return the options that see most in the time that a CI has; exec is always gated.

    Where the clock tells exec's tolerance from its margin in that time, by the upper bound of its sd, it is
    enough. Else exec has the tolerance that it supports, and the metric that sees least is gated beside it.
    """
    clock = next(outlook for outlook in outlooks if outlook.noise.metric == EXEC)
    pairs = _pairs_in_time(clock)
    sure = _at_most(clock)
    tolerance = rounded_up(sure.tolerance(pairs))
    plain = ('on_inconclusive = "fail"', f'patience = "{PATIENCE_S / 60:g}m"')
    minutes = units.clock(pairs * clock.pair_s)
    if sure.tolerance(pairs) <= clock.noise.rules.tolerance:
        seen = units.log_percent(clock.noise.detectable(pairs))
        return Recommendation(
            (f'metrics = ["{EXEC}"]', *plain),
            f"the clock sees {seen} in {minutes} at most",
        )
    limits = ("", f"[metric.{EXEC}]", f'tolerance = "{tolerance:g}%"')
    wider = f"in {minutes} at most the clock supports a tolerance of {tolerance:g} %"
    sharper = min(
        (outlook for outlook in outlooks if outlook is not clock and _decides(outlook)),
        key=_in_time,
        default=None,
    )
    if sharper is None:
        return Recommendation((f'metrics = ["{EXEC}"]', *plain, *limits), wider)
    metric = sharper.noise.metric
    counters = ('counters = "callgrind"',) if sharper.by == "callgrind" else ()
    seen = units.log_percent(_in_time(sharper))
    return Recommendation(
        (f'metrics = ["{EXEC}", "{metric}"]', *counters, *plain, *limits),
        f"{wider}, {metric} sees {seen}",
    )


def _pairs_in_time(outlook: Outlook) -> int:
    """Return the last look that the ordinary plan and patience reach."""
    beyond = looks.ORDINARY[-1] + PATIENCE_S / outlook.pair_s
    return max(look for look in (looks.ORDINARY[-1], *looks.FURTHER) if look <= beyond)


def _in_time(outlook: Outlook) -> float:
    """Return the smallest slowdown (log) that is seen in that time, or by the ordinary plan."""
    plans = (looks.ORDINARY[-1], _pairs_in_time(outlook))
    return min(outlook.noise.detectable(pairs) for pairs in plans)


def _at_most(outlook: Outlook) -> Noise:
    return replace(outlook.noise, sd=outlook.noise.sd_at_most)


def _decides(outlook: Outlook) -> bool:
    """Whether it tells its tolerance from its margin in time; callgrind's first look must be in it, too."""
    wanted = _at_most(outlook).pairs_wanted()
    if wanted is None or wanted > _pairs_in_time(outlook):
        return False
    return not outlook.counting_s or MIN_PAIRS * outlook.pair_s <= PATIENCE_S
