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

from benchmarks.trials import MARGIN, Curve, Interleaved, Point, Rate, Stored, percent

NO_CHANGE_LIMIT = 0.01
MARGIN_LIMIT = 0.015
POWER_EFFECT = 0.03
POWER_LIMIT = 0.90
REPEATS_LIMIT = 160.0
POWER_SCENARIO = "typical"
LIMITS = {0.0: NO_CHANGE_LIMIT, MARGIN: MARGIN_LIMIT}

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
        if theirs.slower.value >= POWER_LIMIT and theirs.repeats < gate.repeats:
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
