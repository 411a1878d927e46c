"""What people read from counts, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ethrex_perf.counters.rates import RATES, cache_label, note, rates
from pytest_ethrex_perf.records.measurement import Count


def count(event: str, value: float, **fields: Any) -> Count:
    given = {"instrument": "perf", "method": "window", "covers": "repeat", "user_only": True, **fields}
    return Count(event=event, values=(value,), **given)


def counts(**fields: Any) -> dict[str, Count]:
    values = {
        "instructions": 9e6,
        "cycles": 4e6,
        "cache-references": 50_000,
        "cache-misses": 10_000,
        "branches": 1e6,
        "branch-misses": 20_000,
        "L1-dcache-load-misses": 90_000,
    }
    return {event: count(event, value, **fields) for event, value in values.items()}


def test_every_rate_is_what_it_says() -> None:
    assert rates(counts(), 2_000_000) == pytest.approx(
        {
            "IPC": 2.25,
            "cache miss rate": 0.2,
            "branch miss rate": 0.02,
            "L1d misses/instruction": 0.01,
            "branch misses/instruction": 20_000 / 9e6,
            "instructions/Mgas": 4.5e6,
            "cycles/Mgas": 2e6,
            "cache misses/Mgas": 5_000,
            "L1d misses/Mgas": 45_000,
            "branch misses/Mgas": 10_000,
        }
    )
    assert {rate.name for rate in RATES} == set(rates(counts(), 1))


def test_a_rate_needs_both_of_its_parts() -> None:
    some = {"instructions": counts()["instructions"], "branch-misses": counts()["branch-misses"]}
    assert set(rates(some, 0)) == {"branch misses/instruction"}


def test_counts_of_different_methods_make_no_rate() -> None:
    mixed = counts()
    mixed["cycles"] = count("cycles", 4e6, method="difference")
    assert "IPC" not in rates(mixed, 1)


def test_a_whole_process_is_not_a_block() -> None:
    assert rates(counts(method="process", covers="process"), 1_000_000) == {}


def test_what_was_not_counted_makes_no_rate() -> None:
    given = counts()
    given["cycles"] = Count(
        event="cycles", instrument="perf", method="window", covers="repeat", user_only=True, missing="why"
    )
    assert "IPC" not in rates(given, 1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("IPC", 2.54, "IPC 2.54: good (above 2)"),
        ("IPC", 1.5, None),
        ("IPC", 0.8, "IPC 0.80: the CPU is stalled (below 1)"),
        ("cache miss rate", 0.1256, "cache miss rate 12.6 %: poor locality (above 10 %)"),
        ("cache miss rate", 0.09, None),
        ("branch misses/Mgas", 1e9, None),
    ],
)
def test_the_guides_rules_of_thumb(name: str, value: float, told: str | None) -> None:
    assert note(name, value) == told


def test_cache_misses_are_of_the_cache_that_this_vendors_cpus_mean() -> None:
    assert [cache_label(vendor) for vendor in ("intel", "amd", "arm", None)] == ["LLC", "L2", "L1d", "cache"]
