"""One block's result as plain data, at any time of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.gate import advice, cautions, table
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.judge.assess import reference
from pytest_ethrex_perf.records.result import BlockResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.plan import Plan
    from pytest_ethrex_perf.gate.policy import Policy
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import ReferenceResult, SideResult


def block_result(block: Block, policy: Policy) -> BlockResult:
    """Everything about a block that is planned: what was measured, raw, and what was made of it."""
    plan = block.plan
    measured = [*block.side("head"), *block.side("base")]
    base = _base(block)
    head = table.summed_up(block.side("head"), plan.head.label, plan.head, plan.request.drop)
    return BlockResult(
        block=str(block.id),
        mode=plan.mode,
        aa=plan.aa,
        repeat=plan.repeat,
        drop=plan.request.drop,
        sample=samples.CURRENT,
        cache=plan.cache,
        gas=measured[0].gas if measured else None,
        txs=measured[0].txs if measured else None,
        base=base,
        head=head,
        rows=tuple(table.rows(_sides(block), base, head, plan.request.drop, plan.vendor)) if measured else (),
        rules={gating.metric: rules for gating, rules in block.rules.items()},
        metrics=() if block.error else tuple(block.results(policy)),
        references=() if block.error else tuple(_references(block)),
        published=plan.published,
        notes=cautions.notes(block),
        advice=advice.of(block, policy.settings),
        error=block.error,
        recorded=block.recorded,
        refused=block.refused,
        reproduce=plan.reproduce,
        pairs=tuple(block.pairs),
        invocations=tuple(block.invocations),
        baseline=plan.sessions,
        history=plan.history,
    ).sealed()


def _base(block: Block) -> SideResult | None:
    plan = block.plan
    if plan.mode == "interleaved" and plan.base is not None:
        return table.summed_up(block.side("base"), plan.base.label, plan.base, plan.request.drop)
    if plan.mode != "stored":
        return None
    timed, counted = _stored(plan)
    drop = plan.request.drop
    stored = table.summed_up(timed or counted, plan.baseline_label, None, drop, times=bool(timed))
    return stored and msgspec.structs.replace(stored, recorded=plan.recorded)


def _references(block: Block) -> Iterator[ReferenceResult]:
    """Head beside earlier sessions, for each gated metric."""
    material = block.material
    if not material.head:
        return
    for gating, rules in block.rules.items():
        for name, session in block.plan.references:
            result = reference(material, gating.metric, rules, name, session)
            if result is not None:
                yield result


def _sides(block: Block) -> table.Sides:
    if block.side("base"):
        return table.Sides(block.side("base"), block.side("head"))
    timed, counted = _stored(block.plan)
    return table.Sides(timed, block.side("head"), counted)


def _stored(plan: Plan) -> tuple[list[Invocation], list[Invocation]]:
    """Stored invocations whose times are compared, and those of whom only counts are."""
    timed, counted = (
        [
            invocation
            for session in plan.sessions
            if session.times is times
            for invocation in session.invocations
        ]
        for times in (True, False)
    )
    return timed, counted
