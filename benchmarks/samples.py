"""`judge.samples.of_repeats`, over many invocations at a time.

Times are arrays whose last axis are the repeats that count. Tests show it equal to the gate's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_ethrex_perf.judge.samples import CURRENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_ethrex_perf.records.measurement import Sample

    Floats = NDArray[np.float64]


def samples(times: Floats, kind: Sample = CURRENT) -> Floats:
    """Return the mean of the lowest 70 % of the logs (of ten, the seven lowest), or the log of the median."""
    repeats = times.shape[-1]
    ordered = np.sort(times, axis=-1)
    if kind == "median":
        middle: Floats = (ordered[..., (repeats - 1) // 2] + ordered[..., repeats // 2]) / 2
        return np.log(middle)
    lowest: Floats = np.log(ordered[..., : -(-7 * repeats // 10)])
    return np.asarray(lowest.mean(axis=-1))
