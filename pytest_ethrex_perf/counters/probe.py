"""Whether perf can count here, found out once: which perf, and what it says when it counts `true`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_ethrex_perf.counters import perf_output
from pytest_ethrex_perf.counters.perf_stat import Tool
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import perf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State: TypeAlias = Literal["perf", "no perf", "not permitted", "no PMU"]
_TIMEOUT_S = 10.0  # of a machine that is very busy: it takes milliseconds
_VERSION = re.compile(r"(?P<major>\d+)\.(?P<minor>\d+)")
_DENIED = ("perf_event_paranoid", "No permission", "is limited", "Permission denied", "not permitted")


@dataclass(frozen=True, slots=True)
class Probed:
    """What perf can do on this machine."""

    state: State
    """`perf`: hardware events are counted."""
    told: str
    """One line for people: what holds, and what to do about it."""
    tool: Tool | None = None
    """None where there is no perf, or it may not even count what the kernel counts itself."""


def probe(environ: Mapping[str, str], *, root: Path = Path("/")) -> Probed:
    """Find out what perf can count. Two short processes, some ten milliseconds; never raises.

    `root` holds `proc` and `sys` (another directory in tests).
    """
    tool, why = find(environ, root=root)
    if tool is None:
        return Probed("no perf", f"no perf: {why}")
    written, said = ask(tool, ("instructions:u", "cycles:u", "task-clock:u"), environ)
    found = perf_output.tallies(perf_output.read(written))
    kernels = found.get("task-clock")
    usable = tool if kernels is not None and kernels.value is not None else None
    hardware = [found[name] for name in ("instructions", "cycles") if name in found]
    version = ".".join(map(str, tool.version))
    if any(tally.value is not None for tally in hardware):
        return Probed("perf", f"perf {version} counts this CPU's events", tool)
    if not hardware or any(word in said for word in _DENIED):
        return Probed("not permitted", _not_permitted(root, said), usable)
    if has_pmu(root):
        return Probed("no PMU", f"no PMU that counts: {hardware[0].missing}", usable)
    return Probed("no PMU", "no PMU: this (virtual) machine shows none of its CPU's counters", usable)


def find(environ: Mapping[str, str], *, root: Path = Path("/")) -> tuple[Tool | None, str]:
    """The perf on PATH, or why there is none."""
    if not sys.platform.startswith("linux"):
        return None, "it is a tool of Linux"
    try:
        path, told = perf.located({**environ, "LC_ALL": "C"}, root=root)
    except MeasurementError as missing:
        return None, str(missing)
    version = _VERSION.match(told)
    return Tool(path, (int(version["major"]), int(version["minor"])) if version else (0, 0)), ""


def ask(tool: Tool, asked: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """Count `true`: what perf wrote, and what it said besides."""
    with tempfile.TemporaryDirectory(prefix="ethrex-perf-") as directory:
        written = Path(directory, "counts")
        said = _said([*tool.command(tuple(asked), written), "true"], environ)
        return written.read_text(errors="replace") if written.exists() else "", said


def unknown(tool: Tool, asked: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Those of the user's events that this perf does not know at all."""
    return [event for event in asked if not perf_output.read(ask(tool, (event,), environ)[0])]


def _said(command: Sequence[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return (done.stdout + done.stderr).decode(errors="replace")


def has_pmu(root: Path = Path("/")) -> bool:
    """Whether the kernel knows a PMU of the CPU itself."""
    devices = root / "sys/bus/event_source/devices"
    return any(any(devices.glob(name)) for name in ("cpu", "cpu_core", "armv[0-9]*", "apple_*", "arm_*"))


def core_cpus(root: Path = Path("/")) -> str | None:
    """The CPUs of a hybrid Intel's large cores (`0-15`), None on other machines."""
    try:
        return (root / "sys/devices/cpu_core/cpus").read_text().strip() or None
    except OSError:
        return None


def _not_permitted(root: Path, said: str) -> str:
    paranoid = perf.paranoid(root)
    if paranoid is not None and paranoid > perf.USER_SPACE:
        return (
            f"not permitted: perf_event_paranoid = {paranoid}: "
            f"allow it with `sudo sysctl kernel.perf_event_paranoid={perf.USER_SPACE}`"
        )
    lines = (line.strip() for line in said.splitlines())
    first = next((line for line in lines if line not in {"", "Error:"}), "perf counts nothing")
    level = "" if paranoid is None else f" (perf_event_paranoid = {paranoid})"
    return (
        f"not permitted{level}: {first.rstrip('.')}; "
        "a container needs --cap-add PERFMON and a seccomp profile that allows perf_event_open"
    )
