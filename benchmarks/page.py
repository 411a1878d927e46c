"""docs/decisions.md, from what was measured: where the gate loses, tables, claims, sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks import claims, duel
from benchmarks.claims import POWER_EFFECT, POWER_SCENARIO, Claim, count
from benchmarks.noise import BLOCK_SECONDS, LOAD_SECONDS, REPEATS
from benchmarks.plans import DEFAULT, LONG, ORDINARY, TOLERANCES
from benchmarks.rivals import RIVALS
from benchmarks.trials import LIMITS, MARGIN, SHOWN, STORED_INVOCATIONS, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.duel import Duel
    from benchmarks.evidence import Effort, Evidence
    from benchmarks.trials import Curve, Point, Rate

_TRUTHS = {0.0: "0 %", MARGIN: "+1 %"}


def write(evidence: Evidence, effort: Effort, verdicts: dict[str, list[Claim]]) -> str:
    """Write the page, Markdown; `verdicts` are the claims by heading."""
    lines = [
        *_summary(evidence),
        *_losses(evidence),
        *_unproven(verdicts),
        *_interleaved(evidence, effort),
        *_duels(evidence),
        *_families(evidence),
        *_cuts(evidence, effort),
        *_tolerances(evidence, effort),
        *_stored(evidence, effort),
        *_sweep(evidence),
        *_claims(verdicts),
        *_sources(),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*lines, ""]))


def _summary(evidence: Evidence) -> Iterator[str]:
    at = evidence.typical.curve[POWER_EFFECT]
    yield "# How well the gate decides"
    yield from _text("Written by `python benchmarks/decisions.py`; change that, not this.")
    yield from _text(f"""
        A sample is the mean of the logs of the lowest 70 % of an invocation's counted repeats. The gate looks
        after 6, 8, 10, 13, 16, 20 and 24 pairs; where the noise of the first 6 asks for it, and patience
        allows, it goes on. In the default 10 minutes, an only block of 60 ms gets to {DEFAULT.cut} pairs;
        here it goes on to 120 at most unless said otherwise.""")
    yield from _text(f"""
        On a typical machine the gate reports a true +3 % in {_rate(at)} of the sessions, after
        {at.repeats:.0f} repeats a side on average ({at.seconds:.0f} s), and calls it a regression when
        nothing changed in {_rate(evidence.typical.curve[0.0])}. A true +1 % is its margin: to report that
        is a false alarm, too, since the layout of a rebuilt binary alone moves time by about as much.""")
    yield from _text("![False regressions against repeats](decisions-false-alarms.svg)")
    yield from _text("""
        Stars are this gate, at the repeats it used on average; lines are other tools with 2 to 24
        invocations; dotted lines are what the gate is held to.""")
    yield from _text("![Power](decisions-power.svg)")
    yield from _text("""
        Other tools with as many invocations as the gate takes to see +3 % there. In the red band, up to +1 %,
        a report is a false alarm; right of it, it is a find.""")


def _losses(evidence: Evidence) -> Iterator[str]:
    yield "## Where the gate loses"
    yield from _text(f"""
        **A true +2 % on one block** is reported in {_rate(evidence.typical.curve[0.02])} on a typical
        machine: it must be proven above the margin of +1 %. Rules without a margin see it more often, and
        report a true +1 %, which a mere rebuild can cause, nearly as often: see the second column of every
        table.""")
    slowest = max(evidence.plans, key=lambda one: one.interleaved.curve[0.0].invocations)
    name = slowest.interleaved.scenario.name
    patient = slowest.interleaved.curve
    longer, ordinary = slowest.curves[LONG.name], slowest.curves[ORDINARY.name]
    yield from _text(f"""
        **Patience is the price of a hopeless machine.** On {name} 24 pairs find +5 % in
        {_rate(ordinary[0.05])} and say nothing about {_undecided(ordinary[0.0])} of the sessions in which
        nothing changed. 120 pairs find it in {_rate(patient[0.05])}, and leave
        {_undecided(patient[0.0])} undecided, after {patient[0.0].seconds:.0f} s on average. But +3 % is found
        in {_rate(patient[0.03])} there, with 270 pairs in {_rate(longer[0.03])}.""")
    noisy = evidence.stored[-1]
    one, eight = (_rate(noisy.curves[sessions][0.08]) for sessions in (1, 8))
    yield from _text(f"""
        **A stored baseline alone.** On a {noisy.machine.name} machine a true +8 % is seen in {one} with one
        session and {eight} with eight. What sessions differ by can't be measured away; that is why a
        baseline brings its program.""")
    for tool, invocations, theirs, gate in claims.within_limits(evidence.interleaved, evidence.rivals):
        more = claims.more_alarms(evidence.interleaved, evidence.rivals, tool, invocations)
        yield from _text(f"""
            **{tool} with {invocations} invocations** sees +3 % on a typical machine with
            {theirs.repeats:.0f} repeats a side where this gate takes {gate.repeats:.0f}, and for one block
            it keeps the gate's limits everywhere here. It sees it in {_rate(theirs)}, this gate in
            {_rate(gate)}; as for false alarms, {more or "it raises as few"}. It divides its errors over no
            family: with 10 blocks it would be wrong far more often (see families).""")
    yield from _cheaper(evidence)
    yield from _as_many_pairs(evidence)


def _unproven(verdicts: dict[str, list[Claim]]) -> Iterator[str]:
    unproven = [claim for found in verdicts.values() for claim in found if not claim.holds]
    if unproven:
        yield from _text("""
            **Not proven.** Of what the gate is held to, at the end of this page, the trials do not prove:""")
        yield from (f"- {_mark(claim)} {claim.text}" for claim in unproven)
        yield ""


def _as_many_pairs(evidence: Evidence) -> Iterator[str]:
    better = list(_ahead(evidence))
    if not better:
        return
    yield from _text(f"""
        **With as many pairs as the gate takes**, told to them beforehand, these see +3 % more often than the
        gate with up to 120 pairs, and keep its limits on that noise, for one block. The last column is the
        worst they do on any noise here, with the number told for that one: sessions wrong at 0 % (allowed
        {percent(LIMITS[0.0])}) or +1 % ({percent(LIMITS[MARGIN])}).""")
    yield from _table(("noise", "tool", "pairs", "sees +3 %", "the gate", "elsewhere"), better, left=2)


def _ahead(evidence: Evidence) -> Iterator[tuple[str, ...]]:
    """Yield rows of tools that see +3 % more often than the gate on a noise, with as many pairs."""
    for one in evidence.interleaved:
        name = one.scenario.name
        pairs, curves = evidence.same[name]
        for tool, curve in curves.items():
            ours, theirs = one.curve[POWER_EFFECT].slower.value, curve[POWER_EFFECT].slower.value
            if theirs > ours and _keeps_limits(curve):
                yield name, tool, str(pairs), percent(theirs), percent(ours), _worst(evidence, tool)


def _keeps_limits(curve: Curve) -> bool:
    return all(curve[effect].slower.value <= limit for effect, limit in LIMITS.items())


def _worst(evidence: Evidence, tool: str) -> str:
    wrong = (
        (same.curves[tool][effect].slower.value / limit, effect, name)
        for name, same in evidence.same.items()
        for effect, limit in LIMITS.items()
    )
    exceeded, effect, name = max(wrong)
    rate = percent(exceeded * LIMITS[effect])
    return f"wrong in {rate} {claims.where(name, effect)}" if exceeded > 1 else "keeps the limits, too"


def _cheaper(evidence: Evidence) -> Iterator[str]:
    found = list(claims.cheaper(evidence.interleaved, evidence.rivals))
    if not found:
        return
    yield from _text(f"""
        **One kind of noise at a time**, these see an effect at least as often as the gate, with fewer
        repeats, and keep its limits there ({percent(LIMITS[0.0])} when nothing changed,
        {percent(LIMITS[MARGIN])} at +1 %, one block). The last column tells what the same rule does
        elsewhere: a gate does not choose its machine.""")
    yield from _table(
        ("noise", "true change", "tool", "its repeats a side (seen)", "the gate's", "elsewhere"),
        (
            (
                one.scenario,
                f"+{100 * one.effect:.0f} %",
                f"{one.tool}, {count(one.invocations, 'invocation')}",
                f"{one.theirs.repeats:.0f} ({_rate(one.theirs)})",
                f"{one.gates.repeats:.0f} ({_rate(one.gates)})",
                one.elsewhere or "keeps the limits, too",
            )
            for one in found
        ),
        left=3,
    )


def _interleaved(evidence: Evidence, effort: Effort) -> Iterator[str]:
    yield "## Interleaved pairs, one block"
    yield from _text(f"""
        Share of sessions that report a regression, by the true change. Invocations are {REPEATS} repeats of
        which the first is dropped; pairs run in ABBA order. Seconds are the wall time of both sides for a
        block of {1000 * BLOCK_SECONDS:.0f} ms and a load of {LOAD_SECONDS} s per invocation, preparation not
        counted. {effort.sessions.curve:,} sessions for the gate, {effort.rivals:,} for the others, which get
        as many pairs as the gate takes on average to see +3 % there: they have no rule for when to stop, nor
        an end without a verdict. Every mean is over all sessions; three numbers are those at a true 0 %, +3 %
        and +5 %.""")
    for one in evidence.plans:
        scenario = one.interleaved.scenario
        yield f"\n### {scenario.name}\n"
        yield from _text(f"{scenario.note[0].upper()}{scenario.note[1:]}.")
        same = evidence.same[scenario.name]
        curves = {f"**this gate**, {name}": curve for name, curve in one.curves.items()} | same.curves
        yield from _table(
            ("rule", *_effects(one.interleaved.curve), "inconclusive", "pairs", "seconds"),
            (
                (
                    name,
                    *(_rate(point) for point in curve.values()),
                    _at_some(curve, _undecided),
                    _at_some(curve, lambda point: f"{point.invocations:.0f}"),
                    _at_some(curve, lambda point: f"{point.seconds:.0f}"),
                )
                for name, curve in curves.items()
            ),
        )


def _duels(evidence: Evidence) -> Iterator[str]:
    yield "## Against reth's rule at equal power"
    yield from _text("""
        What it takes reth's rule (run-cluster bootstrap, 95 % interval above +1.2 %), the nearest to this
        one, to see a true change as often as this gate with up to 120 pairs: the fewest invocations, in
        brackets, of those that keep the limits on false alarms of one block on this noise (1 % at 0, 1.5 % at
        +1 %). It has to be told that number; the gate finds it. Where it takes less time, the change is
        +2 %, or the gate ends in its first pairs: no verdict takes fewer than 6. Alarms are at 0 and +1 %;
        the last columns are sessions in which nothing changed.""")
    heads = ("seen", "gate", "reth's rule", "less time", "gate's alarms", "reth's alarms")
    yield from _table(
        ("noise", "true change", *heads, "gate, 0 %", "reth's, 0 %"),
        (
            (
                one.scenario,
                f"+{100 * one.effect:.0f} %",
                _rate(one.gate),
                f"{one.gate.seconds:.0f} s",
                f"{one.reth.seconds:.0f} s ({one.runs})" if one.runs else _not_seen(one),
                "gate" if one.is_won else "**reth's rule**",
                ", ".join(map(_rate, one.gate_alarms)),
                ", ".join(map(_rate, one.reth_alarms)),
                f"{one.gate_alarms[0].seconds:.0f} s",
                f"{one.reth.seconds:.0f} s",
            )
            for one in duel.duels(evidence.plans, evidence.reth)
        ),
    )


def _not_seen(one: Duel) -> str:
    return f"not with {one.reth.seconds:.0f} s ({_rate(one.reth)})"


def _families(evidence: Evidence) -> Iterator[str]:
    sizes = sorted({blocks for blocks, _ in evidence.typical.families})
    heads = [f"{count(blocks, 'block')}, {truth}" for blocks in sizes for truth in _TRUTHS.values()]
    yield "## Families: sessions of several blocks"
    yield from _text("""
        Share of sessions with any false regression, every block with the same true change; from 4 blocks on
        the mean over blocks is judged along. In brackets the exact one-sided 95 % upper bound.""")
    yield from _table(
        ("noise", *heads),
        (
            (
                one.scenario.name,
                *(_bounded(one.families.get((size, effect))) for size in sizes for effect in LIMITS),
            )
            for one in evidence.interleaved
        ),
    )
    yield from _text("""
        Plans that go on for longer. They spend no more: a plan spends shares of one alpha, and what it may
        spend is worked out for the worst noise (`benchmarks/boundaries.py`).""")
    sizes_of_longer = sorted({(plan, blocks) for one in evidence.plans for plan, blocks, _ in one.longer})
    yield from _table(
        ("noise", *(f"{plan}, {count(blocks, 'block')}" for plan, blocks in sizes_of_longer)),
        (
            (
                one.interleaved.scenario.name,
                *(
                    ", ".join(_bounded(one.longer.get((*size, effect))) for effect in LIMITS)
                    for size in sizes_of_longer
                ),
            )
            for one in evidence.plans
        ),
    )
    yield from _text(f"""
        The other tools know no family. With {SHOWN} invocations a side on a typical machine, so many
        sessions of independent blocks would be wrong, from their rates for one block:""")
    curves = {rival.name: evidence.rivals[POWER_SCENARIO][rival.name, SHOWN] for rival in RIVALS}
    yield from _table(
        ("tool", *heads),
        (
            (
                name,
                *(
                    percent(1 - (1 - curve[effect].slower.value) ** size)
                    for size in sizes
                    for effect in LIMITS
                ),
            )
            for name, curve in curves.items()
        ),
    )


def _cuts(evidence: Evidence, effort: Effort) -> Iterator[str]:
    yield "## Where the time is up"
    yield from _text(f"""
        A plan that could have gone on to 120 pairs, ended by time after so many: its last look spends what is
        left, less than the whole plan might. One block, {effort.sessions.curve:,} sessions each: false
        regressions at 0 %, at +1 %, and the true +3 % that are seen.""")
    cuts = sorted({pairs for one in evidence.plans for pairs in one.cuts})
    yield from _table(
        ("noise", *(str(pairs) for pairs in cuts)),
        (
            (
                one.interleaved.scenario.name,
                *(", ".join(_rate(point) for point in one.cuts[pairs].values()) for pairs in cuts),
            )
            for one in evidence.plans
        ),
    )


def _tolerances(evidence: Evidence, effort: Effort) -> Iterator[str]:
    yield "## Which tolerance a machine supports"
    yield from _text(f"""
        With `--ethrex-on-inconclusive=fail` what is not proven fails, so the tolerance must be one that the
        noise allows. One block, a patience of 10 minutes, {effort.sessions.curve:,} sessions each: how many
        end inconclusive when nothing changed (each a failure then), with how many pairs on average, and how
        many slowdowns of just the tolerance are found.""")
    yield from _table(
        ("noise", *(f"tolerance {tolerance:.0%}" for tolerance in TOLERANCES)),
        (
            (one.interleaved.scenario.name, *(_supported(curve) for curve in one.tolerances.values()))
            for one in evidence.plans
        ),
    )


def _supported(curve: Curve) -> str:
    unchanged, slower = curve.values()
    undecided = _undecided(unchanged)
    return f"{undecided} inconclusive, {unchanged.invocations:.0f} pairs, {_rate(slower)} found"


def _stored(evidence: Evidence, effort: Effort) -> Iterator[str]:
    yield "## Stored baseline only"
    yield from _text(f"""
        A new session of {STORED_INVOCATIONS} invocations ({STORED_INVOCATIONS * REPEATS} repeats) against
        stored sessions of {STORED_INVOCATIONS}, each on another day, {effort.stored:,} times. The other
        tools compare with one stored session. Recorded noise has no sessions to draw from.""")
    for one in evidence.stored:
        yield f"\n### {one.machine.name}, stored\n"
        curves = {
            f"**this gate**, {count(sessions, 'session')}": curve for sessions, curve in one.curves.items()
        } | evidence.stored_rivals[one.machine.name]
        yield from _table(
            ("rule", *_effects(one.curves[1])),
            ((name, *(_rate(point) for point in curve.values())) for name, curve in curves.items()),
        )


def _sweep(evidence: Evidence) -> Iterator[str]:
    swept = sorted({invocations for _, invocations in evidence.rivals[POWER_SCENARIO]})
    yield "## The other tools with fewer and more invocations"
    yield from _text("""
        False regressions at +1 % where they are worst, and the true +3 % that are seen on a typical
        machine, by invocations a side.""")

    def cell(tool: str, invocations: int) -> str:
        worst = max(curves[tool, invocations][MARGIN].slower.value for curves in evidence.rivals.values())
        seen = evidence.rivals[POWER_SCENARIO][tool, invocations][POWER_EFFECT].slower.value
        return f"{percent(worst)}, {100 * seen:.0f} %"

    yield from _table(
        ("tool", *map(str, swept)),
        ((rival.name, *(cell(rival.name, invocations) for invocations in swept)) for rival in RIVALS),
    )


def _claims(verdicts: dict[str, list[Claim]]) -> Iterator[str]:
    yield "## What the gate is held to"
    yield from _text("""
        A line passes when the trials prove it: the exact (Clopper-Pearson) one-sided 95 % bound of the rate
        is on the right side of the limit. Another tool counts as raising as few false alarms as the gate
        until Fisher's exact test shows at 1 % that it raises more.""")
    for heading, found in verdicts.items():
        held = sum(claim.holds for claim in found)
        yield f"<details><summary>{heading}: {held} of {len(found)} hold</summary>"
        yield ""
        yield from (f"- {_mark(claim)} {claim.text}" for claim in found)
        yield ""
        yield "</details>"
        yield ""


def _mark(claim: Claim) -> str:
    if claim.holds:
        return "✅"
    return "❌" if claim.refuted else "❔ too close to tell:"


def _sources() -> Iterator[str]:
    yield "## Sources of the other rules\n"
    yield from _table(
        ("tool", "rule", "source"), ((rival.name, rival.rule, rival.source) for rival in RIVALS), left=3
    )
    yield from _text("""
        Vectorised from what they do; `tests/benchmarks/test_rivals.py` shows them equal to the tools on 20
        cases (pyperf and pytest-benchmark themselves, scipy for Mann-Whitney and Welch, recorded answers of
        criterion and of reth's script). Nothing stands behind "tango-like" but its source. hyperfine is
        given the exec of each process without the load that it would time as well.""")


def _text(text: str) -> tuple[str, ...]:
    """One paragraph on one line, however it is wrapped here, between empty lines."""
    return "", " ".join(text.split()), ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, left: int = 1) -> Iterator[str]:
    names = list(heads)
    yield f"| {' | '.join(names)} |"
    yield "|" + "|".join("---" if column < left else "---:" for column in range(len(names))) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _effects(curve: Curve) -> list[str]:
    """Heads of the columns; what a report must not follow is bold."""
    return [f"**{_TRUTHS[effect]}**" if effect in _TRUTHS else f"+{100 * effect:.0f} %" for effect in curve]


def _at_some(curve: Curve, shown: Callable[[Point], str]) -> str:
    values = [shown(curve[effect]) for effect in (0.0, POWER_EFFECT, 0.05)]
    return values[0] if len(set(values)) == 1 else " / ".join(values)


def _undecided(point: Point) -> str:
    return "–" if point.inconclusive is None else percent(point.inconclusive.value)


def _rate(point: Point) -> str:
    return percent(point.slower.value)


def _bounded(rate: Rate | None) -> str:
    if rate is None:
        return "not run"
    return f"{percent(rate.value)} (≤ {percent(rate.at_most)})"
