"""Wilcoxon's signed-rank test, exact: printed beside the t-test as a cross-check, never decided by.

Exact for ties as well (the distribution given the ranks that occurred), and without scipy.stats, which takes
0.7 s to import.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DECIMALS = 12  # differences of logs that agree this far are ties


def greater(differences: Floats) -> float:
    """One-sided p-value that `differences` lie above 0; zeros are left out, and 1 if nothing is left.

    Equals `scipy.stats.wilcoxon(differences, alternative="greater", method="exact")` where nothing ties.
    """
    rounded = np.round(differences, _DECIMALS)
    rounded = rounded[rounded != 0]
    _, places, counts = np.unique(np.abs(rounded), return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(counts) - counts + 1)[places]  # twice the mid-ranks: whole numbers
    if not doubled.size:
        return 1.0
    statistic = int(doubled[rounded > 0].sum())
    return min(float(_tail(tuple(sorted(doubled.tolist())))[statistic]), 1.0)


@lru_cache(maxsize=256)
def _tail(doubled: tuple[int, ...]) -> Floats:
    """P(W >= w) for every w, when each rank is added with probability one half."""
    chances = np.zeros(sum(doubled) + 1)
    chances[0] = 1.0
    for rank in doubled:
        moved = np.zeros_like(chances)
        moved[rank:] = chances[:-rank]
        chances = (chances + moved) / 2
    tail: Floats = chances[::-1].cumsum()[::-1]
    return tail
