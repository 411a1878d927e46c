"""Noise to judge rules on: three simulated machines and two recorded sets of pairs.

Times are in seconds, arrays are float64 of shape (trials, pairs, repeats) and hold the repeats that count
(2..R: the first of an invocation is dropped by every rule here). A true effect is put on afterwards, by
multiplying head: noise that scales with the time it disturbs does not know of the effect.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.samples import samples

Floats = NDArray[np.float64]

REPEATS = 11
"""Repeats of an invocation; the first is not used, and is paid for all the same."""
COUNTED = REPEATS - 1
BLOCK_SECONDS = 0.060
LOAD_SECONDS = 1.5
"""What an invocation costs before its first repeat: start, JSON, hex."""
RECORDED = Path(__file__).parent / "data"


class Sides(NamedTuple):
    """What both sides of a comparison measured, each (trials, invocations, repeats), in seconds."""

    base: Floats
    head: Floats

    def slowed(self, effect: float) -> Sides:
        """Return the same noise with a true change of head by the fraction `effect`."""
        return Sides(self.base, self.head * (1.0 + effect))

    def first(self, invocations: int) -> Sides:
        """Return what would have been known after so many invocations a side."""
        return Sides(self.base[:, :invocations], self.head[:, :invocations])


@dataclass(frozen=True, slots=True)
class Machine:
    """A model of a machine; every sd is of log time."""

    name: str
    process: float
    """sd between invocations: memory layout, caches, the minute."""
    repeat: float
    """sd of repeats inside an invocation, right-skewed and autocorrelated."""
    session: float
    """sd between sessions: another day, another temperature, other neighbours."""
    drift: float
    """sd, from a session's start to its end, of a random walk that every invocation takes a step of."""
    bad_repeats: float = 0.01
    """Share of the repeats that something else disturbs, by an exponential of eight repeat sds."""
    bad_invocations: float = 0.01
    """Share of the invocations that are disturbed as a whole, by an exponential of three process sds."""
    correlation: float = 0.4
    """Of neighbouring repeats: an AR(1) process under the skew."""


# Typical is what papers report of shared servers; quiet is a dedicated 32-core server; very noisy is a small
# virtual machine that is still worth measuring on.
MACHINES = (
    Machine("quiet", process=0.003, repeat=0.008, session=0.004, drift=0.004),
    Machine("typical", process=0.010, repeat=0.015, session=0.010, drift=0.010),
    Machine("very noisy", process=0.020, repeat=0.030, session=0.030, drift=0.030),
)
_DRIFTS_OVER = 48  # invocations: a session that goes on beyond 24 pairs drifts on at the same rate
_SKEW = 0.6  # sigma of the log-normal that skews the repeats: skewness 2.3


def simulate_pairs(machine: Machine, rng: np.random.Generator, *, trials: int, pairs: int) -> Sides:
    """Simulate sessions of interleaved pairs in ABBA order, with no true difference.

    Both sides have `trials` x `pairs` x `COUNTED` times. The session's own offset cancels in every pair; its
    drift does so only as far as a pair's two invocations are next to each other.
    """
    log = _invocations(machine, rng, trials=trials, invocations=2 * pairs).reshape(trials, pairs, 2, COUNTED)
    base_second = np.arange(pairs) % 2 == 1
    log[:, base_second] = log[:, base_second, ::-1]
    times = BLOCK_SECONDS * np.exp(log)
    return Sides(times[:, :, 0], times[:, :, 1])


def simulate_sessions(
    machine: Machine, rng: np.random.Generator, *, trials: int, sessions: int, invocations: int
) -> Floats:
    """Simulate whole sessions of one program, each on a day of its own.

    Returns times of shape (trials, sessions, invocations, `COUNTED`).
    """
    log = _invocations(machine, rng, trials=trials * sessions, invocations=invocations)
    log += machine.session * rng.standard_normal((trials * sessions, 1, 1))
    times: Floats = BLOCK_SECONDS * np.exp(log)
    return times.reshape(trials, sessions, invocations, COUNTED)


def _invocations(machine: Machine, rng: np.random.Generator, *, trials: int, invocations: int) -> Floats:
    """Log times of consecutive invocations of sessions: (trials, invocations, `COUNTED`)."""
    shape = (trials, invocations)
    level = machine.process * rng.standard_normal(shape)
    steps = min(invocations, _DRIFTS_OVER)
    level += machine.drift / np.sqrt(steps) * np.cumsum(rng.standard_normal(shape), axis=1)
    level += _seldom(rng, machine.bad_invocations, 3 * machine.process, shape)
    return level[:, :, None] + _repeats(machine, rng, (*shape, COUNTED))


def _repeats(machine: Machine, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    normal = rng.standard_normal(
        (shape[-1], *shape[:-1])
    )  # repeats first: every step of the AR(1) is contiguous
    kept = np.sqrt(1 - machine.correlation**2)
    for repeat in range(1, len(normal)):
        normal[repeat] *= kept
        normal[repeat] += machine.correlation * normal[repeat - 1]
    mean = np.exp(_SKEW**2 / 2)
    sd = mean * np.sqrt(np.expm1(_SKEW**2))
    skewed: Floats = np.exp(_SKEW * normal)
    skewed -= mean
    skewed *= machine.repeat / sd
    skewed += _seldom(rng, machine.bad_repeats, 8 * machine.repeat, normal.shape)
    return np.moveaxis(skewed, 0, -1)


def _seldom(rng: np.random.Generator, share: float, size: float, shape: tuple[int, ...]) -> Floats:
    disturbed = np.zeros(shape)
    hits = rng.binomial(disturbed.size, share)  # places may repeat: the odd one is disturbed twice
    np.add.at(disturbed.reshape(-1), rng.integers(disturbed.size, size=hits), rng.exponential(size, hits))
    return disturbed


class Recorded(NamedTuple):
    """Pairs that were really measured, head scaled so that the mean log ratio of the pairs is 0."""

    name: str
    sides: Sides
    """(1, pairs, repeats): what the recording holds, centred."""

    @property
    def pairs(self) -> int:
        """How many pairs were recorded."""
        return int(self.sides.base.shape[1])


def recordings(folder: Path = RECORDED) -> list[Recorded]:
    """Read the recorded noise: `pairs[].{base,new}.exec`, seconds per repeat, the first one dropped."""
    return [_recorded(path) for path in sorted(folder.glob("*.json"))]


def _recorded(path: Path) -> Recorded:
    document = json.loads(path.read_text())
    base, head = (
        np.array([pair[side]["exec"][1:] for pair in document["pairs"]]) for side in ("base", "new")
    )
    ratios = samples(head) - samples(base)
    return Recorded(document["name"], Sides(base[None], head[None] / np.exp(ratios.mean())))


def resample(recorded: Recorded, rng: np.random.Generator, *, trials: int, pairs: int) -> Sides:
    """Draw `trials` sets of `pairs` pairs with replacement, the sides of each pair swapped at random.

    Recorded A/A sets have means of a few percent by chance and are skewed: centring takes the first away,
    swapping the second, so that no difference between the sides is left but chance.
    """
    drawn = rng.integers(recorded.pairs, size=(trials, pairs))
    swapped = (rng.random((trials, pairs)) < 0.5)[:, :, None]
    base, head = recorded.sides.base[0, drawn], recorded.sides.head[0, drawn]
    return Sides(np.where(swapped, head, base), np.where(swapped, base, head))
