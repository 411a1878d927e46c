"""Phases: a change for each that both sides have, with an interval, and no verdict."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.judge import phases
from pytest_ethrex_perf.judge.assess import Material
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.measurement import StoredSession
from tests.baseline.builders import make_invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.measurement import Invocation


def invocations(name: str, levels_ms: Sequence[float], **others: float) -> list[Invocation]:
    return [
        make_invocation(60.0, seed, phases={name: level, **others}) for seed, level in enumerate(levels_ms)
    ]


def noisy(level_ms: float, number: int, seed: int) -> list[float]:
    random = Random(seed)  # noqa: S311 - nothing secret
    return [round(level_ms * math.exp(random.gauss(0, 0.01)), 2) for _ in range(number)]


def pairs(base: Sequence[Invocation], head: Sequence[Invocation]) -> Material:
    return Material(block="mainnet/1", drop=1, head=head, base=base, paired=True)


def test_a_phase_of_pairs_has_its_change_and_an_interval_around_it() -> None:
    base, head = noisy(40, 12, 1), noisy(42, 12, 2)
    material = pairs(invocations("exec", base), invocations("exec", head))
    change = phases.changes(material, Rules())["exec"]
    assert change.estimate == pytest.approx(math.log(1.05), abs=0.01)
    assert change.ci95 is not None
    assert change.ci95[0] < math.log(1.05) < change.ci95[1]
    assert math.exp(change.estimate) == pytest.approx(change.head_ms / change.base_ms)


def test_the_interval_holds_the_truth_in_95_of_100_cases() -> None:
    inside = 0
    for seed in range(300):
        material = pairs(
            invocations("exec", noisy(40, 8, 2 * seed)), invocations("exec", noisy(40, 8, 2 * seed + 1))
        )
        low, high = phases.changes(material, Rules())["exec"].ci95 or (1.0, 1.0)
        inside += low <= 0 <= high
    assert 275 <= inside <= 295


def test_whole_milliseconds_that_never_change_are_no_proof() -> None:
    material = pairs(invocations("store", [4.0] * 6), invocations("store", [4.0] * 6))
    low, high = phases.changes(material, Rules())["store"].ci95 or (0.0, 0.0)
    assert low < -0.1
    assert high > 0.1


def test_a_phase_of_0_ms_and_one_of_a_single_side_have_no_change() -> None:
    base = invocations("exec", [40.0] * 6, validate=0.0, warm=1.0)
    head = invocations("exec", [40.0] * 6, validate=0.0, store=2.0)
    assert list(phases.changes(pairs(base, head), Rules())) == ["exec"]


@pytest.mark.parametrize("level_ms", [1e-300, 1e300])
def test_what_no_program_prints_has_no_change(level_ms: float) -> None:
    strange = invocations("store", [level_ms] * 6)
    assert phases.changes(pairs(strange, strange), Rules()) == {}


def test_one_pair_has_a_change_and_no_interval() -> None:
    change = phases.changes(pairs(invocations("exec", [40.0]), invocations("exec", [44.0])), Rules())["exec"]
    assert change.ci95 is None
    assert change.estimate == pytest.approx(math.log(1.1))


def test_stored_sessions_predict_a_phase_as_they_predict_exec() -> None:
    sessions = tuple(
        StoredSession(
            id="",
            started=f"2026-01-0{day}T08:00:00+00:00",
            program_sha256="",
            invocations=tuple(invocations("merkle", noisy(20, 8, day))),
        )
        for day in range(1, 5)
    )
    head = invocations("merkle", noisy(22, 8, 9))
    change = phases.changes(Material("mainnet/1", 1, head, sessions=sessions), Rules())["merkle"]
    assert change.ci95 is not None
    assert 0 < change.ci95[0] < math.log(1.1) < change.ci95[1]
    assert change.ci95[1] - change.ci95[0] > 0.03  # what sessions differ by is in it


def test_sessions_of_an_unreadable_day_are_compared_with_nothing() -> None:
    session = StoredSession(
        id="",
        started="yesterday",
        program_sha256="",
        invocations=tuple(invocations("exec", noisy(40, 8, 1))),
    )
    head = invocations("exec", noisy(40, 8, 2))
    assert phases.changes(Material("mainnet/1", 1, head, sessions=(session,)), Rules()) == {}


def test_a_recorded_session_is_compared_with_nothing() -> None:
    assert phases.changes(Material("mainnet/1", 1, invocations("exec", [40.0])), Rules()) == {}
