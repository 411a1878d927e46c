"""One block through the house: its turns are measured, its pairs judged, its result put together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import msgspec

from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError
from pytest_ethrex_perf.gate import table
from pytest_ethrex_perf.gate.schedule import first_side
from pytest_ethrex_perf.judge import checks, power
from pytest_ethrex_perf.judge.assess import Material, assess, reference
from pytest_ethrex_perf.records.decision import Rules, Verdict
from pytest_ethrex_perf.records.measurement import Invocation, Pair
from pytest_ethrex_perf.records.metric import TIMES
from pytest_ethrex_perf.records.result import (
    BlockResult,
    MetricResult,
    Outcome,
    ReferenceResult,
    Row,
    SideResult,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.gate.planner import Plan
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.decision import Decision
    from pytest_ethrex_perf.records.measurement import Program, Side
    from pytest_ethrex_perf.records.request import Gating


COUNTED = (
    "{metrics}: a count was gated, not time: a build can execute fewer instructions and be no faster, or "
    "more and be no slower"
)


OTHERWISE_TIMED = (
    "the stored sessions were timed {sessions} perf stat beside the program, this one {now}: what that costs "
    "is in the change: use the same --ethrex-counters, or record anew"
)


class Measure(Protocol):
    """Runs one invocation of `program` on `block`; raises MeasurementError."""

    def __call__(
        self, program: Program, block: BlockId, *, repeat: int, label: str, turn: int, count: bool = True
    ) -> Invocation:
        """`label` names the invocation in logs, e.g. `head-003`; `turn` says which events are counted now.

        Without `count`, nothing is counted for which the program would have to run once more.
        """
        ...


class Settle(Protocol):
    """What follows from a decision: pass, fail, warn or waived, and why if the verdict alone does not say."""

    def __call__(self, block: BlockId | None, metric: str, decision: Decision) -> tuple[Outcome, str]:
        """Outcome and reason; `block` is None for the mean over blocks."""
        ...


class Gate:
    """One block of a run: takes turns until every one of its gatings is decided.

    `keep_going` keeps it measuring after its own decision (the mean over blocks needs every round whole).
    """

    def __init__(self, plan: Plan, gatings: dict[Gating, Rules], measure: Measure) -> None:
        self.plan = plan
        self.keep_counting: Callable[[], bool] = lambda: False
        """Whether somebody else still wants what is counted beside the clock."""
        self.pairs: list[Pair] = []
        self.invocations: list[Invocation] = []
        self.error: str | None = None
        self.refused = False
        """It was measured whole and the session not recorded; `error` says why."""
        self._rules = gatings
        self._measure = measure
        self._decisions: dict[Gating, Decision] = {}
        self._final = False

    @property
    def block(self) -> BlockId:
        """The block."""
        return self.plan.request.block

    @property
    def samples_taken(self) -> int:
        """Pairs (interleaved) or invocations measured so far."""
        return len(self.pairs) if self.plan.mode == "interleaved" else len(self.invocations)

    @property
    def samples_planned(self) -> int:
        """Pairs or invocations after which it ends at the latest."""
        if self.plan.mode == "interleaved":
            return max(rules.looks[-1] for rules in self._rules.values())
        return self.plan.invocations

    @property
    def decided(self) -> bool:
        """Whether nothing more needs to be measured for its own gatings."""
        if self.error is not None or self._final:
            return True
        if self.plan.mode == "interleaved":
            return all(
                gating in self._decisions and self._decisions[gating].verdict is not None
                for gating in self._rules
            )
        return len(self.invocations) >= self.plan.invocations

    @property
    def estimate(self) -> Decision | None:
        """The running decision of the first gating, for progress."""
        return next(iter(self._decisions.values()), None)

    def take_turn(self) -> None:
        """Measure one pair (interleaved) or one invocation and judge; trouble ends the block as `error`."""
        try:
            if self.plan.mode == "interleaved":
                self._take_pair()
            else:
                self.invocations.append(self._invoke("head", len(self.invocations)))
                material = self.material
                for gating in self._rules:  # what can't be judged is not worth an hour, nor recording
                    material.check(gating.metric)
            if not self._final:  # a decided block may go on for the mean over blocks, but is not judged again
                self._judge()
        except EthrexPerfError as error:
            self.error = str(error)

    def finish(self) -> None:
        """No more time: decide with what is known."""
        if self.decided:
            return
        self._final = True
        if self.samples_taken == 0 and self.error is None:
            self.error = (
                f"{self.block}: the time budget was spent before it was measured: raise --ethrex-time-budget"
            )
        elif self.plan.mode == "record":
            self.error = (
                f"{self.block}: the time budget was spent after {len(self.invocations)} of "
                f"{self.plan.invocations} invocations, nothing was recorded: raise --ethrex-time-budget"
            )
        else:
            self._judge()

    def _take_pair(self) -> None:
        first = first_side(len(self.pairs))
        second: Side = "head" if first == "base" else "base"
        taken = {side: self._invoke(side, len(self.pairs)) for side in (first, second)}
        self.pairs.append(Pair(first=first, base=taken["base"], head=taken["head"]))

    def _invoke(self, side: Side, index: int) -> Invocation:
        program = self.plan.head if side == "head" else self.plan.base
        if program is None:
            raise MeasurementError(f"{self.block}: there is no base program to run")
        return self._measure(
            program,
            self.block,
            repeat=self.plan.repeat,
            label=f"{side}-{index + 1:03}",
            turn=index,
            count=self._counts_wanted(),
        )

    def _counts_wanted(self) -> bool:
        """Whether counts of this pair or invocation are still worth a run of their own.

        Not once everything is decided that is judged by them; both sides of a pair are asked alike.
        """
        if self.plan.mode != "interleaved":
            return True
        judged = [self._decisions.get(gating) for gating in self._rules if gating.metric not in TIMES]
        undecided = any(known is None or known.verdict is None for known in judged)
        return not judged or undecided or self.keep_counting()

    def _judge(self) -> None:
        if self.plan.mode == "record" or (self.plan.mode == "stored" and not self.decided):
            return
        material = self.material
        for gating, rules in self._rules.items():
            decision = self._decisions.get(gating)
            if decision is None or decision.verdict is None:
                result = assess(material, gating.metric, rules, final=self._final)
                self._decisions[gating] = result.decision

    @property
    def material(self) -> Material:
        """What was measured so far, and what it is compared with."""
        return Material(
            block=str(self.block),
            drop=self.plan.request.drop,
            head=self.side("head"),
            base=self.side("base"),
            paired=self.plan.mode == "interleaved",
            sessions=self.plan.sessions,
        )

    def side(self, side: Side) -> list[Invocation]:
        """Invocations of one side in the order they ran."""
        if self.plan.mode == "interleaved":
            return [pair.base if side == "base" else pair.head for pair in self.pairs]
        return self.invocations if side == "head" else []

    def regressions(self, settle: Settle) -> list[str]:
        """Metrics that fail because they were proven slower."""
        return [
            gating.metric
            for gating, decision in self._decisions.items()
            if decision.verdict is Verdict.REGRESSION
            and settle(self.block, gating.metric, decision)[0] == "fail"
        ]

    def result(self, settle: Settle, recorded: str | None = None) -> BlockResult:
        """Everything about this block, as plain data."""
        plan = self.plan
        measured = [*self.side("head"), *self.side("base")]
        base, head = self._base_result(), self._side_result(self.side("head"), plan.head.label, plan.head)
        return BlockResult(
            block=str(self.block),
            mode=plan.mode,
            aa=plan.aa,
            repeat=plan.repeat,
            drop=plan.request.drop,
            cache=plan.cache,
            gas=measured[0].gas if measured else None,
            txs=measured[0].txs if measured else None,
            base=base,
            head=head,
            rows=tuple(self._rows(base, head)) if measured else (),
            rules={gating.metric: rules for gating, rules in self._rules.items()},
            metrics=() if self.error else tuple(self._metric_results(settle)),
            references=tuple(self._references()),
            published=plan.published,
            notes=(
                *plan.notes,
                *self._alone(),
                *self._otherwise_timed(),
                *self._supported(),
                *self._cautions(),
            ),
            error=self.error,
            recorded=recorded,
            refused=self.refused,
            reproduce=plan.reproduce,
            pairs=tuple(self.pairs),
            invocations=tuple(self.invocations),
            baseline=plan.sessions,
            history=plan.history,
        ).sealed()

    def _metric_results(self, settle: Settle) -> Iterator[MetricResult]:
        material = self.material
        for gating in self._decisions:
            result = assess(material, gating.metric, self._rules[gating], final=self._final)
            outcome, reason = settle(self.block, gating.metric, result.decision)
            yield msgspec.structs.replace(result, outcome=outcome, outcome_reason=reason)

    def _references(self) -> Iterator[ReferenceResult]:
        """Head beside earlier sessions, for each gated metric."""
        material = self.material
        if self.error or not material.head:
            return
        for gating, rules in self._rules.items():
            for name, session in self.plan.references:
                result = reference(material, gating.metric, rules, name, session)
                if result is not None:
                    yield result

    def _otherwise_timed(self) -> list[str]:
        """Where perf ran beside the stored sessions and not beside head, or the other way round."""
        timed, _ = self._stored()
        if self.plan.mode != "stored" or not timed or not self.invocations:
            return []
        beside = [
            any(count.instrument == "perf" for count in one.counts.values())
            for one in (timed[-1], self.invocations[-1])
        ]
        if beside[0] is beside[1]:
            return []
        sessions, now = ("with" if one else "without" for one in beside)
        return [OTHERWISE_TIMED.format(sessions=sessions, now=now)]

    def _alone(self) -> list[str]:
        """What the stored comparison can see, where the baseline's program could not be run beside head."""
        if self.plan.alone is None:
            return []
        seen = [
            f"{gating.metric} from {100 * math.expm1(decision.detectable):+.1f} % on"
            for gating, decision in self._decisions.items()
            if decision.detectable is not None
        ]
        told = f"{self.plan.alone}: the stored sessions decide alone"
        return [f"{told}, and see slowdowns of {', '.join(seen)}" if seen else told]

    def _base_result(self) -> SideResult | None:
        if self.plan.mode == "interleaved" and self.plan.base is not None:
            return self._side_result(self.side("base"), self.plan.base.label, self.plan.base)
        if self.plan.mode != "stored":
            return None
        timed, counted = self._stored()
        return table.summed_up(
            timed or counted, self.plan.baseline_label, None, self.plan.request.drop, times=bool(timed)
        )

    def _stored(self) -> tuple[list[Invocation], list[Invocation]]:
        """Stored invocations whose times are compared, and those of whom only counts are."""
        timed, counted = (
            [one for session in self.plan.sessions if session.times is times for one in session.invocations]
            for times in (True, False)
        )
        return timed, counted

    def _side_result(
        self, invocations: Sequence[Invocation], label: str, program: Program | None
    ) -> SideResult | None:
        return table.summed_up(invocations, label, program, self.plan.request.drop)

    def _rows(self, base: SideResult | None, head: SideResult | None) -> list[Row]:
        timed, counted = (self.side("base"), []) if self.side("base") else self._stored()
        both = table.Sides(timed, self.side("head"), counted)
        return table.rows(both, base, head, self.plan.request.drop, self.plan.vendor)

    def _cautions(self) -> list[str]:
        """What the self-checks have seen, each with its remedy, and what counts are worth."""
        gated = [gating.metric for gating in self._rules]
        counted = [metric for metric in gated if metric not in TIMES]
        told = [COUNTED.format(metrics=", ".join(counted))] if counted and self.side("head") else []
        return [*told, *(self._checked() if set(gated) & set(TIMES) or not gated else [])]

    def _checked(self) -> list[str]:
        if self.plan.mode != "interleaved" or self.error:
            return []
        drop = self.plan.request.drop
        repeats = [i.exec_ns for i in (*self.side("base"), *self.side("head"))]
        base, head = (self.material.samples(side, "exec") for side in ("base", "head"))
        found = checks.checks(base, head, first=[p.first for p in self.pairs], repeats=repeats, drop=drop)
        return [f"{caution.message}; {caution.remedy}" for caution in found]

    def _supported(self) -> list[str]:
        """For base against itself: what this machine can gate."""
        if not self.plan.aa or self.error:
            return []
        told = []
        for gating, rules in self._rules.items():
            known = self._decisions.get(gating)
            if known is None or known.sd is None or known.detectable is None:
                continue
            margin = power.supported_margin(known.detectable, rules.margin)
            told.append(
                f"{gating.metric}: the pair ratio has a standard deviation of {100 * known.sd:.1f} %; "
                f"this machine supports margins from {100 * math.expm1(margin):.1f} % on: "
                "a slowdown of twice that is caught"
            )
        return told
