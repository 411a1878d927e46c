"""Linux's perf on this machine: the one on PATH, who may use it, and the commands that get it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import proc, process
from pytest_ethrex_perf.records.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

USER_SPACE = 2
"""The highest kernel.perf_event_paranoid that lets everybody look at their own processes in user space."""
PERMIT = f"sudo sysctl -w kernel.perf_event_paranoid={USER_SPACE}"
"""The command that permits it."""
PROBE_TIMEOUT_S = 30.0  # of a machine that is very busy: it takes milliseconds
SYMBOLS = "the symbols of the C library"
"""What valgrind needs of it, for `install_command`."""
_PACKAGES = {
    "ubuntu": (
        "sudo apt-get install",
        {
            "perf": "linux-tools-$(uname -r)",
            "cpupower": "linux-tools-$(uname -r)",
            SYMBOLS: "libc6-dbg",
        },
    ),
    "debian": (
        "sudo apt-get install",
        {"perf": "linux-perf", "cpupower": "linux-cpupower", SYMBOLS: "libc6-dbg"},
    ),
    "fedora": ("sudo dnf install", {"cpupower": "kernel-tools", SYMBOLS: "glibc-debuginfo"}),
    "rhel": ("sudo dnf install", {"cpupower": "kernel-tools", SYMBOLS: "glibc-debuginfo"}),
    "arch": ("sudo pacman -S", {SYMBOLS: "debuginfod"}),
    "suse": ("sudo zypper install", {SYMBOLS: "glibc-debuginfo"}),
    "alpine": ("sudo apk add", {SYMBOLS: "musl-dbg"}),
}


@dataclass(frozen=True, slots=True)
class PerfTool:
    """An installed perf."""

    path: str
    version: str
    """As it prints it: `6.1.187`."""

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor: (6, 1); (0, 0) where the version has none."""
        match = re.match(r"([0-9]{1,9})\.([0-9]{1,9})", self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    @property
    def short_version(self) -> str:
        """`6.1`."""
        return ".".join(map(str, self.release))


def find(environ: Mapping[str, str], *, root: Path = proc.ROOT) -> PerfTool:
    """The perf on PATH; Ubuntu's wrapper without its tools is none.

    Raises `MeasurementError`, one line with the command that installs it.
    """
    path = shutil.which("perf", path=environ.get("PATH"))
    if path is None:
        raise MeasurementError(f"perf is not installed: {install_command('perf', root)}")
    finished = process.run(
        [path, "--version"], environ=Environment(environ, LC_ALL="C"), timeout=PROBE_TIMEOUT_S
    )
    version = re.search(r"perf version (\S+)", finished.stdout)
    if version is not None:
        return PerfTool(path, version[1])
    if "not found for kernel" in f"{finished.stdout}\n{finished.stderr}":
        raise MeasurementError(
            f"{path} has no tools for this kernel: sudo apt-get install linux-tools-$(uname -r)"
        )
    raise MeasurementError(
        f"{path} does not work (exit code {finished.returncode}): {install_command('perf', root)}"
    )


def paranoid(root: Path = proc.ROOT) -> int | None:
    """kernel.perf_event_paranoid; None where the kernel has no perf events."""
    try:
        return int(proc.read(root / "proc/sys/kernel/perf_event_paranoid") or "")
    except ValueError:
        return None


def pmus(root: Path = proc.ROOT) -> list[str]:
    """Names of the PMUs of the CPU itself (`cpu`, `cpu_core`, `armv8_pmuv3_0`); none in most guests."""
    devices = root / "sys/bus/event_source/devices"
    patterns = ("cpu", "cpu_core", "cpu_atom", "armv[0-9]*", "apple_*")
    return [path.name for pattern in patterns for path in sorted(devices.glob(pattern))]


def install_command(tool: str, root: Path = proc.ROOT) -> str:
    """The command that installs perf, valgrind, cpupower or `SYMBOLS` here, by os-release(5)."""
    text = proc.read(root / "etc/os-release") or ""
    facts = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', text, re.MULTILINE))
    family = f"{facts.get('ID', '')} {facts.get('ID_LIKE', '')}".split()
    for name in family:
        if name in _PACKAGES:
            install, packages = _PACKAGES[name]
            return f"{install} {packages.get(tool, tool)}"
    return f"install the package that brings {tool}"
