"""From raw data to a result: what the gate, compare and explain all call."""

from __future__ import annotations

import math
import statistics
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge import paired, samples
from pytest_ethrex_perf.judge.assess import (
    Material,
    assess,
    assess_mean,
    contradiction,
    is_cut_short,
    reference,
)
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.measurement import Count, StoredSession
from tests.baseline.builders import make_invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.decision import Decision
    from pytest_ethrex_perf.records.measurement import Invocation


def invocations(*levels_ms: float) -> list[Invocation]:
    return [make_invocation(level, seed) for seed, level in enumerate(levels_ms)]


def levels(typical_ms: float, noise: float, number: int, seed: int) -> list[float]:
    random = Random(seed)  # noqa: S311 - nothing secret
    return [typical_ms * math.exp(random.gauss(0, noise)) for _ in range(number)]


def pairs(base: Sequence[Invocation], head: Sequence[Invocation], **fields: Any) -> Material:
    return Material(block="mainnet/1", drop=1, head=head, base=base, paired=True, **fields)


def stored(taken: Sequence[Invocation], day: int = 1, *, times: bool = True) -> StoredSession:
    return StoredSession(
        id="",
        started=f"2026-01-0{day}T08:00:00+00:00",
        program_sha256="",
        times=times,
        invocations=tuple(taken),
    )


def counting(taken: Sequence[Invocation], value: float = 4e9, **fields: Any) -> list[Invocation]:
    """The same, with instructions counted."""
    how = {"instrument": "perf", "method": "window", "covers": "repeat", "user_only": True, **fields}
    return [
        msgspec.structs.replace(
            one, counts={"instructions": Count(event="instructions", values=(value + number,), **how)}
        )
        for number, one in enumerate(taken)
    ]


EQUAL = pairs(invocations(*[60] * 24), invocations(*[60] * 24))
SLOWER = pairs(invocations(*levels(60, 0.001, 24, 1)), invocations(*levels(66, 0.001, 24, 2)))
NOISY = pairs(invocations(*levels(60, 0.1, 24, 1)), invocations(*levels(62, 0.1, 24, 2)))


# --- interleaved --------------------------------------------------------------------------------------------


def one_by_one(material: Material, rules: Rules) -> Decision:
    """What a gate decides that judges after every pair, and then has no more time."""
    for number in range(1, len(material.head) + 1):
        base, head = (
            samples.of(side[:number], "exec", material.drop) for side in (material.base, material.head)
        )
        step = samples.step([*material.base[:number], *material.head[:number]], "exec")
        decision = paired.judge(base, head, rules, step=step)
        if decision.verdict is not None:
            return decision
    return paired.judge(base, head, rules, step=step, final=True)


@given(
    st.integers(1, 26),
    st.sampled_from([59.9, 60.0, 61.5, 66.0, 999.0, 1020.0]),
    st.sampled_from([0.0, 0.003, 0.03]),
    st.integers(0, 10**6),
)
def test_it_decides_as_whoever_judges_after_every_pair(
    number: int, typical_ms: float, noise: float, seed: int
) -> None:
    base, head = (invocations(*levels(typical_ms, noise, number, seed + side)) for side in (0, 1))
    material = pairs(base, head)
    assert assess(material, "exec", Rules(), final=True).decision == one_by_one(material, Rules())


def test_the_first_look_that_decides_wins_however_many_pairs_followed() -> None:
    result = assess(SLOWER, "exec", Rules())
    assert (str(result.decision.verdict), result.decision.pairs) == ("regression", 6)
    assert result == assess(SLOWER, "exec", Rules(), used=6) == assess(SLOWER, "exec", Rules(), final=True)


def test_levels_and_resolution_are_those_of_the_pairs_that_decided() -> None:
    coarse = [make_invocation(exec_ns=(1_010_000_000,) * 4) for _ in range(4)]
    result = assess(pairs([*SLOWER.base, *coarse], [*SLOWER.head, *coarse]), "exec", Rules())
    assert result == assess(SLOWER, "exec", Rules())
    for side, level in ((SLOWER.base, result.base), (SLOWER.head, result.head)):
        assert level == math.exp(statistics.fmean(samples.of(side[:6], "exec", 1)))
    assert result.step == samples.step([*SLOWER.base[:6], *SLOWER.head[:6]], "exec")
    assert (result.metric, result.unit, result.identity) == ("exec", "ns", None)


@pytest.mark.parametrize(
    ("used", "final", "verdict", "looks"),
    [
        (3, False, None, []),
        (3, True, "inconclusive", []),
        (9, False, None, [6]),
        (9, True, "inconclusive", [6, 9]),
        (None, False, "inconclusive", [6, 10, 16, 24]),
    ],
)
def test_what_is_open_is_inconclusive_only_if_nothing_more_is_measured(
    used: int | None, *, final: bool, verdict: str | None, looks: list[int]
) -> None:
    result = assess(NOISY, "exec", Rules(), final=final, used=used)
    assert result.decision.verdict == verdict
    assert [look.pairs for look in result.decision.looks] == looks
    assert result.outcome == "warn"
    assert is_cut_short(result.decision, Rules()) is (final and used is not None)


def test_the_outcome_is_what_the_verdict_alone_gives() -> None:
    faster = pairs(SLOWER.head, SLOWER.base)
    results = [assess(material, "exec", Rules()) for material in (SLOWER, faster, EQUAL)]
    assert [(str(result.decision.verdict), result.outcome) for result in results] == [
        ("regression", "fail"),
        ("improvement", "pass"),
        ("unchanged", "pass"),
    ]


def test_without_a_pair_there_is_nothing_to_assess() -> None:
    with pytest.raises(ValueError, match="requires at least one data point"):
        assess(pairs([], []), "exec", Rules())


def test_counts_are_judged_by_the_pairs_that_have_them() -> None:
    base, head = (counting(side[:6]) for side in (EQUAL.base, EQUAL.head))
    material = pairs([*base, *EQUAL.base[6:]], [*head, *EQUAL.head[6:]])
    result = assess(material, "instructions", Rules())
    assert (str(result.decision.verdict), result.decision.pairs) == ("unchanged", 6)
    assert (result.unit, result.identity) == ("", "instructions:u by perf (window, repeat)")
    assert result.base == pytest.approx(4e9)


def test_what_was_counted_in_two_ways_is_not_judged() -> None:
    material = pairs(counting(EQUAL.base), counting(EQUAL.head, instrument="callgrind", method="function"))
    with pytest.raises(MeasurementError, match="instructions was counted in different ways"):
        assess(material, "instructions", Rules())
    with pytest.raises(MeasurementError, match="prep-instructions was not counted"):
        assess(material, "prep-instructions", Rules())
    with pytest.raises(MeasurementError, match="instructions was counted in different ways"):
        material.check("instructions")


def test_stored_sessions_are_context_beside_pairs_over_every_pair() -> None:
    material = pairs(SLOWER.base, SLOWER.head, sessions=[stored(EQUAL.base)])
    context = assess(material, "exec", Rules()).context
    assert context is not None
    assert (context.pairs, context.looks) == (24, ())
    assert assess(material, "exec", Rules(), used=6).context == context
    counts_only = pairs(SLOWER.base, SLOWER.head, sessions=[stored(EQUAL.base, times=False)])
    assert assess(counts_only, "exec", Rules()).context is None


# --- against a session --------------------------------------------------------------------------------------


def test_without_a_base_the_stored_sessions_decide() -> None:
    sessions = [stored(invocations(*levels(60, 0.002, 8, day)), day) for day in (1, 2, 3)]
    material = Material(block="mainnet/1", drop=1, head=SLOWER.head[:8], sessions=sessions)
    result = assess(material, "exec", Rules())
    assert (str(result.decision.verdict), result.decision.pairs) == ("regression", 8)
    assert "against 3 sessions" in result.decision.reason
    means = [statistics.fmean(samples.of(session.invocations, "exec", 1)) for session in sessions]
    assert result.base == math.exp(statistics.fmean(means))
    assert result.step == samples.step(SLOWER.head[:8], "exec"), "what was measured now, not what is stored"
    assert result.context is None


def test_a_base_that_was_not_run_in_turns_is_a_single_session() -> None:
    alone = Material(block="mainnet/1", drop=1, head=SLOWER.head, base=SLOWER.base)
    result = assess(alone, "exec", Rules())
    assert "against 1 session" in result.decision.reason
    as_stored = Material(block="mainnet/1", drop=1, head=SLOWER.head, sessions=[stored(SLOWER.base)])
    assert assess(as_stored, "exec", Rules()).base == result.base


def test_sessions_without_the_count_are_named_with_what_they_have() -> None:
    callgrind = counting(EQUAL.base, instrument="callgrind", method="function", covers="exec")
    material = Material(
        block="mainnet/1", drop=1, head=counting(EQUAL.head), sessions=[stored(callgrind, times=False)]
    )
    told = (
        r"mainnet/1: the stored sessions have no instructions:u by perf .* by callgrind \(function, exec\)\)"
    )
    with pytest.raises(MeasurementError, match=told):
        assess(material, "instructions", Rules())
    assert material.stored("instructions") == []
    assert contradiction(material, "instructions", Rules()) is None


def test_a_reference_says_what_two_sessions_alone_can_see() -> None:
    session = stored(SLOWER.base[:8], 3)
    result = reference(SLOWER, "exec", Rules(), "epoch's first session", session)
    assert result is not None
    assert (result.name, result.date, result.metric) == ("epoch's first session", "2026-01-03", "exec")
    assert result.change == pytest.approx(0.1, abs=0.01)
    assert result.detectable is not None
    assert 0.01 < result.detectable < 0.1
    assert reference(SLOWER, "exec", Rules(), "", stored(SLOWER.base, times=False)) is None


def test_a_session_contradicts_its_epoch_where_the_gate_would_say_so() -> None:
    sessions = [stored(invocations(*levels(60, 0.002, 8, day)), day) for day in (1, 2, 3)]
    for level, verdict in ((66, "regression"), (54, "improvement"), (60, None)):
        head = invocations(*levels(level, 0.002, 8, 9))
        material = Material(block="mainnet/1", drop=1, head=head, sessions=sessions)
        decision = contradiction(material, "exec", Rules())
        assert (None if decision is None else str(decision.verdict)) == verdict


def test_a_session_is_held_against_the_resolution_of_the_stored_ones_too() -> None:
    coarse = stored([make_invocation(exec_ns=(1_010_000_000,) * 4)] * 8)
    head = [make_invocation(exec_ns=(999_000_000,) * 4)] * 8
    material = Material(block="mainnet/1", drop=1, head=head, sessions=[coarse])
    sharp = Rules(drift=0.0, margin=0.001)
    assert assess(material, "exec", sharp).decision.verdict == "improvement"
    assert contradiction(material, "exec", sharp) is None


def test_nothing_is_recorded_of_a_metric_that_cannot_be_judged() -> None:
    material = Material(block="mainnet/1", drop=1, head=EQUAL.head)
    with pytest.raises(MeasurementError, match="instructions was not counted"):
        contradiction(material, "instructions", Rules())


# --- the mean over blocks -----------------------------------------------------------------------------------


def test_the_mean_is_over_the_rounds_that_every_block_has() -> None:
    materials = [
        pairs(invocations(*levels(60, 0.1, number, block)), invocations(*levels(62, 0.1, number, 9 + block)))
        for block, number in ((1, 7), (2, 8), (3, 9))
    ]
    result = assess_mean(materials, "exec", Rules(), final=True)
    assert result.decision.pairs == 7
    assert result.blocks == ("mainnet/1",) * 3
    assert result.step == max(material.step("exec", 7) for material in materials)
    differences = [
        statistics.fmean(
            material.samples("head", "exec")[number] - material.samples("base", "exec")[number]
            for material in materials
        )
        for number in range(7)
    ]
    assert result.decision.estimate == pytest.approx(statistics.fmean(differences))
    assert (
        assess_mean(materials, "exec", Rules(), used=5).decision.reason == "5 of 6 pairs for the first look"
    )


def test_the_mean_of_no_round_is_open() -> None:
    result = assess_mean([pairs([], []), SLOWER], "exec", Rules())
    assert (result.decision.verdict, result.decision.pairs, result.step) == (None, 0, 0.0)
