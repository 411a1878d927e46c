"""How noisy this machine was during one invocation, by counters that the kernel keeps anyway."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from pytest_ethrex_perf.host import proc
from pytest_ethrex_perf.records.measurement import Noise

if TYPE_CHECKING:
    from pathlib import Path


class NoiseProbe:
    """What else the machine did between `start()` and `stop()`: two looks at counters that the kernel keeps.

    Nothing runs in between. Both looks together take about 0.1 ms.
    """

    def __init__(self, root: Path = proc.ROOT) -> None:
        self._root = root
        self._cgroup = next(
            (
                stat
                for group in (*proc.cgroups(root), *proc.cpu_cgroups_v1(root))
                if _throttled(stat := group / "cpu.stat") is not None
            ),
            None,
        )
        self._before = Noise()

    def start(self) -> None:
        """Look for the first time: right before the process starts."""
        self._before = self._look(load1=load1(self._root))

    def stop(self) -> Noise:
        """Look again and return what happened since `start()`; None where the machine does not tell."""
        before, after = self._before, self._look()
        return Noise(
            psi_some_us=_delta(before.psi_some_us, after.psi_some_us),
            steal_ticks=_delta(before.steal_ticks, after.steal_ticks),
            throttled_us=_delta(before.throttled_us, after.throttled_us),
            load1=before.load1,
        )

    def _look(self, load1: float | None = None) -> Noise:
        return Noise(
            psi_some_us=_psi_some_us(self._root),
            steal_ticks=_steal_ticks(self._root),
            throttled_us=_throttled(self._cgroup) if self._cgroup else None,
            load1=load1,
        )


def _delta(before: int | None, after: int | None) -> int | None:
    # a counter that went back (a moved cgroup, a restored VM) tells nothing
    return after - before if before is not None and after is not None and after >= before else None


def _psi_some_us(root: Path) -> int | None:
    """`some … total=N` in µs (kernel: Documentation/accounting/psi.rst)."""
    match = re.search(
        r"^some .*total=([0-9]{1,20})\b", proc.read(root / "proc/pressure/cpu") or "", re.MULTILINE
    )
    return int(match[1]) if match else None


def _steal_ticks(root: Path) -> int | None:
    """Column 8 of /proc/stat: `cpu user nice system idle iowait irq softirq steal` (proc(5))."""
    match = re.match(r"cpu +(?:[0-9]+ +){7}([0-9]{1,20})\b", proc.read(root / "proc/stat") or "")
    return int(match[1]) if match else None


def load1(root: Path) -> float | None:
    """The load average over the last minute; None where the machine does not tell."""
    words = (proc.read(root / "proc/loadavg") or "").split()
    try:
        load = float(words[0])
    except (IndexError, ValueError):
        return None
    return load if math.isfinite(load) else None


def _throttled(stat: Path) -> int | None:
    """`throttled_usec` of a cgroup v2 cpu.stat, absent where no cpu controller is on (cgroup-v2.rst).

    v1 has `throttled_time`, in ns.
    """
    match = re.search(r"^throttled_(usec|time) ([0-9]{1,20})\b", proc.read(stat) or "", re.MULTILINE)
    if match is None:
        return None
    return int(match[2]) if match[1] == "usec" else int(match[2]) // 1000
