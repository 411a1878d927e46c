"""What the reader of a block's result should know: noise with its remedy, and what a comparison can see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge import checks, power
from pytest_ethrex_perf.judge.assess import Material, contradiction
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.metric import EXEC, TASK_CLOCK, TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ethrex_perf.gate.block import Block

COUNTED = (
    "{metrics}: a count was gated, not time: a build can execute fewer instructions and be no faster, or "
    "more and be no slower"
)
CPU_TIME = (
    "{metric}: CPU time of all threads was gated, not latency: threads that wait cost nothing, threads that "
    "spin do, and work that moves to another thread makes a block faster without being less"
)
OTHERWISE_TIMED = (
    "the stored sessions were timed {sessions} perf stat beside the program, this one {now}: what that costs "
    "is in the change: use the same --ethrex-counters, or record anew"
)


def notes(block: Block) -> tuple[str, ...]:
    """Every note on `block`, those of its plan first."""
    return (
        *block.plan.notes,
        *_alone(block),
        *(f"{each}; pairs decide: if the machine has changed, record anew" for each in departures(block)),
        *_otherwise_timed(block),
        *_supported(block),
        *_counted(block),
        *_checked(block),
    )


def departures(block: Block) -> Iterator[str]:
    """Where base, run beside head, is not what its own stored sessions say: the two comparisons contradict.

    Both compare with the same head, so that base now against base then is all that they can differ in; the
    gate's own test at alpha decides.
    """
    plan = block.plan
    if plan.mode != "interleaved" or plan.base is None or block.error:
        return
    sessions = tuple(each for each in plan.sessions if each.program_sha256 == plan.base.sha256)
    material = Material(
        block=str(block.id), drop=block.request.drop, head=block.side("base"), sessions=sessions
    )
    for gating, rules in block.rules.items():
        try:
            decision = contradiction(material, gating.metric, rules) if material.head else None
        except MeasurementError:  # what can't be compared contradicts nothing
            continue
        if decision is not None:
            yield (
                f"base is not what was recorded of it: {gating.metric} {decision.reason}: the stored "
                "comparison contradicts the interleaved one"
            )


def _alone(block: Block) -> Iterator[str]:
    """What the stored comparison can see, where the baseline's program could not be run beside head."""
    if block.plan.alone is None:
        return
    detectable = [
        f"{gating.metric} from {units.log_percent(decision.detectable)} on"
        for gating, decision in block.decisions.items()
        if decision.detectable is not None
    ]
    note = f"{block.plan.alone}: the stored sessions decide alone"
    yield f"{note}, and see slowdowns of {', '.join(detectable)}" if detectable else note


def _otherwise_timed(block: Block) -> Iterator[str]:
    """Where perf ran beside the stored sessions and not beside head, or the other way round."""
    timed = [session for session in block.plan.sessions if session.times]
    if block.plan.mode != "stored" or not timed or not block.invocations:
        return
    before, now = (
        any(count.instrument == "perf" for count in invocation.counts.values())
        for invocation in (timed[-1].invocations[-1], block.invocations[-1])
    )
    if before is not now:
        words = ("with" if beside else "without" for beside in (before, now))
        sessions, this = words
        yield OTHERWISE_TIMED.format(sessions=sessions, now=this)


def _supported(block: Block) -> Iterator[str]:
    """For base against itself: what this machine can gate."""
    if not block.plan.aa or block.error:
        return
    for gating, decision in block.decisions.items():
        seen = decision.detectable
        if decision.sd is None or seen is None or not math.isfinite(seen):
            continue
        margin = power.supported_margin(seen, block.rules[gating].margin)
        yield (
            f"{gating.metric}: identical runs differ by {units.deviation(decision.sd)}: slowdowns under "
            f"{units.percent(math.expm1(seen))} go unseen here, and margins make sense from "
            f"{units.percent(math.expm1(margin))} on"
        )


def _counted(block: Block) -> Iterator[str]:
    """What counts are worth."""
    if not block.side("head"):
        return
    metrics = [gating.metric for gating in block.rules if gating.metric not in TIMES]
    if counts := [metric for metric in metrics if metric != TASK_CLOCK]:
        yield COUNTED.format(metrics=", ".join(counts))
    if TASK_CLOCK in metrics:
        yield CPU_TIME.format(metric=TASK_CLOCK)


def _checked(block: Block) -> Iterator[str]:
    """What the self-checks of times have seen, each with its remedy."""
    only_counts = block.rules and not {gating.metric for gating in block.rules} & set(TIMES)
    if only_counts or block.plan.mode != "interleaved" or block.error:
        return
    material = block.material
    advised = any(decision.verdict is Verdict.INCONCLUSIVE for decision in block.decisions.values())
    cautions = checks.checks(
        material.samples("base", EXEC),
        material.samples("head", EXEC),
        first=[pair.first for pair in block.pairs],
        repeats=[invocation.exec_ns for invocation in (*block.side("base"), *block.side("head"))],
        drop=block.request.drop,
    )
    for caution in cautions:
        # of the noise of an inconclusive block there is `advice` instead
        yield (
            caution.message
            if advised and caution.check == "noisy"
            else f"{caution.message}; {caution.remedy}"
        )
