"""How numbers and verdicts read."""

from __future__ import annotations

import dataclasses
import math
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.result import MetricResult, Row
from pytest_ethrex_perf.report import text
from tests.report import builders

UNITS = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9}
durations = st.floats(1, 9.9e12)
fractions = st.floats(-0.99, 100)


def parsed(told: str) -> tuple[float, str]:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) (ns|µs|ms|s)", told)
    assert match is not None, told
    return float(match[1]), match[2]


# --- durations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ns", "told"),
    [
        (59_750_000, "59.75 ms"),
        (5_975_000, "5.975 ms"),
        (597_500_000, "597.5 ms"),
        (1_200_000_000, "1.200 s"),
        (61_230_000_000, "61.23 s"),
        (832, "832 ns"),
        (832_110, "832.1 µs"),
        (999_960, "1.000 ms"),
        (999_960_000, "1.000 s"),
        (9_999_600, "10.00 ms"),
        (1_000, "1.000 µs"),
        (1_234_567_000_000, "1235 s"),
    ],
)
def test_a_duration_has_four_digits_in_the_unit_that_fits(ns: float, told: str) -> None:
    assert text.duration(ns) == told


@given(durations)
def test_a_duration_says_what_it_is_to_four_digits(ns: float) -> None:
    value, unit = parsed(text.duration(ns))
    digits = text.duration(ns).partition(" ")[0].replace(".", "").lstrip("0")
    assert len(digits) == 4 or unit == "ns"
    assert value < 1000 or unit == "s"
    assert math.isclose(value * UNITS[unit], ns, rel_tol=0.0006 if unit != "ns" else 0.51)


@given(durations, durations)
def test_a_longer_duration_never_reads_as_a_shorter_one(one: float, other: float) -> None:
    def read(ns: float) -> float:
        value, unit = parsed(text.duration(ns))
        return value * UNITS[unit]

    assert (read(one) <= read(other)) or one > other


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (250, "4 min 10 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (-5, "0 s"),
    ],
)
def test_a_clock_reads_as_people_say_it(seconds: float, told: str) -> None:
    assert text.clock(seconds) == told


@given(st.floats(0, 3e5))
def test_a_clock_is_never_off_by_more_than_its_last_place(seconds: float) -> None:
    told = text.clock(seconds)
    read = {unit: int(value) for value, unit in re.findall(r"(\d+) (h|min|s)\b", told)}
    total = 3600 * read.get("h", 0) + 60 * read.get("min", 0) + read.get("s", 0)
    assert abs(total - seconds) <= (60.5 if "h" in read else 0.5)
    assert read.get("min", 0) < 60
    assert read.get("s", 0) < 60


# --- changes ------------------------------------------------------------------------------------------------


@given(fractions)
def test_a_change_has_its_sign_and_one_decimal(fraction: float) -> None:
    told = text.change(fraction)
    assert re.fullmatch(r"[+-]\d+\.\d %", told)
    assert abs(float(told.removesuffix(" %")) / 100 - fraction) <= 0.000501
    assert not told.startswith("-0.0 ")


@given(st.floats(0, 100))
def test_a_percentage_has_one_decimal(fraction: float) -> None:
    assert abs(float(text.percent(fraction).removesuffix(" %")) / 100 - fraction) <= 0.000501


@given(fractions)
def test_a_logarithm_reads_as_the_change_that_it_stands_for(fraction: float) -> None:
    assert abs(float(text.log_percent(math.log1p(fraction)).removesuffix(" %")) / 100 - fraction) <= 0.000502


@pytest.mark.parametrize(
    ("fraction", "told"), [(0.01, "1 %"), (0.003, "0.3 %"), (0.125, "12.5 %"), (0, "0 %"), (0.07, "7 %")]
)
def test_a_limit_reads_as_the_user_wrote_it(fraction: float, told: str) -> None:
    assert text.limit(fraction) == told


# --- rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (None, "ns", "–"),
        (59_750_000.0, "ns", "59.75 ms"),
        (524_288.0, "KiB", "512.0 MiB"),
        (0.6276, "Ggas/s", "0.628 Ggas/s"),
        (8_880.0, "", "8,880"),
        (99_999.6, "", "100,000"),
        (999_960.0, "", "1.000 M"),
        (1_234_567.0, "", "1.235 M"),
        (688_321_000.0, "", "688.3 M"),
        (2.8641e9, "", "2.864 G"),
        (0.1256, "%", "12.56 %"),
        (2.54, "ratio", "2.54"),
    ],
)
def test_a_quantity_is_told_in_its_unit(value: float | None, unit: str, told: str) -> None:
    assert text.quantity(value, unit) == told


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
    assert re.fullmatch(r"\+\d\.\d % ❌ \(±\d\.\d %, margin 1 %\)", text.cell(result))
    assert re.fullmatch(r"\+\d\.\d % ❌ ±\d\.\d %", text.short_cell(result))


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_word_and_a_symbol_of_its_own(result: MetricResult, verdict: Verdict) -> None:
    shown = with_verdict(result, verdict)
    assert text.label(shown) == str(verdict)
    others = {text.symbol(with_verdict(result, other)) for other in Verdict if other is not verdict}
    assert text.symbol(shown) not in others


def test_a_waived_regression_and_an_open_decision_are_told_apart(result: MetricResult) -> None:
    waived = with_verdict(result, Verdict.REGRESSION, "waived")
    assert (text.label(waived), text.symbol(waived)) == ("waived regression", text.WAIVED)
    stopped = with_verdict(result, None, "warn")
    assert (text.label(stopped), text.symbol(stopped)) == ("not decided", "…")


def test_without_an_estimate_the_reason_is_told(result: MetricResult) -> None:
    decision = dataclasses.replace(
        result.decision, verdict=Verdict.INCONCLUSIVE, estimate=None, ci95=None, reason="only 0 pairs", p=None
    )
    shown = msgspec.structs.replace(result, decision=decision)
    assert text.cell(shown) == text.short_cell(shown) == "– ❔"
    assert "inconclusive: mainnet/1 exec (only 0 pairs), " in text.headline("mainnet/1", shown, "pairs")


def test_the_headline_is_one_line_with_everything_that_counts(result: MetricResult) -> None:
    told = text.headline("mainnet/24443168", result, "pairs")
    assert re.fullmatch(
        r"regression: mainnet/24443168 exec \+\d\.\d % \(95 % CI \+\d\.\d % … \+\d\.\d %\), "
        r"\d\d\.\d\d ms → \d\d\.\d\d ms, p = [\d.e-]+, \d+ pairs, margin 1 %, detectable \+\d\.\d %",
        told,
    )
    reasoned = msgspec.structs.replace(result, outcome_reason="its waiver has expired")
    assert text.headline("mainnet/24443168", reasoned, "pairs") == f"{told} – its waiver has expired"


def test_a_detectable_effect_without_end_is_left_out(result: MetricResult) -> None:
    decision = dataclasses.replace(result.decision, detectable=math.inf)
    shown = msgspec.structs.replace(result, decision=decision)
    assert "detectable" not in " ".join(text.evidence(shown, "pairs"))


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
