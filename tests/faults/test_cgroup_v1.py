"""Half a CPU of cgroup v1 is another machine than all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host.machine import identify
from tests.host.trees import plant

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Machine

V1 = "sys/fs/cgroup/cpu,cpuacct"


def machine(root: Path, cgroup: str, **files: str) -> Machine:
    """The machine whose process is in `cgroup`, with these files of the cpu controller."""
    tree = {"proc/cpuinfo": "processor : 0\nvendor_id : GenuineIntel\n", "proc/self/cgroup": cgroup}
    return identify(root=plant(root, tree | files))


def limits(directory: str, quota: int, period: int = 100_000) -> dict[str, str]:
    """The files of a cgroup that may use `quota` of each `period`."""
    return {f"{directory}/cpu.cfs_quota_us": f"{quota}\n", f"{directory}/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("line", "directory", "inner"),
    [
        ("4:cpu,cpuacct:/\n", V1, V1),
        ("4:cpu,cpuacct:/docker/abc\n", V1, V1),  # the host's path: what is mounted is our own
        ("4:cpu,cpuacct:/a/b\n", V1, f"{V1}/a/b"),
        ("4:cpu,cpuacct:/a/b\n", f"{V1}/a", f"{V1}/a/b"),  # the limit is the parent's
        ("4:cpu:/\n", "sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu"),
        ("1:pids:/x\n4:cpuacct,cpu:/\n0::/\n", "sys/fs/cgroup/cpuacct,cpu", "sys/fs/cgroup/cpuacct,cpu"),
    ],
)
def test_the_quota_is_in_the_key(tmp_path: Path, line: str, directory: str, inner: str) -> None:
    free = machine(tmp_path / "free", line, **limits(inner, -1))
    half = machine(tmp_path / "half", line, **(limits(inner, -1) | limits(directory, 50_000)))
    assert free.keyed.get("quota") is None
    assert half.keyed["quota"] == 0.5
    assert free.key != half.key


def test_a_cpuset_is_no_quota(tmp_path: Path) -> None:
    assert "quota" not in machine(tmp_path, "3:cpuset:/a\n", **limits("sys/fs/cgroup/cpuset/a", 5)).keyed
