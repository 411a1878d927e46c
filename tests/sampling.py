"""The sample of an invocation, computed as anyone would: what tests hold the package's own against."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.measurement import Invocation


def log_of(repeats: Sequence[float]) -> float:
    """Return the mean of the logs of the lowest 70 % of the repeats after the first."""
    counted = sorted(repeats[1:])
    lowest = counted[: math.ceil(round(0.7 * len(counted), 6))]
    return sum(math.log(value) for value in lowest) / len(lowest)


def logs(invocations: Sequence[Invocation]) -> list[float]:
    """Return the samples of exec, in ns."""
    return [log_of(invocation.exec_ns) for invocation in invocations]


def seconds(invocations: Sequence[Invocation]) -> list[float]:
    """Return the samples of exec in s."""
    return [math.exp(logarithm) / 1e9 for logarithm in logs(invocations)]
