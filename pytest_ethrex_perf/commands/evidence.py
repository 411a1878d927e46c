"""The raw data of a results file as the judge takes it: one sample an invocation, and its resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge import sample, stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ethrex_perf.baseline.schema import Session
    from pytest_ethrex_perf.judge.verdict import Rules
    from pytest_ethrex_perf.results import BlockResult, Invocation, StoredSession


def samples(invocations: Iterable[Invocation], metric: str, drop: int) -> list[float]:
    """One number per invocation: the log (of ns) of the median of its repeats after the first `drop`.

    Raises ValueError for repeats that nobody can have measured, KeyError for a metric that there is not.
    """
    return [sample.log_median(invocation.repeats(metric), drop) for invocation in invocations]


def rules(block: BlockResult) -> dict[str, Rules]:
    """The rules of each metric by which `block` was judged, or would have been had it not been recorded."""
    return {**block.rules, **{result.metric: result.rules for result in block.metrics}}


def step(invocations: Iterable[Invocation], metric: str) -> float:
    """Coarsest resolution (log) at which a sample of `invocations` was printed, 0 of none.

    Raises as `samples` does.
    """
    return max((sample.step(invocation.repeats(metric)) for invocation in invocations), default=0.0)


def sessions(recorded: Sequence[StoredSession | Session], metric: str, drop: int) -> list[list[float]]:
    """Samples of stored sessions, those less than 6 h apart as one; raises as `samples` does."""
    starts = [session.started for session in recorded]
    return stored.merge_sessions(starts, [samples(one.invocations, metric, drop) for one in recorded])
