"""How numbers are written."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.records import units

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
    assert units.duration(ns) == told


@pytest.mark.parametrize(
    ("ns", "told"),
    [(61_234_000_000, "61.23 s"), (59_750_000, "59.75 ms"), (832_110, "832.11 µs"), (832, "832.00 ns")],
)
def test_a_duration_of_a_column_has_the_decimals_of_the_column(ns: float, told: str) -> None:
    assert units.duration(ns, 2) == told


@given(durations)
def test_a_duration_says_what_it_is_to_four_digits(ns: float) -> None:
    value, unit = parsed(units.duration(ns))
    digits = units.duration(ns).partition(" ")[0].replace(".", "").lstrip("0")
    assert len(digits) == 4 or unit == "ns"
    assert value < 1000 or unit == "s"
    assert math.isclose(value * UNITS[unit], ns, rel_tol=0.0006 if unit != "ns" else 0.51)


@given(durations, durations)
def test_a_longer_duration_never_reads_as_a_shorter_one(one: float, other: float) -> None:
    def read(ns: float) -> float:
        value, unit = parsed(units.duration(ns))
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
    assert units.clock(seconds) == told


@given(st.floats(0, 3e5))
def test_a_clock_is_never_off_by_more_than_its_last_place(seconds: float) -> None:
    told = units.clock(seconds)
    read = {unit: int(value) for value, unit in re.findall(r"(\d+) (h|min|s)\b", told)}
    total = 3600 * read.get("h", 0) + 60 * read.get("min", 0) + read.get("s", 0)
    assert abs(total - seconds) <= (60.5 if "h" in read else 0.5)
    assert read.get("min", 0) < 60
    assert read.get("s", 0) < 60


# --- changes ------------------------------------------------------------------------------------------------


@given(fractions)
def test_a_change_has_its_sign_and_one_decimal(fraction: float) -> None:
    told = units.change(fraction)
    assert re.fullmatch(r"[+-]\d+\.\d %", told)
    assert abs(float(told.removesuffix(" %")) / 100 - fraction) <= 0.000501
    assert not told.startswith("-0.0 ")


def test_no_change_is_no_decrease() -> None:
    assert [units.change(fraction) for fraction in (0.0, -0.0, -0.0004, None)] == [*["+0.0 %"] * 3, "–"]


@given(st.floats(0, 100))
def test_a_percentage_has_one_decimal(fraction: float) -> None:
    assert abs(float(units.percent(fraction).removesuffix(" %")) / 100 - fraction) <= 0.000501


@given(fractions)
def test_a_logarithm_reads_as_the_change_that_it_stands_for(fraction: float) -> None:
    assert abs(float(units.log_percent(math.log1p(fraction)).removesuffix(" %")) / 100 - fraction) <= 0.000502


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (math.log(1.045), "+4.5 %"),
        (math.log(11), "+1000.0 %"),
        (math.log(24.1), "x 24.1"),
        (math.log(0.1), "-90.0 %"),
        (-5.0, "x 0.00674"),
        (1e6, "x 1.01e+304"),
        (math.inf, "beyond measure"),
        (-math.inf, "beyond measure"),
    ],
)
def test_a_huge_change_reads_as_a_factor(log: float, told: str) -> None:
    assert units.log_ratio(log) == told


@pytest.mark.parametrize(
    ("fraction", "told"), [(0.01, "1 %"), (0.003, "0.3 %"), (0.125, "12.5 %"), (0, "0 %"), (0.07, "7 %")]
)
def test_a_limit_reads_as_the_user_wrote_it(fraction: float, told: str) -> None:
    assert units.limit(fraction) == told


# --- quantities ---------------------------------------------------------------------------------------------


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
    assert units.quantity(value, unit) == told


@pytest.mark.parametrize(
    ("value", "metric", "told"),
    [(None, "exec", "–"), (832_110.0, "prep", "832.11 µs"), (688_321_000.0, "instructions", "688.3 M")],
)
def test_a_level_is_in_the_unit_of_its_metric(value: float | None, metric: str, told: str) -> None:
    assert units.level(value, metric) == told


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 * 2**30, "5.0 GiB")]
)
def test_a_size_is_in_the_unit_that_fits(size: int, told: str) -> None:
    assert units.size(size) == told


@pytest.mark.parametrize(("ms", "told"), [(2.7, "+2.70"), (-0.314, "−0.31"), (-0.001, "0.00"), (0.0, "0.00")])
def test_a_change_in_ms_has_its_sign(ms: float, told: str) -> None:
    assert units.signed(ms) == told
