"""One block through a run: planned, measured turn by turn, judged, recorded. All of its state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError, NoAnswerError
from pytest_ethrex_perf.gate.turns import first_side
from pytest_ethrex_perf.judge import power, words
from pytest_ethrex_perf.judge.assess import Material, assess
from pytest_ethrex_perf.judge.family import spending
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.measurement import Pair
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_ethrex_perf.gate.findings import Findings
    from pytest_ethrex_perf.gate.launch import Launch
    from pytest_ethrex_perf.gate.plan import Plan
    from pytest_ethrex_perf.gate.policy import Settle
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.decision import Decision, Rules
    from pytest_ethrex_perf.records.measurement import Invocation, Side
    from pytest_ethrex_perf.records.request import Gating, Request
    from pytest_ethrex_perf.records.result import MetricResult


class Block:
    """One block of a run: takes turns until every one of its gatings is decided.

    A decided block may be given further turns: the mean over blocks needs every round whole.
    """

    def __init__(self, request: Request, rules: Mapping[Gating, Rules]) -> None:
        self.request = request
        self.rules = dict(rules)
        self.pairs: list[Pair] = []
        self.invocations: list[Invocation] = []
        self.decisions: dict[Gating, Decision] = {}
        self.skipped: str | None = None
        """Why it need not be measured."""
        self.error: str | None = None
        """Why it could not be measured; then nothing is judged."""
        self.refused = False
        """It was measured whole and the session not recorded; `error` says why."""
        self.recorded: str | None = None
        """What was written into which baseline."""
        self.findings: Findings | None = None
        """Where its time goes."""
        self._plan: Plan | None = None
        self._final = False

    def __str__(self) -> str:
        return str(self.id)

    @property
    def id(self) -> BlockId:
        """The block."""
        return self.request.block

    # --- what becomes of it ---------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """How it is measured. Raises AttributeError before it is planned (`is_planned`)."""
        if self._plan is None:
            raise AttributeError(f"{self.id} has no plan")
        return self._plan

    @property
    def is_planned(self) -> bool:
        """Whether it has a plan."""
        return self._plan is not None

    @property
    def is_open(self) -> bool:
        """Whether it has a plan and can be measured."""
        return self.is_planned and self.error is None

    @property
    def is_begun(self) -> bool:
        """Whether anything is known of it: its plan, or why it has none."""
        return self.is_planned or self.skipped is not None or self.error is not None

    def measure_by(self, plan: Plan) -> None:
        """Take the plan by which it will be measured."""
        self._plan = plan

    def skip(self, reason: str) -> None:
        """Note that it need not be measured."""
        self.skipped = reason

    def fail(self, reason: str, *, refused: bool = False) -> None:
        """Note why it was not measured, or (`refused`) not recorded."""
        self.error, self.refused = reason, refused

    def note_recorded(self, sentence: str) -> None:
        """Note what was written into which baseline."""
        self.recorded = sentence

    def note_findings(self, findings: Findings) -> None:
        """Note where its time goes."""
        self.findings = findings

    # --- progress -------------------------------------------------------------------------------------------

    @property
    def samples_taken(self) -> int:
        """Pairs (interleaved) or invocations measured so far."""
        return len(self.pairs) or len(self.invocations)

    @property
    def samples_planned(self) -> int:
        """Pairs or invocations after which it ends at the latest."""
        if self.plan.mode == "interleaved":
            return max(map(self._last_look, self.rules))
        return self.plan.invocations

    def _last_look(self, gating: Gating) -> int:
        return self.rules[gating].plan(self.decisions.get(gating))[-1]

    @property
    def samples_ordinary(self) -> int:
        """Pairs or invocations of the ordinary plan; what an undecided block takes beyond costs patience."""
        if self.plan.mode == "interleaved":
            return max(rules.looks[-1] for rules in self.rules.values())
        return self.plan.invocations

    @property
    def in_ordinary_plan(self) -> bool:
        """Whether it needs a turn of the ordinary plan."""
        return not self.decided and self.samples_taken < self.samples_ordinary

    def turns_left(self) -> dict[Block, int]:
        """Its turns up to the end of its plan, as far as that is known."""
        return {self: self.samples_planned - self.samples_taken}

    @property
    def seconds_a_turn(self) -> float:
        """Mean duration of a turn, s; 0 before the first."""
        return sum(map(_seconds, self._turns)) / max(len(self._turns), 1)

    @property
    def seconds_of_last_turn(self) -> float:
        """Duration of the last turn, s; 0 before the first."""
        return _seconds(self._turns[-1]) if self._turns else 0.0

    @property
    def _turns(self) -> Sequence[tuple[Invocation, ...]]:
        return [(pair.base, pair.head) for pair in self.pairs] or [(each,) for each in self.invocations]

    @property
    def decided(self) -> bool:
        """Whether nothing more needs to be measured for its own gatings."""
        if self.skipped is not None or self.error is not None or self._final:
            return True
        if self.plan.mode == "interleaved":
            return all(self._verdict(gating) is not None for gating in self.rules)
        return len(self.invocations) >= self.plan.invocations

    def _verdict(self, gating: Gating) -> Verdict | None:
        decision = self.decisions.get(gating)
        return None if decision is None else decision.verdict

    @property
    def estimate(self) -> Decision | None:
        """The running decision of the first gating, for progress."""
        return next(iter(self.decisions.values()), None)

    @property
    def change(self) -> float | None:
        """The running estimate of its first gating, a log; None before there is one."""
        return None if self.estimate is None else self.estimate.estimate

    def visible(self) -> float | None:
        """The slowdown (log) of its first gating that would be found, were no more pairs to come.

        With a probability of 90 %, and without a floor; None before the first look.
        """
        gating, decision = next(iter(self.decisions.items()), (None, None))
        if gating is None or decision is None or decision.sd is None or not decision.looks:
            return None
        rules = replace(self.rules[gating], looks=self.rules[gating].plan(decision), most=0)
        return power.detectable(spending(rules, decision.pairs, final=True), decision.sd, rules)

    def asks_for(self) -> list[str]:
        """What the noise asks for where it is more than the ordinary plan; said once, at the first look."""
        sentences = []
        for gating, decision in self.decisions.items():
            rules = self.rules[gating]
            goes_on = (
                decision.verdict is None
                and bool(decision.looks)
                and self._last_look(gating) > rules.looks[-1]
            )
            if goes_on and self.samples_taken == rules.looks[0]:
                seconds = (self._last_look(gating) - self.samples_taken) * self.seconds_a_turn
                sentences.append(f"{self} {gating.metric}: {words.asks_for(decision, rules, seconds)}")
        return sentences

    # --- measuring ------------------------------------------------------------------------------------------

    def take_turn(self, launch: Launch, *, keep_counting: bool = False) -> None:
        """Measure one pair (interleaved) or one invocation and judge; trouble ends the block as `error`.

        Raises `NoAnswerError` where the first answer of a program is not that of an ethrex-replay.
        With `keep_counting` somebody else still wants what is counted beside the clock.
        """
        try:
            if self.plan.mode == "interleaved":
                self._take_pair(launch, count=keep_counting or self._counts_wanted())
            else:
                self.invocations.append(self._invoke(launch, "head", len(self.invocations), count=True))
                for gating in self.rules:  # what can't be judged is not worth an hour, nor recording
                    self.material.check(gating.metric)
            if not self._final:  # a decided block may go on for the mean over blocks, but is not judged again
                self._judge()
        except NoAnswerError:  # with no other block would it go better
            raise
        except EthrexPerfError as error:
            self.fail(str(error))

    def finish(self) -> None:
        """No more time: decide with what is there."""
        if self.decided:
            return
        self._final = True
        if self.samples_taken == 0:
            self.fail(
                f"{self.id}: the time budget was spent before it was measured: raise --ethrex-time-budget"
            )
        elif self.plan.mode == "record":
            self.fail(
                f"{self.id}: the time budget was spent after {len(self.invocations)} of "
                f"{self.plan.invocations} invocations, nothing was recorded: raise --ethrex-time-budget"
            )
        else:
            self._judge()

    def _take_pair(self, launch: Launch, *, count: bool) -> None:
        first = first_side(len(self.pairs))
        second: Side = "head" if first == "base" else "base"
        taken = {side: self._invoke(launch, side, len(self.pairs), count=count) for side in (first, second)}
        self.pairs.append(Pair(first=first, base=taken["base"], head=taken["head"]))

    def _invoke(self, launch: Launch, side: Side, index: int, *, count: bool) -> Invocation:
        program = self.plan.head if side == "head" else self.plan.base
        if program is None:
            raise MeasurementError(f"{self.id}: there is no base program to run")
        return launch(
            program,
            self.id,
            repeat=self.plan.repeat,
            label=f"{side}-{index + 1:03}",
            turn=index,
            count=count,
        )

    def _counts_wanted(self) -> bool:
        """Whether counts of this pair are still worth a run of their own.

        Not once everything is decided that is judged by them; both sides of a pair are asked alike.
        """
        judged = [gating for gating in self.rules if gating.metric not in TIMES]
        return not judged or any(self._verdict(gating) is None for gating in judged)

    # --- judging --------------------------------------------------------------------------------------------

    @property
    def material(self) -> Material:
        """What was measured so far, and what it is compared with."""
        return Material(
            block=str(self.id),
            drop=self.request.drop,
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

    def _judge(self) -> None:
        if self.plan.mode == "record" or (self.plan.mode == "stored" and not self.decided):
            return
        material = self.material
        for gating, rules in self.rules.items():
            if self._verdict(gating) is None:
                result = assess(material, gating.metric, rules, final=self._final)
                self.decisions[gating] = result.decision

    def results(self, settle: Settle) -> Iterator[MetricResult]:
        """What was decided of each gating, and what follows from it."""
        material = self.material
        for gating in self.decisions:
            result = assess(material, gating.metric, self.rules[gating], final=self._final)
            consequence = settle(self.id, gating.metric, result.decision)
            yield msgspec.structs.replace(
                result, outcome=consequence.outcome, outcome_reason=consequence.reason
            )

    def failed_regressions(self, settle: Settle) -> list[str]:
        """Metrics that fail because they were proven slower."""
        return [
            gating.metric
            for gating, decision in self.decisions.items()
            if decision.verdict is Verdict.REGRESSION
            and settle(self.id, gating.metric, decision).outcome == "fail"
        ]


def _seconds(turn: tuple[Invocation, ...]) -> float:
    return sum(invocation.wall_ns + invocation.counting_ns for invocation in turn) / 1e9
