"""A baseline's history: levels of its sessions, and earlier ones that results are shown beside."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records.metric import DEFAULT, INSTRUCTIONS, TIMES
from pytest_ethrex_perf.records.result import FIRST_SESSION, PastEpoch, PastSession

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ethrex_perf.baseline.schema import Baseline, Session

DROP = 1
"""Repeats at the start of an invocation that levels leave out."""


class EarlierSession(NamedTuple):
    """A session that results are also shown against, so that creep is seen."""

    label: str
    """`epoch's first session`, `session tagged v1`."""
    session: Session


def earlier_sessions(baseline: Baseline) -> list[EarlierSession]:
    """Return the current epoch's first session and every tagged session of any epoch, each once."""
    first = baseline.epoch.sessions[0]
    tagged = f" (tagged {', '.join(first.tags)})" if first.tags else ""
    return [
        EarlierSession(f"{FIRST_SESSION}{tagged}", first),
        *(
            EarlierSession(f"session tagged {', '.join(session.tags)}", session)
            for session in baseline.sessions()
            if session.tags and session is not first
        ),
    ]


def past(baseline: Baseline, metrics: Iterable[str], drop: int) -> list[PastEpoch]:
    """Return every epoch in short, for results: the level of each of `metrics`, counted as it was last."""
    like = {metric: usual(baseline, metric) for metric in metrics}

    def levels(session: Session) -> dict[str, float]:
        (raw,) = baseline.raw([session])
        comparable = {name: samples.comparable(raw, name, identity) for name, identity in like.items()}
        return {
            name: math.exp(statistics.fmean(samples.of(invocations, name, drop)))
            for name, invocations in comparable.items()
            if invocations
        }

    return [
        PastEpoch(
            number=number,
            reason=epoch.reason,
            started=epoch.started,
            sessions=tuple(
                PastSession(
                    id=session.id,
                    started=session.started,
                    tags=session.tags,
                    invocations=len(session.invocations),
                    levels=levels(session),
                )
                for session in epoch.sessions
            ),
        )
        for number, epoch in enumerate(baseline.epochs, 1)
    ]


def level(
    baseline: Baseline, sessions: Iterable[Session], metric: str, drop: int = DROP, like: str | None = None
) -> float | None:
    """Return the median over the invocations of `sessions` of what is judged of each (`levels`).

    In the metric's unit, ns for times; None where it was not counted `like` this (None: as in the baseline's
    newest session).
    """
    values = [value for session in sessions for value in levels(baseline, session, metric, drop, like)]
    return statistics.median(values) if values else None


def usual(baseline: Baseline, metric: str) -> str | None:
    """Return the identity with which the newest session that has `metric` counted it; None of times."""
    return samples.usual(baseline.raw(list(baseline.sessions())), metric)


def levels(
    baseline: Baseline, session: Session, metric: str, drop: int = DROP, like: str | None = None
) -> list[float]:
    """Return the sample of each invocation of `session`, in the metric's unit."""
    (raw,) = baseline.raw([session])
    invocations = samples.comparable(raw, metric, like or usual(baseline, metric))
    if metric in TIMES:
        return [math.exp(logarithm) for logarithm in samples.of(invocations, metric, drop)]
    counts = (invocation.counts[metric].value for invocation in invocations)
    return [value for value in counts if value is not None]


def main_metric(baseline: Baseline) -> str:
    """Return the metric that a baseline is about: exec, or instructions where it has no times to compare."""
    return DEFAULT if baseline.times else INSTRUCTIONS
