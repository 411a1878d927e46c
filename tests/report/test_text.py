"""How verdicts read."""

from __future__ import annotations

import dataclasses
import math
import re

import msgspec
import pytest

from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.result import MetricResult, Row
from pytest_ethrex_perf.report import text, verdict
from tests.report import builders


def test_the_spread_between_invocations_is_beside_the_value() -> None:
    row = Row(name="exec", unit="ns", base=59_750_000, head=None, base_sd=0.012)
    assert text.spread(row, "base") == "59.75 ms ± 1.2 %"
    assert text.spread(row, "head") == "–"
    assert text.spread(msgspec.structs.replace(row, base_sd=None), "base") == "59.75 ms"


# --- verdicts -----------------------------------------------------------------------------------------------


@pytest.fixture
def result() -> MetricResult:
    """A regression of about 4.5 %."""
    return builders.one().blocks[0].metric("exec")


def with_verdict(result: MetricResult, verdict: Verdict | None, outcome: str = "pass") -> MetricResult:
    decision = dataclasses.replace(result.decision, verdict=verdict)
    return msgspec.structs.replace(result, decision=decision, outcome=outcome)


def test_a_cell_has_change_verdict_interval_and_margin(result: MetricResult) -> None:
    assert re.fullmatch(r"\+\d\.\d % ❌ \[\+\d\.\d, \+\d\.\d\] \(margin 1 %\)", text.cell(result))
    assert re.fullmatch(r"\+\d\.\d % ❌ \[\+\d\.\d, \+\d\.\d\]", text.short_cell(result))
    assert re.fullmatch(r"\+\d\.\d % ❌", text.shortest_cell(result))


@pytest.mark.parametrize("kind", Verdict)
def test_every_verdict_has_a_word_and_a_symbol_of_its_own(result: MetricResult, kind: Verdict) -> None:
    shown = with_verdict(result, kind)
    assert text.kind(shown) == str(kind)
    others = {text.symbol(with_verdict(result, other)) for other in Verdict if other is not kind}
    assert text.symbol(shown) not in others


def test_a_waived_regression_and_an_open_decision_are_told_apart(result: MetricResult) -> None:
    waived = with_verdict(result, Verdict.REGRESSION, "waived")
    assert (verdict.label(waived), text.symbol(waived)) == ("waived regression", text.WAIVED)
    stopped = with_verdict(result, None, "warn")
    assert (verdict.label(stopped), text.symbol(stopped)) == ("not decided", "…")


def test_without_an_estimate_the_reason_is_told(result: MetricResult) -> None:
    decision = dataclasses.replace(
        result.decision, verdict=Verdict.INCONCLUSIVE, estimate=None, ci95=None, reason="only 0 pairs", p=None
    )
    shown = msgspec.structs.replace(result, decision=decision)
    assert text.cell(shown) == text.short_cell(shown) == "– ⚠️"
    assert "inconclusive: mainnet/1 exec: only 0 pairs" in text.headline("mainnet/1", shown, "pairs")


def test_the_headline_is_one_line_with_everything_that_counts(result: MetricResult) -> None:
    told = text.headline("mainnet/24443168", result, "pairs")
    assert re.fullmatch(
        r"regression: mainnet/24443168 exec is \d\.\d % slower \(\d\.\d % to \d\.\d %\): "
        r"\d\d\.\d\d ms → \d\d\.\d\d ms. Sure \(p = [\d.e-]+\) after \d+ pairs that it is beyond the "
        r"1 % margin; "
        r"a slowdown of \d\.\d % or more would have been caught in up to 24 pairs",
        told,
    )
    reasoned = msgspec.structs.replace(result, outcome_reason="its waiver has expired")
    assert text.headline("mainnet/24443168", reasoned, "pairs") == f"{told} – its waiver has expired"


def test_a_detectable_effect_without_end_is_left_out(result: MetricResult) -> None:
    decision = dataclasses.replace(result.decision, detectable=math.inf)
    shown = msgspec.structs.replace(result, decision=decision)
    assert "caught" not in text.sentences(shown, "pairs")


def test_the_worst_comes_first() -> None:
    ordered = text.worst_first(reversed(builders.several().blocks))
    kinds = [
        "failed" if any(m.outcome == "fail" for m in one.metrics) else text.state(one) for one in ordered
    ]
    first_error = kinds.index("error")
    assert set(kinds[:first_error]) == {"failed"}
    assert "failed" not in kinds[first_error:]
    changes = [one.metrics[0].decision.estimate or 0 for one in ordered[:first_error]]
    assert changes == sorted(changes, reverse=True)


def test_counts_are_one_line_over_everything() -> None:
    told = text.counts(builders.several().blocks)
    assert told.startswith("2 regressions, ")
    assert "1 error" in told
    assert "1 improvement" in told
    assert "None" not in told
    assert text.counts([]) == ""


def test_counts_tell_blocks_that_a_stopped_run_left_open(result: MetricResult) -> None:
    block = msgspec.structs.replace(builders.one().blocks[0], metrics=(with_verdict(result, None, "warn"),))
    assert text.counts([block, block]) == "2 not decided"


def test_a_legend_says_what_a_time_is() -> None:
    run = builders.one()
    assert text.times(run.blocks) == (
        "the mean (of logs) of the lowest 70 % of a process's counted repeats, geometric mean over processes"
    )
    older = [msgspec.structs.replace(block, sample="median") for block in run.blocks]
    assert text.times(older).startswith("the median of a process's counted repeats")
    assert text.times([]) == "none"


def test_a_run_has_one_verdict_that_of_its_worst_block(result: MetricResult) -> None:
    assert text.of_run(builders.several()) == "regression"
    assert text.slower(builders.several()) == ["mainnet/24443173", "mainnet/24443168"]
    assert text.of_run(builders.run([builders.interleaved(1, 0.0), builders.interleaved(2, -0.1)])) == (
        "improvement"
    )
    assert text.of_run(
        builders.run([builders.interleaved(1, 0.0), builders.block("mainnet/2", error="x")])
    ) == ("error")
    assert text.of_run(builders.run([builders.block("mainnet/2", skipped="the same")])) == "skipped"
    assert text.of_run(builders.run([builders.recording(1)])) == "recorded"
    assert text.of_run(builders.run([])) == "not measured"
    block = msgspec.structs.replace(builders.one().blocks[0], metrics=(with_verdict(result, None, "warn"),))
    stopped = builders.run([builders.interleaved(1, 0.0), block])
    assert text.of_run(stopped) == "not decided"
    assert text.slower(stopped) == []


def test_only_counts_that_grew_made_no_block_slower(result: MetricResult) -> None:
    block = builders.one().blocks[0]
    counted = msgspec.structs.replace(result, metric="instructions")
    run = builders.run([msgspec.structs.replace(block, metrics=(counted,))])
    assert re.fullmatch(
        r"the block took more: \+\d\.\d % \(instructions of mainnet/24443168\)", text.news(run)
    )


def test_what_is_below_the_floor_is_no_open_question(result: MetricResult) -> None:
    decision = dataclasses.replace(result.decision, verdict=Verdict.INCONCLUSIVE)
    small = msgspec.structs.replace(result, decision=decision, outcome="warn")
    assert verdict.is_below_floor(small)
    run = builders.run([msgspec.structs.replace(builders.one().blocks[0], metrics=(small,))])
    assert text.news(run) == "the block changed by less than the floor"
    assert text.counts(run.blocks) == "1 slower, but below the floor"
