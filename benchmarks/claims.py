"""What the gate is held to. A claim passes only when the trials prove it.

"At most 1 %" passes when the exact (Clopper-Pearson) one-sided 95 % upper bound of the rate is at most 1 %,
"at least 90 %" when the lower bound is at least 90 %: too few trials fail. Other tools get the benefit of the
doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmarks.duel import Duel, Runs, at_power, duels
from benchmarks.mutants import SD, THE_GATE
from benchmarks.plans import ORDINARY, PATIENT, Measured
from benchmarks.trials import LIMITS, MARGIN, Curve, Interleaved, Point, Rate, Stored, percent
from pytest_ethrex_perf.records.decision import Rules

POWER_EFFECT = 0.03
POWER_LIMIT = 0.96
SEEN = 0.90
"""How often another tool must see +3 % to be compared with."""
REPEATS_LIMIT = 140.0
POWER_SCENARIO = "typical"
TARGETS = (
    ("very noisy", 0.03, 0.85),
    ("recorded null_85ef3d33", 0.03, 0.80),
    ("recorded null_85ef3d33", 0.05, 0.99),
    ("recorded aa_1", 0.05, 0.95),
)
"""How often a true effect must be seen at up to 120 pairs."""
HOPELESS = "recorded aa_1"
INCONCLUSIVE_LIMIT = 0.20
"""Of sessions there in which nothing changed."""
EARLY = 7.0
"""Mean pairs below which sessions end at the first look or the second: no verdict takes fewer than 6."""
AHEAD = 0.92
"""The power at which reth's rule was ahead of the plan before: +3 % on typical noise."""

RivalCurves = Mapping[str, Mapping[tuple[str, int], Curve]]
"""From a scenario's name to what each (tool, invocations) did in it."""


class Claim(NamedTuple):
    """One thing that must hold. Too few trials leave it neither proven nor refuted."""

    holds: bool
    """The trials prove it."""
    refuted: bool
    """The trials prove the opposite."""
    text: str


class Cheaper(NamedTuple):
    """Another tool's rule that beats the gate at one effect in one scenario."""

    scenario: str
    effect: float
    tool: str
    invocations: int
    theirs: Point
    gates: Point
    elsewhere: str | None
    """Where the same rule breaks the limits on false alarms, None if nowhere."""


def false_alarms(evidence: Iterable[Interleaved]) -> Iterator[Claim]:
    """Claim that few sessions of any size, in any scenario, report a regression where there is none."""
    for one in evidence:
        for (blocks, effect), rate in one.families.items():
            yield _at_most(rate, effect, f"{one.scenario.name}, {count(blocks, 'block')}")


def stored_false_alarms(evidence: Iterable[Stored]) -> Iterator[Claim]:
    """Claim the same of a stored baseline, whatever the number of its sessions."""
    for one in evidence:
        for (sessions, blocks, effect), rate in one.families.items():
            where = f"{one.machine.name}, {count(sessions, 'stored session')}, {count(blocks, 'block')}"
            yield _at_most(rate, effect, where)


def power(evidence: Iterable[Interleaved]) -> Iterator[Claim]:
    """Claim that +3 % on typical noise is seen, at the price named, and not bought with false alarms."""
    (one,) = (one for one in evidence if one.scenario.name == POWER_SCENARIO)
    point = one.curve[POWER_EFFECT]
    yield Claim(
        point.slower.at_least >= POWER_LIMIT,
        point.slower.at_most < POWER_LIMIT,
        f"typical, a true +3 %: seen in {percent(point.slower.value)} "
        f"(at least {percent(point.slower.at_least)}; required {percent(POWER_LIMIT)})",
    )
    yield Claim(
        point.repeats <= REPEATS_LIMIT,
        point.repeats > REPEATS_LIMIT,
        f"typical, a true +3 %: {point.repeats:.0f} repeats a side on average (allowed {REPEATS_LIMIT:.0f})",
    )
    for effect in LIMITS:
        yield _at_most(one.curve[effect].slower, effect, "typical, the same trials")


def targets(measured: Iterable[Measured]) -> Iterator[Claim]:
    """Claim that noisier machines see what patience is for, and mostly prove that nothing changed."""
    curves = {one.interleaved.scenario.name: one.curves[PATIENT.name] for one in measured}
    for scenario, effect, limit in TARGETS:
        seen = curves[scenario][effect].slower
        yield Claim(
            seen.at_least >= limit,
            seen.at_most < limit,
            f"{scenario}, a true +{100 * effect:.0f} %, up to 120 pairs: seen in {percent(seen.value)} "
            f"(at least {percent(seen.at_least)}; required {percent(limit)})",
        )
    point = curves[HOPELESS][0.0]
    undecided = point.inconclusive or Rate(0, 1)
    yield Claim(
        undecided.at_most <= INCONCLUSIVE_LIMIT,
        undecided.at_least > INCONCLUSIVE_LIMIT,
        f"{HOPELESS}, nothing changed, up to 120 pairs: inconclusive in {percent(undecided.value)} "
        f"(at most {percent(undecided.at_most)}; allowed {percent(INCONCLUSIVE_LIMIT)})",
    )


def longer_alarms(measured: Iterable[Measured]) -> Iterator[Claim]:
    """Claim that plans which go on for longer raise no more false alarms."""
    for one in measured:
        for (plan, blocks, effect), rate in one.longer.items():
            where = f"{one.interleaved.scenario.name}, {plan}, {count(blocks, 'block')}"
            yield _at_most(rate, effect, where)


def cut_alarms(measured: Iterable[Measured]) -> Iterator[Claim]:
    """Claim the same of a plan that time ends, after whatever number of pairs."""
    for one in measured:
        name = one.interleaved.scenario.name
        for pairs, curve in one.cuts.items():
            for effect in LIMITS:
                yield _at_most(curve[effect].slower, effect, f"{name}, cut after {pairs} pairs, 1 block")
        for (pairs, blocks, effect), rate in one.cut_families.items():
            yield _at_most(rate, effect, f"{name}, cut after {pairs} pairs, {blocks} blocks")


def level(wrong: Mapping[str, Rate]) -> Iterator[Claim]:
    """Claim that the gate keeps alpha at the margin itself, and that the proof would notice if it did not."""
    alpha = Rules().alpha
    for name, rate in wrong.items():
        kept = (rate.at_most <= alpha, rate.at_least > alpha)
        holds, refuted = kept if name == THE_GATE else kept[::-1]
        bounds = (
            f"at least {percent(rate.at_least)}, at most {percent(rate.at_most)}; alpha is {percent(alpha)}"
        )
        yield Claim(
            holds,
            refuted,
            f"{name}, normal noise with an sd of {percent(SD)}, a true +1 %: {percent(rate.value)} false "
            f"regressions in {rate.trials:,} ({bounds}; {'allowed' if name == THE_GATE else 'must exceed'} "
            f"{percent(alpha)})",
        )


def beats_reth(measured: Iterable[Measured], reth: Mapping[str, Runs]) -> Iterator[Claim]:
    """Claim that the gate is ahead of reth's rule: at 92 % power for +3 % on typical noise, in fewer repeats.

    With no more false alarms at 0 and +1 %, as far as the trials can tell. And on every noise, +3 %, +5 % and
    +8 % are seen as often in less time than it takes reth's rule within the limits on false alarms, or in the
    first pairs: there, the gate is as fast as it can be.
    """
    found = list(measured)
    (typical,) = (one for one in found if one.interleaved.scenario.name == POWER_SCENARIO)
    theirs = at_power(reth[POWER_SCENARIO], POWER_EFFECT, AHEAD)
    ours = typical.curves[ORDINARY.name]
    as_careful = all(ours[at].slower.value <= theirs[at].slower.at_most for at in LIMITS)
    cheaper = ours[POWER_EFFECT].repeats < theirs[POWER_EFFECT].repeats
    alarms = " and ".join(percent(ours[at].slower.value) for at in LIMITS)
    their_alarms = " and ".join(percent(theirs[at].slower.value) for at in LIMITS)
    seen = ours[POWER_EFFECT].slower
    yield Claim(
        seen.at_least >= AHEAD and cheaper and as_careful,
        seen.at_most < AHEAD or not cheaper or not as_careful,
        f"typical, +3 % seen in {percent(AHEAD)} or more: 24 pairs at most take "
        f"{ours[POWER_EFFECT].repeats:.0f} repeats a side ({percent(seen.value)}, wrong in "
        f"{alarms} at 0 and +1 %), reth's rule {theirs[POWER_EFFECT].repeats:.0f} "
        f"({percent(theirs[POWER_EFFECT].slower.value)}, wrong in {their_alarms})",
    )
    for one in duels(found, reth):
        if one.effect >= POWER_EFFECT:
            holds = one.is_won or one.gate.invocations < EARLY
            yield Claim(holds, not holds, duel_in_words(one))


def duel_in_words(one: Duel) -> str:
    """Say what the same power costs: `typical, +3 % in 96.8 %: the gate 52 s, reth's rule 74 s`."""
    theirs = f"{one.reth.seconds:.0f} s"
    if one.runs is None:
        theirs = f"sees it in {percent(one.reth.slower.value)} with {theirs}"
    return (
        f"{one.scenario}, +{100 * one.effect:.0f} % seen in {percent(one.gate.slower.value)}: the gate "
        f"{one.gate.seconds:.0f} s ({one.gate.invocations:.1f} pairs), reth's rule {theirs}"
    )


def nobody_cheaper(evidence: Iterable[Interleaved], rivals: RivalCurves) -> Iterator[Claim]:
    """Claim that no tool with as few false alarms as the gate sees +3 % on typical noise with fewer repeats.

    As few: at 0 % and at +1 %, in every scenario, as far as the trials can tell (see `more_alarms`). Sees: in
    at least 90 % of the trials. The gate must keep its limits itself for the claim to say anything.
    """
    found = list(evidence)
    for one in found:
        for effect in LIMITS:
            yield _at_most(one.families[1, effect], effect, f"{one.scenario.name}, the gate itself")
    for tool, invocations, theirs, gate in _with_fewer_repeats(found, rivals):
        more = more_alarms(found, rivals, tool, invocations)
        yield Claim(
            more is not None,
            more is None,
            f"{tool} sees +3 % on a typical machine with {theirs.repeats:.0f} repeats a side "
            f"(in {percent(theirs.slower.value)}), this gate with {gate.repeats:.0f} "
            f"({percent(gate.slower.value)}); "
            + (f"but {more}" if more else "and it raises as few false alarms"),
        )


def within_limits(
    evidence: Iterable[Interleaved], rivals: RivalCurves
) -> Iterator[tuple[str, int, Point, Point]]:
    """Yield who sees +3 % with fewer repeats than the gate: (name, invocations, theirs, the gate's).

    They raise more false alarms than it does, but not more than its limits allow for one block, anywhere.
    """
    for tool, invocations, theirs, gate in _with_fewer_repeats(list(evidence), rivals):
        if breaks(rivals, tool, invocations) is None:
            yield tool, invocations, theirs, gate


def _with_fewer_repeats(
    evidence: list[Interleaved], rivals: RivalCurves
) -> Iterator[tuple[str, int, Point, Point]]:
    (typical,) = (one for one in evidence if one.scenario.name == POWER_SCENARIO)
    gate = typical.curve[POWER_EFFECT]
    for (tool, invocations), curve in rivals[POWER_SCENARIO].items():
        theirs = curve[POWER_EFFECT]
        if theirs.slower.value >= SEEN and theirs.repeats < gate.repeats:
            yield tool, invocations, theirs, gate


def more_alarms(
    evidence: Iterable[Interleaved], rivals: RivalCurves, tool: str, invocations: int
) -> str | None:
    """Say where `tool` most clearly raises more false alarms than the gate, None if nowhere.

    More is what Fisher's exact one-sided test finds at 1 %: a tool is as good until shown not to be.
    """
    clearest: tuple[float, str] = (0.01, "")
    for one in evidence:
        for effect in LIMITS:
            theirs = rivals[one.scenario.name][tool, invocations][effect].slower
            gates = one.families[1, effect]
            table = np.array([[rate.hits, rate.trials - rate.hits] for rate in (theirs, gates)])
            p = float(stats.fisher_exact(table, alternative="greater").pvalue)
            if p < clearest[0]:
                place = where(one.scenario.name, effect)
                rates = f"{percent(theirs.value)} {place} (the gate in {percent(gates.value)})"
                clearest = (p, f"it is wrong in {rates}")
    return clearest[1] or None


def breaks(rivals: RivalCurves, tool: str, invocations: int) -> str | None:
    """Say where false alarms of `tool` exceed the limits most, None if nowhere."""
    worst: tuple[float, str] = (1.0, "")
    for scenario, curves in rivals.items():
        for effect, limit in LIMITS.items():
            rate = curves[tool, invocations][effect].slower.value
            if rate / limit > worst[0]:
                worst = (rate / limit, f"wrong in {percent(rate)} {where(scenario, effect)}")
    return worst[1] or None


def cheaper(evidence: Iterable[Interleaved], rivals: RivalCurves) -> Iterator[Cheaper]:
    """Yield where a tool beats the gate in one scenario: careful there, as powerful, with fewer repeats.

    Careful is within the limits on false alarms. Of each scenario and effect the cheapest one.
    """
    for one in evidence:
        curves = rivals[one.scenario.name]
        for effect, gate in one.curve.items():
            better = [
                (invocations, -curve[effect].slower.value, tool)
                for (tool, invocations), curve in curves.items()
                if all(curve[at].slower.value <= limit for at, limit in LIMITS.items())
                and curve[effect].slower.value >= gate.slower.value
                and curve[effect].repeats < gate.repeats
            ]
            if effect > MARGIN and better:
                invocations, _, tool = min(better)
                theirs = curves[tool, invocations][effect]
                elsewhere = breaks(rivals, tool, invocations)
                yield Cheaper(one.scenario.name, effect, tool, invocations, theirs, gate, elsewhere)


def where(scenario: str, effect: float) -> str:
    """Say where a tool was tried: `on a quiet machine when nothing changed`."""
    place = f"on {scenario}" if scenario.startswith("recorded") else f"on a {scenario} machine"
    return f"{place} at a true +{100 * effect:.0f} %" if effect else f"{place} when nothing changed"


def count(number: int, noun: str) -> str:
    """Return `1 block`, `10 blocks`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def _at_most(rate: Rate, effect: float, measured: str) -> Claim:
    limit = LIMITS[effect]
    truth = f"a true +{100 * effect:.0f} %" if effect else "nothing changed"
    return Claim(
        rate.at_most <= limit,
        rate.at_least > limit,
        f"{measured}, {truth}: {percent(rate.value)} false regressions in {rate.trials:,} "
        f"(at most {percent(rate.at_most)}; allowed {100 * limit:.1f} %)",
    )
