"""What follows from a verdict."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.config.settings import Settings, load
from pytest_ethrex_perf.config.sources import Waiver
from pytest_ethrex_perf.gate.policy import BROKEN, Policy, waive
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.decision import Decision, Verdict

BLOCK = BlockId("mainnet", 24443168)
TODAY = dt.date(2026, 2, 18)
WAIVER = Waiver(BLOCK, "exec", 0.05, "Prague", dt.date(2026, 12, 31))


def settings(*waivers: Waiver, **values: Any) -> Settings:
    nowhere = Path("nowhere")
    return replace(load(values, cwd=nowhere, root=nowhere, ini={}, environ={}), waivers=waivers)


def decision(verdict: Verdict | None, change: float | None = 0.04) -> Decision:
    estimate = None if change is None else math.log1p(change)
    return Decision(verdict=verdict, reason="", pairs=6, estimate=estimate)


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.REGRESSION, "fail"),
        (Verdict.IMPROVEMENT, "pass"),
        (Verdict.UNCHANGED, "pass"),
        (Verdict.INCONCLUSIVE, "warn"),
    ],
)
def test_by_default_only_a_regression_fails(verdict: Verdict, outcome: str) -> None:
    assert Policy(settings(), TODAY)(BLOCK, "exec", decision(verdict)) == (outcome, "")


def test_what_was_not_decided_when_the_run_ended_is_never_quietly_green() -> None:
    told = ("warn", "the run ended before it was decided")
    assert Policy(settings(), TODAY)(BLOCK, "exec", decision(None)) == told
    assert Policy(settings(aa=True), TODAY)(BLOCK, "exec", decision(None)) == told


@pytest.mark.parametrize(
    ("option", "verdict", "told"),
    [
        ("on_inconclusive", Verdict.INCONCLUSIVE, "--ethrex-on-inconclusive fail"),
        ("on_improvement", Verdict.IMPROVEMENT, "--ethrex-on-improvement fail: record a new baseline"),
    ],
)
def test_an_option_makes_its_verdict_fail_and_no_other(option: str, verdict: Verdict, told: str) -> None:
    strict = settings(**{option: "fail"})
    for each in Verdict:
        outcome = Policy(strict, TODAY)(BLOCK, "exec", decision(each))
        if each is verdict:
            assert outcome == ("fail", told)
        else:
            assert outcome == Policy(settings(), TODAY)(BLOCK, "exec", decision(each))


@pytest.mark.parametrize("verdict", [Verdict.REGRESSION, Verdict.IMPROVEMENT])
def test_a_program_that_differs_from_itself_is_a_broken_gate_waived_or_not(verdict: Verdict) -> None:
    assert Policy(settings(WAIVER, aa=True), TODAY)(BLOCK, "exec", decision(verdict)) == ("fail", BROKEN)


def test_a_program_that_is_its_own_equal_passes() -> None:
    assert Policy(settings(aa=True), TODAY)(BLOCK, "exec", decision(Verdict.UNCHANGED)) == ("pass", "")
    assert Policy(settings(aa=True), TODAY)(BLOCK, "exec", decision(Verdict.INCONCLUSIVE)) == ("warn", "")


def test_a_waiver_covers_its_own_block_and_metric() -> None:
    waived = settings(WAIVER)
    regression = decision(Verdict.REGRESSION)
    told = "allowed up to +5 % until 2026-12-31: Prague"
    assert Policy(waived, TODAY)(BLOCK, "exec", regression) == ("waived", told)
    assert Policy(waived, TODAY)(BLOCK, "prep", regression)[0] == "fail"
    assert Policy(waived, TODAY)(BlockId("hoodi", BLOCK.number), "exec", regression)[0] == "fail"
    assert Policy(waived, TODAY)(None, "exec", regression)[0] == "fail", "the mean over blocks has no waiver"


def test_a_waiver_changes_no_other_verdict() -> None:
    for verdict in (Verdict.IMPROVEMENT, Verdict.UNCHANGED, Verdict.INCONCLUSIVE):
        plain, waived = (
            Policy(one, TODAY)(BLOCK, "exec", decision(verdict)) for one in (settings(), settings(WAIVER))
        )
        assert plain == waived


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next() -> None:
    regression = decision(Verdict.REGRESSION)
    assert waive(WAIVER, WAIVER.expires, regression)[0] == "waived"
    outcome, told = waive(WAIVER, WAIVER.expires + dt.timedelta(days=1), regression)
    assert outcome == "fail"
    assert told.startswith("its waiver has expired (allowed up to +5 %")


@given(st.floats(0, 10), st.floats(0, 0.99))
def test_a_waiver_covers_no_more_than_it_says(change: float, up_to: float) -> None:
    waiver = Waiver(BLOCK, "exec", up_to, "Prague", WAIVER.expires)
    measured = decision(Verdict.REGRESSION, change)
    assert measured.estimate is not None
    outcome, told = waive(waiver, TODAY, measured)
    assert (outcome == "waived") == (math.expm1(measured.estimate) <= up_to)
    assert outcome == "waived" or told.startswith("more than its waiver allows")


def test_a_regression_of_unknown_size_is_never_waived() -> None:
    assert waive(WAIVER, TODAY, decision(Verdict.REGRESSION, None))[0] == "fail"
