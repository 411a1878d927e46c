"""From raw data to a `MetricResult`: the only place where what was measured is judged.

The gate calls `assess` after every pair, `ethrex-perf compare` and `ethrex-perf explain` call it with what
results files hold. So whatever it decides can be recomputed from a file.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge import family, paired, samples, stored
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.metric import unit
from pytest_ethrex_perf.records.result import MetricResult, ReferenceResult, SuiteResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ethrex_perf.records.decision import Decision, Rules
    from pytest_ethrex_perf.records.measurement import Invocation, Sample, Side, StoredSession
    from pytest_ethrex_perf.records.result import BlockResult, Outcome

_OUTCOMES: dict[Verdict | None, Outcome] = {
    Verdict.REGRESSION: "fail",
    Verdict.IMPROVEMENT: "pass",
    Verdict.UNCHANGED: "pass",
    Verdict.INCONCLUSIVE: "warn",
    None: "warn",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What was measured of a block, raw, and what it is compared with."""

    block: str
    """The block's name, for messages."""
    drop: int
    """Repeats dropped at the start of each invocation."""
    head: Sequence[Invocation]
    """In the order they ran."""
    base: Sequence[Invocation] = ()
    """In the order they ran; none where only stored sessions are at hand."""
    paired: bool = False
    """base[i] and head[i] ran next to each other. Otherwise `base` is a single session."""
    sample: Sample = samples.CURRENT
    """How the repeats of a time become its sample."""
    sessions: Sequence[StoredSession] = ()
    """Of the stored baseline. They decide where there is no base, and are context beside pairs."""

    @classmethod
    def of(cls, block: BlockResult) -> Material:
        """Return the raw data of a block of a results file."""
        in_turns = block.mode == "interleaved"
        return cls(
            block=block.block,
            drop=block.drop,
            sample=block.sample,
            head=tuple(pair.head for pair in block.pairs) if in_turns else block.invocations,
            base=tuple(pair.base for pair in block.pairs) if in_turns else (),
            paired=in_turns,
            sessions=block.baseline,
        )

    def samples(self, side: Side, metric: str) -> list[float]:
        """Return a sample (log) of each invocation of `side`, as long as `metric` was counted."""
        return samples.of(self._taken(side, metric), metric, self.drop, self.sample)

    def stored(self, metric: str) -> list[list[float]]:
        """Return the samples of the stored sessions that can be compared with; less than 6 h apart is one."""
        return samples.stored(self.sessions, metric, self.drop, self.identity(metric), self.sample)

    def step(self, metric: str, used: int | None = None) -> float:
        """Return the coarsest resolution (log) of the first `used` invocations of either side (None: all)."""
        base, head = self._taken("base", metric)[:used], self._taken("head", metric)[:used]
        return samples.step((*base, *head), metric)

    def identity(self, metric: str) -> str | None:
        """Return how `metric` was counted, None of a time; raises `MeasurementError` if not alike."""
        return samples.identity((*self.base, *self.head), metric)

    def check(self, metric: str) -> None:
        """Raise `MeasurementError` for a `metric` of head that can't be judged, whatever else is measured."""
        self.identity(metric)
        self.samples("head", metric)

    def _taken(self, side: Side, metric: str) -> Sequence[Invocation]:
        return samples.while_counted(self.base if side == "base" else self.head, metric)


def assess(
    material: Material, metric: str, rules: Rules, *, final: bool = False, used: int | None = None
) -> MetricResult:
    """Return what follows from `material` for one gating; its outcome is what the verdict alone gives.

    Pairs are judged look by look and the first look that decides wins, however many pairs followed. With
    `final` nothing more will be measured, so that what is open is inconclusive; with `used` only so many
    pairs take part. Without pairs there is one decision, over all of head's invocations.

    Raises `MeasurementError` for what can't be judged, ValueError for numbers that nobody can have measured
    and for rules that make no sense.
    """
    identity = material.identity(metric)
    head = material.samples("head", metric)
    if material.paired:
        base = material.samples("base", metric)
        decision = _walk(
            base[:used], head[:used], rules, lambda pairs: material.step(metric, pairs), final=final
        )
        earlier = [base[: decision.pairs]]
    else:
        earlier = [material.samples("base", metric)] if material.base else material.stored(metric)
        if not earlier:
            raise MeasurementError(_nothing_stored(material, metric))
        decision = stored.judge(earlier, head, rules, step=material.step(metric))
    return MetricResult(
        metric=metric,
        rules=rules,
        decision=decision,
        step=material.step(metric, decision.pairs if material.paired else None),
        unit=unit(metric),
        identity=identity,
        base=_level(earlier),
        head=_level([head[: decision.pairs]]),
        outcome=_OUTCOMES[decision.verdict],
        context=context(material, metric, rules) if material.paired else None,
    )


def assess_mean(
    materials: Sequence[Material],
    metric: str,
    rules: Rules,
    *,
    final: bool = False,
    used: int | None = None,
) -> SuiteResult:
    """Return what follows for the mean over blocks, from the rounds that all of `materials` have.

    `final` and `used` (rounds) as in `assess`; raises as it does.
    """
    base, head = mean_samples(materials, metric)
    decision = _walk(
        base[:used], head[:used], rules, lambda rounds: _step(materials, metric, rounds), final=final
    )
    return SuiteResult(
        metric=metric,
        blocks=tuple(material.block for material in materials),
        rules=rules,
        decision=decision,
        step=_step(materials, metric, decision.pairs),
        outcome=_OUTCOMES[decision.verdict],
    )


def mean_samples(materials: Sequence[Material], metric: str) -> tuple[list[float], list[float]]:
    """Return the samples of base and of head averaged over the blocks, round by round."""
    base, head = family.mean_over_blocks(
        [material.samples("base", metric) for material in materials],
        [material.samples("head", metric) for material in materials],
    )
    return base.tolist(), head.tolist()


def context(material: Material, metric: str, rules: Rules) -> Decision | None:
    """Return head against the stored sessions, beside an interleaved verdict; None if nothing compares.

    Every pair takes part, those after the verdict too.
    """
    sessions = material.stored(metric)
    if not sessions:
        return None
    return stored.judge(sessions, material.samples("head", metric), rules, step=material.step(metric))


def reference(
    material: Material, metric: str, rules: Rules, name: str, session: StoredSession
) -> ReferenceResult | None:
    """Return head beside one earlier `session`, and what such two alone can see; None if nothing compares."""
    invocations = samples.comparable(session, metric, samples.identity(material.head, metric))
    if not invocations:
        return None
    earlier = samples.of(invocations, metric, material.drop, material.sample)
    head = material.samples("head", metric)
    decision = stored.judge([earlier], head, rules, step=material.step(metric))
    return ReferenceResult(
        name=name,
        date=session.started[:10],
        metric=metric,
        change=math.expm1(statistics.fmean(head) - statistics.fmean(earlier)),
        detectable=None if decision.detectable is None else math.expm1(decision.detectable),
    )


def contradiction(material: Material, metric: str, rules: Rules) -> Decision | None:
    """Return the decision by which head does not belong to its stored sessions, None where it does.

    None also where nothing compares. The resolution of the stored sessions counts, too: head will be one of
    them. Raises `MeasurementError` for a `metric` that can't be judged.
    """
    material.check(metric)
    sessions = material.stored(metric)
    if not sessions:
        return None
    identity = material.identity(metric)
    recorded = (samples.comparable(session, metric, identity) for session in material.sessions)
    step = max(material.step(metric), samples.step(chain.from_iterable(recorded), metric))
    return stored.contradicts(sessions, material.samples("head", metric), rules, step=step)


def is_cut_short(decision: Decision, rules: Rules) -> bool:
    """Whether `decision` was final before the last look: it shows in the looks that were taken."""
    looks, plan = tuple(look.pairs for look in decision.looks), rules.plan(decision)
    ended = decision.verdict is Verdict.INCONCLUSIVE and decision.pairs < plan[-1]
    return ended or looks != plan[: len(looks)]


def _walk(
    base: Sequence[float],
    head: Sequence[float],
    rules: Rules,
    step: Callable[[int], float],
    *,
    final: bool,
) -> Decision:
    """Judge up to the first look that decides; `step` is the resolution of so many pairs."""
    if rules.most:
        rules = paired.planned(base, head, rules, step(rules.looks[0]))
    pairs = paired.pairs_to_decide(base, head, rules, step)
    return paired.judge(base[:pairs], head[:pairs], rules, step=step(pairs), final=final)


def _step(materials: Sequence[Material], metric: str, rounds: int) -> float:
    return max(material.step(metric, rounds) for material in materials)


def _level(sessions: Sequence[Sequence[float]]) -> float:
    """Geometric mean over sessions of samples (logs), in the metric's unit."""
    return math.exp(statistics.fmean(map(statistics.fmean, sessions)))


def _nothing_stored(material: Material, metric: str) -> str:
    identity = material.identity(metric)
    invocations = (invocation for session in material.sessions for invocation in session.invocations)
    counts = (invocation.counts.get(metric) for invocation in invocations)
    identities = sorted({count.identity for count in counts if count is not None})
    return (
        f"{material.block}: the stored sessions have no {identity or metric} to compare with "
        f"(they have {'; '.join(identities) or 'no such count'}): record sessions that have: "
        "--ethrex-update-baseline with the same --ethrex-counters and --ethrex-metrics"
    )
