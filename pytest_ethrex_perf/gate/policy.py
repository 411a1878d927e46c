"""What follows from a verdict: pass, fail, warn or waived, by the options and the waivers. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records.decision import Decision, Verdict

if TYPE_CHECKING:
    import datetime as dt

    from pytest_ethrex_perf.config.settings import Settings, Waiver
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.result import Outcome

BROKEN = "base against itself: the gate is broken on this machine, trust none of its verdicts"


def settle(
    settings: Settings, today: dt.date, block: BlockId | None, metric: str, decision: Decision
) -> tuple[Outcome, str]:
    """Outcome of `decision`, and why where the verdict alone does not say.

    `block` is None for the mean over blocks.
    """
    verdict = decision.verdict
    if settings.get("aa") and verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT):
        return "fail", BROKEN
    if verdict is Verdict.REGRESSION:
        waiver = settings.waiver(block, metric) if block is not None else None
        return ("fail", "") if waiver is None else waive(waiver, today, decision)
    if verdict is Verdict.IMPROVEMENT and settings.get("on_improvement") == "fail":
        return "fail", "--ethrex-on-improvement fail: record a new baseline"
    if verdict is None:
        return "warn", "the run ended before it was decided"
    if verdict is Verdict.INCONCLUSIVE:
        return (
            ("fail", "--ethrex-on-inconclusive fail")
            if settings.get("on_inconclusive") == "fail"
            else ("warn", "")
        )
    return "pass", ""


def waive(waiver: Waiver, today: dt.date, decision: Decision) -> tuple[Outcome, str]:
    """Whether `waiver` covers this regression: not after its last day, and not beyond what it allows."""
    told = f"allowed up to +{100 * waiver.up_to:g} % until {waiver.expires}: {waiver.reason}"
    if today > waiver.expires:
        return "fail", f"its waiver has expired ({told})"
    if decision.estimate is None or math.expm1(decision.estimate) > waiver.up_to:
        return "fail", f"more than its waiver allows ({told})"
    return "waived", told
