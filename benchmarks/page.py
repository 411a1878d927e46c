"""docs/decisions.md, from what was measured: where the gate loses, tables, claims, sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks import claims
from benchmarks.claims import LIMITS, POWER_EFFECT, POWER_SCENARIO, Claim, count
from benchmarks.noise import BLOCK_SECONDS, LOAD_SECONDS, REPEATS
from benchmarks.rivals import RIVALS
from benchmarks.trials import MARGIN, SHOWN, STORED_INVOCATIONS, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.evidence import Evidence
    from benchmarks.trials import Curve, Effort, Point, Rate

_TRUTHS = {0.0: "0 %", MARGIN: "+1 %"}


def write(evidence: Evidence, effort: Effort, verdicts: dict[str, list[Claim]]) -> str:
    """Write the page, Markdown; `verdicts` are the claims by heading."""
    lines = [
        *_summary(evidence),
        *_losses(evidence),
        *_interleaved(evidence, effort),
        *_families(evidence),
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
        On a typical machine the gate reports a true +3 % in {_rate(at)} of the sessions, after
        {at.repeats:.0f} repeats a side on average ({at.seconds:.0f} s), and calls it a regression when
        nothing changed in {_rate(evidence.typical.curve[0.0])}. A true +1 % is its margin: to report that
        is a false alarm, too, since the layout of a rebuilt binary alone moves time by about as much.""")
    yield from _text("![False regressions against repeats](decisions-false-alarms.svg)")
    yield from _text("""
        Stars are this gate, at the repeats it used on average; lines are other tools with 2 to 24
        invocations; dotted lines are what the gate is held to.""")
    yield from _text("![Power](decisions-power.svg)")
    yield from _text(f"""
        Other tools with {SHOWN} invocations a side. In the red band, up to +1 %, a report is a false alarm;
        right of it, it is a find.""")


def _losses(evidence: Evidence) -> Iterator[str]:
    yield "## Where the gate loses"
    yield from _text(f"""
        **A true +2 % on one block** is reported in {_rate(evidence.typical.curve[0.02])} on a typical
        machine: it must be proven above the margin of +1 %. Rules without a margin see it more often, and
        report a true +1 %, which a mere rebuild can cause, nearly as often: see the second column of every
        table.""")
    slowest = max(evidence.interleaved, key=lambda one: one.curve[0.0].invocations)
    yield from _text(f"""
        **Nothing changed on a hopeless machine.** On {slowest.scenario.name} the gate goes through nearly
        the whole plan ({slowest.curve[0.0].repeats:.0f} repeats a side) and mostly ends inconclusive.""")
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


def _cheaper(evidence: Evidence) -> Iterator[str]:
    found = list(claims.cheaper(evidence.interleaved, evidence.rivals))
    if not found:
        return
    yield from _text(f"""
        **One kind of noise at a time**, these see an effect at least as often as the gate, with fewer
        repeats, and keep its limits there ({percent(claims.NO_CHANGE_LIMIT)} when nothing changed,
        {percent(claims.MARGIN_LIMIT)} at +1 %, one block). The last column tells what the same rule does
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
        which the first is dropped; pairs run in ABBA order. Wall time is that of both sides for a block of
        {1000 * BLOCK_SECONDS:.0f} ms and a load of {LOAD_SECONDS} s per invocation, preparation not
        counted. {effort.curve:,} sessions for the gate, {effort.rivals:,} for the others, which get
        {SHOWN} invocations a side: about what the gate takes to see +3 % on a typical machine.""")
    for one in evidence.interleaved:
        yield f"\n### {one.scenario.name}\n"
        yield from _text(f"{one.scenario.note[0].upper()}{one.scenario.note[1:]}.")
        curves = {"**this gate**": one.curve} | {
            rival.name: evidence.rivals[one.scenario.name][rival.name, SHOWN] for rival in RIVALS
        }
        yield from _table(
            ("rule", *_effects(one.curve), "repeats a side at 0 % / +3 %", "wall at 0 % / +3 %"),
            (
                (
                    name,
                    *(_rate(point) for point in curve.values()),
                    _at_both(curve, lambda point: f"{point.repeats:.0f}"),
                    _at_both(curve, lambda point: f"{point.seconds:.0f} s"),
                )
                for name, curve in curves.items()
            ),
        )


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
    return "❌" if claim.refuted else "❔ too few trials:"


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


def _at_both(curve: Curve, shown: Callable[[Point], str]) -> str:
    first, second = shown(curve[0.0]), shown(curve[POWER_EFFECT])
    return first if first == second else f"{first} / {second}"


def _rate(point: Point) -> str:
    return percent(point.slower.value)


def _bounded(rate: Rate | None) -> str:
    if rate is None:
        return "not run"
    return f"{percent(rate.value)} (≤ {percent(rate.at_most)})"
