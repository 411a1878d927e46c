"""What people read from counts: rates of two events, and events per gas, with the profiling guide's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.records.measurement import Count

GOOD_IPC, STALLED_IPC = 2.0, 1.0
POOR_CACHE_MISS_RATE = 0.1
MGAS = 1e6
# what the kernel counts as cache-references and cache-misses (arch/*/events), by the CPU's vendor
_CACHES = {"intel": "LLC", "amd": "L2", "hygon": "L2", "arm": "L1d"}


@dataclass(frozen=True, slots=True)
class Rate:
    """How a derived quantity is made and named."""

    name: str
    numerator: str
    denominator: str
    """Another event, or `gas`: then per million gas."""
    unit: Literal["ratio", "%", ""] = ""
    detail: bool = True
    """Only those who ask for more see it."""


RATES = (
    Rate("IPC", "instructions", "cycles", "ratio", detail=False),
    Rate("cache miss rate", "cache-misses", "cache-references", "%", detail=False),
    Rate("branch miss rate", "branch-misses", "branches", "%"),
    Rate("L1d misses/instruction", "L1-dcache-load-misses", "instructions", "%"),
    Rate("branch misses/instruction", "branch-misses", "instructions", "%"),
    Rate("instructions/Mgas", "instructions", "gas"),
    Rate("cycles/Mgas", "cycles", "gas"),
    Rate("cache misses/Mgas", "cache-misses", "gas"),
    Rate("L1d misses/Mgas", "L1-dcache-load-misses", "gas"),
    Rate("branch misses/Mgas", "branch-misses", "gas"),
)


def rates(counts: Mapping[str, Count], gas: int) -> dict[str, float]:
    """Every rate that the counts of one invocation have both parts of, by name.

    Both parts are of one process and one method; nothing is divided by 0.
    """
    values = {}
    for rate in RATES:
        above, below = counts.get(rate.numerator), counts.get(rate.denominator)
        if above is None or above.value is None or above.covers == "process":
            continue
        if rate.denominator == "gas":
            if gas > 0:
                values[rate.name] = above.value / (gas / MGAS)
        elif below is not None and below.value and _is_alike(above, below):
            values[rate.name] = above.value / below.value
    return values


def _is_alike(above: Count, below: Count) -> bool:
    return _way(above) == _way(below)


def _way(count: Count) -> tuple[object, ...]:
    return count.instrument, count.method, count.covers, count.user_only, count.pmu


def cache_label(vendor: str | None) -> str:
    """Which cache `cache-references` and `cache-misses` are about on CPUs of this vendor (`machine`)."""
    return _CACHES.get(vendor or "", "cache")


def label(name: str, vendor: str | None) -> str:
    """An event's or a rate's name that says which cache is meant: `L2 cache-misses`."""
    cache = cache_label(vendor)
    return f"{cache} {name}" if name.startswith("cache") and cache != "cache" else name


def note(name: str, value: float) -> str | None:
    """The profiling guide's rule of thumb for a rate, where it has one to say."""
    if name == "IPC" and value > GOOD_IPC:
        return f"IPC {value:.2f}: good (above {GOOD_IPC:g})"
    if name == "IPC" and value < STALLED_IPC:
        return f"IPC {value:.2f}: the CPU is stalled (below {STALLED_IPC:g})"
    if name == "cache miss rate" and value > POOR_CACHE_MISS_RATE:
        return f"cache miss rate {100 * value:.1f} %: poor locality (above {100 * POOR_CACHE_MISS_RATE:g} %)"
    return None
