"""A verdict in two sentences, and that no sentence contradicts its numbers."""

from __future__ import annotations

import dataclasses
import math
import re

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.judge import looks, paired
from pytest_ethrex_perf.records.decision import Rules, Verdict
from pytest_ethrex_perf.records.result import MetricResult
from pytest_ethrex_perf.report import text, verdict

BASE_NS = 60e6


@st.composite
def judged(draw: st.DrawFn) -> MetricResult:
    """What the judge itself makes of made-up pairs: any change, noise, family and floor."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    change = draw(st.sampled_from([0.0, 0.005, 0.012, 0.02, 0.029, 0.05, 0.5, 3.0]))
    change *= draw(st.sampled_from([-1, 1])) if change < 1 else 1
    sd = draw(st.sampled_from([0.0005, 0.003, 0.01, 0.05]))
    floor = draw(st.sampled_from([0.0, 0.2e6, 20e6]))
    rules = looks.standard(Rules(gatings=draw(st.sampled_from([1.0, 12.0, 500.0])), floor=floor), 0)
    base = math.log(BASE_NS) + rng.normal(0, 0.002, 24)
    head = base + math.log1p(change) + rng.normal(0, sd, 24)
    decision = paired.judge(base, head, rules, step=1e-5, final=True)
    assert decision.estimate is not None
    return MetricResult(
        metric="exec",
        rules=rules,
        decision=decision,
        step=1e-5,
        base=BASE_NS,
        head=BASE_NS * math.exp(decision.estimate),
        outcome="fail" if decision.verdict is Verdict.REGRESSION else "pass",
    )


@given(judged())
def test_no_sentence_contradicts_its_numbers(result: MetricResult) -> None:
    decision, label = result.decision, verdict.label(result)
    sentences = text.sentences(result, "pairs")
    assert decision.ci95 is not None
    assert decision.estimate is not None
    low, high = decision.ci95
    assert ("slower" in label) <= (decision.estimate > 0)
    assert ("faster" in label) <= (decision.estimate < 0)
    if decision.verdict is Verdict.UNCHANGED:
        assert (label == "unchanged") is (low <= 0 <= high)
        assert "p = " not in sentences, "that p is another test's"
        assert "unseen" not in sentences
        assert "caught" not in sentences
    if decision.verdict is Verdict.REGRESSION:
        assert re.search(r"is [\d.]+ % slower|times as long", sentences)
        assert "Sure (p = " in sentences
    if decision.verdict is Verdict.IMPROVEMENT:
        assert re.search(r"is [\d.]+ % faster", sentences)
    if decision.verdict is Verdict.INCONCLUSIVE:
        assert ("floor" in sentences) is verdict.is_below_floor(result)
        assert ("Not sure" in sentences) is not verdict.is_below_floor(result)
        seems_decided = max(low, -high) > math.log1p(result.rules.margin)
        explained = "each must be surer than 95 %: [" in sentences
        assert explained is (seems_decided and not verdict.is_below_floor(result))
    if "would have been caught" in sentences:
        planned = re.search(r"caught in up to (\d+) pairs", sentences)
        assert (planned is not None) is (decision.pairs in decision.plan[:-1])
        assert planned is None or int(planned[1]) == decision.plan[-1]
    assert "±" not in text.headline("mainnet/1", result, "pairs") + text.cell(result)
    assert "nan" not in sentences


def made(
    estimate: float, low: float, high: float, kind: Verdict, *, floor: float = 0.0, gatings: float = 1.0
) -> MetricResult:
    """A decision by hand; changes are fractions."""
    decision = dataclasses.replace(
        paired.judge([18.0] * 24, [18.0] * 24, Rules(), step=1e-5, final=True),
        verdict=kind,
        estimate=math.log1p(estimate),
        ci95=(math.log1p(low), math.log1p(high)),
        interval=(math.log1p(low - 0.01), math.log1p(high + 0.01)),
        detectable=math.log1p(0.3),
        p=0.0008,
        pairs=10,
        looks=(),
    )
    return MetricResult(
        metric="exec",
        rules=Rules(floor=floor, gatings=gatings),
        decision=decision,
        step=1e-5,
        base=44.3e6,
        head=44.3e6 * (1 + estimate),
        outcome="pass",
    )


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (
            made(0.518, 0.236, 0.864, Verdict.REGRESSION),
            (
                "regression: exec is 51.8 % slower (23.6 % to 86.4 %): 44.30 ms → 67.25 ms. Sure (p = "
                "0.0008) after 10 pairs that it is beyond the 1 % margin; a slowdown of 30.0 % or more "
                "would have been caught in up to 24 pairs"
            ),
        ),
        (
            made(-0.07, -0.086, -0.054, Verdict.IMPROVEMENT),
            (
                "improvement: exec is 7.0 % faster (5.4 % to 8.6 %): 44.30 ms → 41.20 ms. Sure (p = "
                "0.0008) after 10 pairs that it is beyond the 1 % margin; a slowdown of 30.0 % or more "
                "would have been caught in up to 24 pairs"
            ),
        ),
        (
            made(0.019, 0.012, 0.026, Verdict.UNCHANGED),
            (
                "slower, but within 3 %: exec +1.9 % [+1.2, +2.6]: 44.30 ms → 45.14 ms. Sure (95 %) after"
                " 10 pairs that it is within 3 %"
            ),
        ),
        (
            made(0.002, -0.006, 0.010, Verdict.UNCHANGED),
            (
                "unchanged: exec +0.2 % [-0.6, +1.0]: 44.30 ms → 44.39 ms. Sure (95 %) after 10 pairs "
                "that it is within 3 %"
            ),
        ),
        (
            made(0.15, 0.1, 0.2, Verdict.INCONCLUSIVE, floor=20e6),
            (
                "slower, but below the floor: exec +15.0 % [+10.0, +20.0]: 44.30 ms → 50.94 ms. Sure "
                "after 10 pairs, but only +6.645 ms, below your floor of 20.00 ms"
            ),
        ),
        (
            made(0.023, 0.003, 0.045, Verdict.INCONCLUSIVE),
            (
                "inconclusive: exec +2.3 % [+0.3, +4.5]: 44.30 ms → 45.32 ms. Not sure after 10 pairs: "
                "neither beyond the 1 % margin nor within the 3 % tolerance; a slowdown below 30.0 % may "
                "go unseen"
            ),
        ),
        (
            made(-0.044, -0.058, -0.029, Verdict.INCONCLUSIVE, gatings=500.0),
            (
                "inconclusive: exec -4.4 % [-5.8, -2.9]: 44.30 ms → 42.35 ms. Not sure after 10 pairs: "
                "neither beyond the 1 % margin nor within the 3 % tolerance (500 comparisons share the 1 "
                "% risk of a false alarm, so each must be surer than 95 %: [-6.8, -1.9] decides); a "
                "slowdown below 30.0 % may go unseen"
            ),
        ),
        (
            made(30.0, 29.0, 31.0, Verdict.REGRESSION),
            (
                "regression: exec is 31 times as long (30 to 32 times): 44.30 ms → 1.373 s. Sure (p = "
                "0.0008) after 10 pairs that it is beyond the 1 % margin; a slowdown of 30.0 % or more "
                "would have been caught in up to 24 pairs"
            ),
        ),
    ],
    ids=lambda value: value.decision.verdict if isinstance(value, MetricResult) else None,
)
def test_it_reads(result: MetricResult, expected: str) -> None:
    assert f"{verdict.label(result)}: {text.sentences(result, 'pairs')}" == expected


def test_what_is_inconclusive_and_passed_says_how_to_fail_on_it() -> None:
    result = msgspec.structs.replace(made(0.023, 0.003, 0.045, Verdict.INCONCLUSIVE), outcome="warn")
    assert verdict.passed_by(result) == "it passed; to fail on this: --ethrex-on-inconclusive=fail"
    assert verdict.passed_by(msgspec.structs.replace(result, outcome="fail")) == ""
    assert verdict.passed_by(made(0.0, -0.01, 0.01, Verdict.UNCHANGED)) == ""
