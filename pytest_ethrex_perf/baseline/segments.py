"""Where levels may have changed in a row of sessions: proposals by the library `ruptures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.judge.changes import SHORTEST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PENALTY = 9.0
"""Of one more level, in squares of the noise: many proposals, since each of them is tested."""


def propose(standardised: NDArray[np.float64]) -> list[int]:
    """Return the first session of each level but the first, by PELT with the least squares around levels.

    Values are in units of their noise. Raises `MeasurementError` where ruptures is not installed.
    """
    try:
        import ruptures
    except ImportError:
        raise MeasurementError(
            "change points are found by ruptures, which is not installed: "
            "pip install 'pytest-ethrex-perf[history]'"
        ) from None
    search = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST).fit(standardised.reshape(-1, 1))
    return [int(place) for place in search.predict(pen=PENALTY)[:-1]]
