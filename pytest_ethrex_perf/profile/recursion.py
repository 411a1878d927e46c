"""How many stacks of a deep recursion come out whole on this machine: what `doctor` measures."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process, scratch
from pytest_ethrex_perf.profile import stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.profile.sampling import Profiler, Sampling
    from pytest_ethrex_perf.profile.stacks import Stacks

# list.sort keeps more than 2 KiB on the native stack, whichever Python it is
_PROGRAM = """
import time

def deep(levels):
    if levels:
        [0].sort(key=lambda _: deep(levels - 1))
        return 0
    end = time.process_time() + 0.25
    while time.process_time() < end:
        sum(range(1000))
    return 0

deep(4)
"""


def cut_off(profiler: Profiler, sampling: Sampling, environ: Mapping[str, str]) -> float:
    """The fraction of stacks, some 20 KiB deep, that `profiler` cuts off.

    Takes half a second. Raises `MeasurementError` where nothing is recorded.
    """
    environ = profiler.environment(environ)
    with scratch.folder() as folder:
        file = folder / "recording.json"
        argv = [sys.executable, "-S", "-E", "-c", _PROGRAM]
        finished = process.run(
            profiler.arguments(argv, file, sampling), environ=environ, timeout=sampling.limits.timeout_s
        )
        if finished.returncode != 0:
            raise MeasurementError(f"nothing could be recorded: exit code {finished.returncode}")
        samples, _ = profiler.samples(file, utc_offset_ns=0, environ=environ, limits=sampling.limits)
    if not samples:
        raise MeasurementError("nothing was recorded")
    taken: Stacks = Counter(("main", *sample.frames) for sample in samples)
    return stacks.cut_off(taken)
