"""What is shown of a setting is what its reader takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.config import readers
from pytest_ethrex_perf.config.typed import typed


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("metrics", ("exec", "prep"), "exec,prep"),
        ("looks", (6, 10, 24), "6,10,24"),
        ("margin", 0.003, "0.3%"),
        ("alpha", 0.01, "1%"),
        ("floor", 0.2e6, "0.2ms"),
        ("archive_size", 5 << 30, "5GiB"),
        ("output_limit", 1500, "1500B"),
        ("patience", 600.0, "10m"),
        ("patience", 0.0, "0"),
        ("timeout", 90.0, "90s"),
        ("time_budget", 7200.0, "2h"),
        ("repeat", "auto", "auto"),
        ("aa", True, "on"),
        ("json", Path("r.json"), "r.json"),
    ],
)
def test_a_value_reads_as_it_would_be_typed(name: str, value: object, expected: str) -> None:
    assert typed(name, value) == expected


@pytest.mark.parametrize("name", ["margin", "tolerance"])
@given(value=st.integers(1, 4999))
def test_percentages_are_read_back(name: str, value: int) -> None:
    assert readers.of(name)(typed(name, value / 10_000)) == pytest.approx(value / 10_000, rel=1e-11)


@given(value=st.integers(1, 1 << 50))
def test_sizes_are_read_back(value: int) -> None:
    assert readers.of("archive_size")(typed("archive_size", value)) == value


@given(value=st.integers(1, 1_000_000))
def test_durations_are_read_back(value: int) -> None:
    assert readers.of("patience")(typed("patience", value / 4)) == pytest.approx(value / 4, rel=1e-11)
