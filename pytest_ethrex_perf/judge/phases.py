"""What changed in each phase of the program's own log, for information: phases are never judged.

A phase of an invocation is the median over its repeats, as printed. Its change has the interval of `exec`'s
own method: of pairs by t, of stored sessions by what they predict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from scipy.special import stdtrit

from pytest_ethrex_perf.judge import stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ethrex_perf.judge.assess import Material
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.measurement import Invocation

_DIGITS = 3
"""Decimals of a ms that any version of ethrex prints, and of what is made of its percentages."""
_SHORTEST_MS, _LONGEST_MS = 1e-6, 1e9
"""What any program prints lies between; intervals of anything else could be beyond what a float holds."""
_TAIL = 0.975


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """One phase of base beside head."""

    base_ms: float
    """Geometric mean over invocations, of stored sessions over their means."""
    head_ms: float
    estimate: float
    """log(head / base)."""
    ci95: tuple[float, float] | None
    """Its 95 % interval, logs, each phase for itself; None where too little was measured to tell."""


def changes(material: Material, rules: Rules) -> dict[str, PhaseChange]:
    """Return the change of each phase that both sides have, in the order of the log.

    A phase that was printed as 0 ms has no ratio and is left out; so are stored sessions of which not even
    the start can be read. `rules` say what is expected of stored sessions.
    """
    names = dict.fromkeys(name for invocation in material.head for name in invocation.phases)
    found = {name: _change(material, name, rules) for name in names}
    return {name: change for name, change in found.items() if change is not None}


def _change(material: Material, name: str, rules: Rules) -> PhaseChange | None:
    if material.paired:
        pairs = [
            (base.phases[name], head.phases[name])
            for base, head in zip(material.base, material.head, strict=True)
            if name in base.phases and name in head.phases
        ]
        return _of_pairs(pairs) if _have_ratios([value for pair in pairs for value in pair]) else None
    sessions = [(one.started, _values(one.invocations, name)) for one in material.sessions if one.times]
    there = [(started, values) for started, values in sessions if values]
    head = _values(material.head, name)
    if (
        not there
        or not head
        or not _have_ratios([*head, *chain.from_iterable(values for _, values in there)])
    ):
        return None
    return _of_sessions([started for started, _ in there], [values for _, values in there], head, rules)


def _of_pairs(pairs: Sequence[tuple[float, float]]) -> PhaseChange:
    base, head = ([math.log(pair[side]) for pair in pairs] for side in (0, 1))
    differences = [after - before for before, after in zip(base, head, strict=True)]
    estimate, ci95 = fmean(differences), None
    if len(pairs) > 1:
        sd = max(stdev(differences), _step([value for pair in pairs for value in pair]))
        reach = float(stdtrit(len(pairs) - 1, _TAIL)) * sd / math.sqrt(len(pairs))
        ci95 = estimate - reach, estimate + reach
    return PhaseChange(math.exp(fmean(base)), math.exp(fmean(head)), estimate, ci95)


def _of_sessions(
    started: Sequence[str], sessions: Sequence[Sequence[float]], head: Sequence[float], rules: Rules
) -> PhaseChange | None:
    try:
        merged = stored.merge_sessions(started, [list(map(math.log, values)) for values in sessions])
    except (TypeError, ValueError):  # no time, or one without its zone beside others
        return None
    after = list(map(math.log, head))
    step = _step([*head, *chain.from_iterable(sessions)])
    level = fmean(map(fmean, merged))
    decision = stored.judge(merged, after, rules, step=step)
    return PhaseChange(math.exp(level), math.exp(fmean(after)), fmean(after) - level, decision.ci95)


def _values(invocations: Iterable[Invocation], name: str) -> list[float]:
    return [invocation.phases[name] for invocation in invocations if name in invocation.phases]


def _have_ratios(values: Sequence[float]) -> bool:
    return bool(values) and _SHORTEST_MS <= min(values) <= max(values) <= _LONGEST_MS


def _step(values: Sequence[float]) -> float:
    """Return the resolution (log) of values that were printed in ms: of the fewest decimals that hold them.

    A median of an even number of repeats lies half a step between two, so halves count as none.
    """
    digits = next(
        (d for d in range(_DIGITS) if all(_is_whole(2 * 10**d * value) for value in values)), _DIGITS
    )
    return math.log1p(10.0**-digits / fmean(values))


def _is_whole(value: float) -> bool:
    return math.isclose(value, round(value), abs_tol=1e-6)
