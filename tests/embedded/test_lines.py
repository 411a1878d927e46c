from __future__ import annotations

import io
import re
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.embedded import lines

UNITS = {"ns": 1, "µs": 10**3, "ms": 10**6, "s": 10**9}
TIMES = st.one_of(*(st.integers(0, 1000 * size) for size in UNITS.values()), st.integers(0, 10**13))


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0.00ns"),
        (832, "832.00ns"),
        (832_110, "832.11µs"),
        (59_230_000, "59.23ms"),
        (1_200_000_000, "1.20s"),
        (61_230_000_000, "61.23s"),
        (999_996, "1000.00µs"),  # the carry does not change the unit
        (999_995_000, "1000.00ms"),  # a tie: to even
        (1_005_000, "1.00ms"),  # a tie: to even
        (1_015_000, "1.02ms"),
        (1_005_001, "1.01ms"),
    ],
)
def test_durations_look_as_rust_prints_them(ns: int, text: str) -> None:
    assert lines.duration(ns) == text


@given(TIMES)
@example(999_999_999)
def test_a_duration_reads_back_to_within_half_a_hundredth_of_its_unit(ns: int) -> None:
    match = re.fullmatch(r"([0-9]+\.[0-9]{2})(ns|µs|ms|s)", lines.duration(ns))
    assert match
    size = UNITS[match[2]]
    assert abs(Fraction(match[1]) * size - ns) <= Fraction(size, 200)
    assert ns >= size or match[2] == "ns"
    assert ns < 1000 * size or match[2] == "s"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (89_999_999, "00s 089ms"),
        (59_999_000_000, "59s 999ms"),
        (60_000_000_000, "01m 00s"),
        (3_723_004_000_000, "01h 02m 03s 004ms"),
    ],
)
def test_the_report_truncates_its_time(ns: int, text: str) -> None:
    assert lines.report_time(ns) == text


def test_statistics_are_those_of_a_real_transcript() -> None:
    # exec of the real program's eleven repeats of Hoodi 1265656; its own block of statistics below
    times = [2390, 3896, 2789, 3013, 3018, 3732, 2964, 3559, 2797, 2306, 2780]
    assert lines.summary([10_000 * time for time in times]) == (
        "  min:     23.06ms\n"
        "  max:     38.96ms\n"
        "  mean:    30.22ms\n"
        "  median:  29.64ms\n"
        "  stddev:     4.89ms\n"
        "  p95:     38.96ms\n"
        "  p99:     38.96ms"
    )


def test_the_median_of_an_even_number_is_the_truncated_middle() -> None:
    assert lines.median([5, 1, 2, 4]) == 3
    assert lines.median([1, 2]) == 1
    assert lines.median([7]) == 7


def test_percentiles_take_the_nearest_repeat() -> None:
    summary = lines.summary([10**6 * time for time in range(1, 41)])
    assert "  p95:     38.00ms\n" in summary
    assert summary.endswith("  p99:     40.00ms")


def test_individual_runs_align_as_the_real_program_aligns_them() -> None:
    rows = list(lines.individual_runs([41_460_000] * 10, [1_200_000_000] * 10))
    assert rows[0] == "  # 1: prep= 41.46ms exec=   1.20s total=   1.24s"
    assert rows[9] == "  #10: prep= 41.46ms exec=   1.20s total=   1.24s"


def test_metric_lines_name_the_slowest_phase_and_shares_of_the_whole() -> None:
    phases = {"validate": 1_000_000, "exec": 79_000_000, "merkle": 15_000_000, "store": 5_000_000}
    assert list(lines.metric(7, 4_402_947, 60_000_000, 11, phases)) == [
        "[METRIC] BLOCK 7 | 0.044 Ggas/s | 100.00 ms | 11 txs | 4 Mgas (7%)",
        "  |- validate:    1.00 ms  ( 1%)",
        "  |- exec:       79.00 ms  (79%) << BOTTLENECK",
        "  |- merkle:     15.00 ms  (15%)",
        "  `- store:       5.00 ms  ( 5%)",
    ]


@pytest.mark.parametrize(("network", "site"), [("mainnet", "etherscan.io"), ("hoodi", "hoodi.etherscan.io")])
def test_the_report_line_links_to_the_networks_explorer(network: str, site: str) -> None:
    line = lines.report(network, 5, 21000, 1, "Execution Time: 00s 089ms")
    assert line == (
        f"[{network}] Block: 5, Gas: 21000, #Txs: 1, Execution Time: 00s 089ms | https://{site}/block/5"
    )


def test_tracing_lines_have_utc_microseconds_and_a_padded_level() -> None:
    stream = io.StringIO()
    tracing = lines.Tracing(stream)
    tracing.info("one")
    tracing.error("two", "x::y")
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(f"{time}  INFO ethrex_replay: one\n{time} ERROR x::y: two\n", stream.getvalue())


def test_colours_are_those_of_tracing() -> None:
    stream = io.StringIO()
    lines.Tracing(stream, colour=True).error("no")
    escape = "\x1b["
    assert stream.getvalue().startswith(f"{escape}2m2")
    assert stream.getvalue().endswith(
        f"Z{escape}0m {escape}31mERROR{escape}0m {escape}2methrex_replay{escape}0m{escape}2m:{escape}0m no\n"
    )
