"""Reading what the kernel tells: files of /proc and /sys, and sysctl on macOS."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path("/")
"""Holds `proc` and `sys`; another directory in tests."""
CPU = "sys/devices/system/cpu"
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_MOST_CPUS = 2**16  # Linux is built for 8,192 at most


def read(path: Path) -> str | None:
    """The file's text without surrounding space; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip(" \t\r\n\0")
    except OSError:
        return None


def whole(text: str | None) -> int | None:
    """The number that `text` is, of as many digits as a kernel writes; None where it is none."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def each(directory: Path, pattern: str) -> list[str]:
    """The different contents of the files that match, sorted."""
    return sorted({text for path in directory.glob(pattern) if (text := read(path))})


def field(path: Path, name: str) -> str | None:
    """The first `NAME: value` of the file (proc(5): cpuinfo, status); None where it has none."""
    match = re.search(rf"^{name}\s*:(.*)$", read(path) or "", re.MULTILINE)
    return match[1].strip() if match else None


def allowed_cpus(root: Path) -> list[int]:
    """The CPUs that we, and what we start, may run on; empty where /proc does not tell."""
    return cpu_list(field(root / "proc/self/status", "Cpus_allowed_list") or "")


def cgroups(root: Path) -> list[Path]:
    """Our cgroup v2 directory and its ancestors, the nearest first; empty where there is no cgroup v2."""
    own_line = re.search(r"^0::/(.*)$", read(root / "proc/self/cgroup") or "", re.MULTILINE)
    mounts = (root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified")
    mount = next((path for path in mounts if (path / "cgroup.procs").exists()), None)
    if own_line is None or mount is None:
        return []
    return _up(mount, own_line[1])


def cpu_cgroups_v1(root: Path) -> list[Path]:
    """Our directory in cgroup v1's hierarchy of the cpu controller, and its ancestors; or nothing."""
    lines = re.findall(r"^\d+:([^:]+):/(.*)$", read(root / "proc/self/cgroup") or "", re.MULTILINE)
    for controllers, own in lines:
        if "cpu" in controllers.split(","):
            names = (controllers, "cpu", "cpu,cpuacct", "cpuacct,cpu")
            mounts = (root / "sys/fs/cgroup" / name for name in names)
            mount = next((path for path in mounts if path.is_dir()), None)
            return [] if mount is None else _up(mount, own)
    return []


def _up(mount: Path, name: str) -> list[Path]:
    own = mount / name
    if ".." in own.parts or not os.path.isdir(own):  # noqa: PTH112 - of no name does this raise
        return [mount]  # the path is of another namespace: what is mounted is then our own cgroup
    return (
        [own, *(parent for parent in own.parents if parent.is_relative_to(mount))] if own != mount else [own]
    )


def cpu_list(text: str) -> list[int]:
    """The CPUs of the kernel's list format, `0-3,8` (cpuset(7)), strides left out; empty if it is none."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        begin, end = whole(first), whole(last or first)
        if begin is None or end is None or not 0 <= begin <= end < _MOST_CPUS:
            return []
        cpus.extend(range(begin, end + 1))
    return cpus


def sysctl(name: str) -> str | None:
    """The kernel's value of `name` on macOS and BSD; None where it has none."""
    try:
        done = subprocess.run(
            ["sysctl", "-n", name],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
