"""What follows from a verdict: pass, fail, warn or waived, by the options and the waivers. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Decision, Verdict

if TYPE_CHECKING:
    import datetime as dt

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.config.sources import Waiver
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.result import Outcome

BROKEN = "base against itself: the gate is broken on this machine, trust none of its verdicts"

UNDECIDED = "the run ended before it was decided"


class Consequence(NamedTuple):
    """What follows from a decision."""

    outcome: Outcome
    reason: str = ""
    """Why, where the verdict alone does not say."""


class Settle(Protocol):
    """What follows from a decision."""

    def __call__(self, block: BlockId | None, metric: str, decision: Decision) -> Consequence:
        """`block` is None for the mean over blocks."""
        ...


@dataclass(frozen=True)
class Policy:
    """The consequences of decisions by the settings of a run; waivers are looked at as of `today`."""

    settings: Settings
    today: dt.date

    def __call__(self, block: BlockId | None, metric: str, decision: Decision) -> Consequence:
        """What follows from `decision`; `block` is None for the mean over blocks."""
        settings, verdict = self.settings, decision.verdict
        if settings.aa and verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT):
            return Consequence("fail", BROKEN)
        if verdict is Verdict.REGRESSION:
            waiver = settings.waiver(block, metric) if block is not None else None
            return Consequence("fail") if waiver is None else waive(waiver, self.today, decision)
        if verdict is Verdict.IMPROVEMENT and settings.on_improvement == "fail":
            return Consequence("fail", "--ethrex-on-improvement fail: record a new baseline")
        if verdict is Verdict.INCONCLUSIVE and settings.on_inconclusive == "fail":
            return Consequence("fail", "--ethrex-on-inconclusive fail")
        if verdict is None and settings.on_inconclusive == "fail":
            return Consequence("fail", f"{UNDECIDED}, --ethrex-on-inconclusive fail")
        return _OTHERWISE[verdict]


_OTHERWISE: dict[Verdict | None, Consequence] = {
    Verdict.IMPROVEMENT: Consequence("pass"),
    Verdict.UNCHANGED: Consequence("pass"),
    Verdict.INCONCLUSIVE: Consequence("warn"),
    None: Consequence("warn", UNDECIDED),
}


def waive(waiver: Waiver, today: dt.date, decision: Decision) -> Consequence:
    """Whether `waiver` covers this regression: not after its last day, and not beyond what it allows."""
    terms = f"allowed up to +{units.limit(waiver.up_to)} until {waiver.expires}: {waiver.reason}"
    if today > waiver.expires:
        return Consequence("fail", f"its waiver has expired ({terms})")
    if decision.estimate is None or math.expm1(decision.estimate) > waiver.up_to:
        return Consequence("fail", f"more than its waiver allows ({terms})")
    return Consequence("waived", terms)
