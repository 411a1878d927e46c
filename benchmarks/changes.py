"""How often an unchanged history has a change point, and how well true ones are found and dated.

A year has 365 nightly sessions of 10 invocations: recorded ones, drawn anew with replacement, or those of a
simulated machine. On top each session has an offset of its own, some of which is left from the night before;
3 % of the nights are bad ones. `python -m benchmarks.changes [--years N] [--nights]`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.noise import MACHINES, recordings, simulate_sessions
from benchmarks.samples import samples
from pytest_ethrex_perf.baseline.segments import propose
from pytest_ethrex_perf.judge import changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NIGHTS = 365
INVOCATIONS = 10
METRICS = 3
"""exec, prep and instructions share the false alarms of a block."""
_BAD_NIGHTS = 0.03  # of all, slower by an exponential of four offsets
_KEPT = 0.2  # of the offset of the night before


class Years(NamedTuple):
    """Unchanged years: (years, nights) means as logs, and their standard errors."""

    name: str
    means: Floats
    errors: Floats


def years(rng: np.random.Generator, number: int, nights: int = NIGHTS) -> Iterator[Years]:
    """Yield years of every recorded noise, with small and large offsets, and of every simulated machine."""
    for recorded in recordings():
        pool = samples(np.concatenate([recorded.sides.base[0], recorded.sides.head[0]]))
        for offset in (0.004, 0.01, 0.03):
            drawn = pool[rng.integers(pool.size, size=(number, nights, INVOCATIONS))]
            name = f"{recorded.name}, offsets of {100 * offset:g} %"
            yield _years(name, drawn, _offsets(rng, offset, (number, nights)))
    for machine in MACHINES:
        alike = replace(machine, session=0.0)
        blocks = [
            samples(simulate_sessions(alike, rng, trials=1, sessions=nights, invocations=INVOCATIONS))
            for _ in range(number)
        ]
        offsets = _offsets(rng, machine.session, (number, nights))
        yield _years(f"simulated, {machine.name}", np.concatenate(blocks), offsets)


def _years(name: str, drawn: Floats, offsets: Floats) -> Years:
    errors = drawn.std(axis=2, ddof=1) / np.sqrt(drawn.shape[2])
    return Years(name, drawn.mean(axis=2) + offsets, errors)


def _offsets(rng: np.random.Generator, sd: float, shape: tuple[int, int]) -> Floats:
    offsets = sd * rng.standard_normal(shape)
    for night in range(1, shape[1]):
        offsets[:, night] = _KEPT * offsets[:, night - 1] + np.sqrt(1 - _KEPT**2) * offsets[:, night]
    bad = rng.random(shape) < _BAD_NIGHTS
    return np.asarray(offsets + bad * rng.exponential(4 * sd, shape))


def smallest_p(means: Floats, errors: Floats) -> float:
    """Return the p of the surest step of a year at any level; infinite where nothing was proposed."""
    found = changes.find(means, errors, propose, level=np.inf)
    return min((step.p for step in found), default=np.inf)


def false_alarms(year: Years, level: float, *, nightly: bool) -> int:
    """Return how many unchanged years have a step; `nightly`: after any of their nights."""
    alarms = 0
    for means, errors in zip(year.means, year.errors, strict=True):
        ends = range(changes.FEWEST, means.size + 1) if nightly else [means.size]
        alarms += any(changes.find(means[:end], errors[:end], propose, level=level) for end in ends)
    return alarms


TRUE_CHANGES = ((90, 0.05), (180, -0.04), (270, 0.08))
"""Of a year: the night, and the change as a fraction."""


def dated(year: Years) -> list[int]:
    """Return by how many sessions each true change of each year was missed; `NIGHTS` where not found."""
    level = np.zeros(year.means.shape[1])
    for night, change in TRUE_CHANGES:
        level[night:] += np.log1p(change)
    missed = []
    for means, errors in zip(year.means, year.errors, strict=True):
        starts = [step.start for step in changes.find(means + level, errors, propose)]
        missed += [min((abs(start - night) for start in starts), default=NIGHTS) for night, _ in TRUE_CHANGES]
    return missed


def main() -> None:
    """Print a line for each kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=500)
    parser.add_argument("--nights", action="store_true", help="look after every night of the year, too")
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--level", type=float, default=changes.LEVEL)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(
        "noise | sd of a session | false, whole year | looked every night | changes dated within 1, 3, found"
    )
    for year in years(rng, given.years):
        began = time.monotonic()
        whole = false_alarms(year, given.level, nightly=False)
        nightly = f"{false_alarms(year, given.level, nightly=True)}" if given.nights else "–"
        missed = np.array(dated(year))
        shares = [f"{100 * (missed <= limit).mean():.1f} %" for limit in (1, 3, 30)]
        print(
            f"{year.name} | {100 * year.means.std(axis=1).mean():.2f} % | "
            f"{whole} of {given.years} | {nightly} | "
            f"{', '.join(shares)} | {time.monotonic() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
