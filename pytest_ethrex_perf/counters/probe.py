"""Whether perf can count here, found out once: which perf, and what it says when it counts `true`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_ethrex_perf.counters import perf_output, perf_stat
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import perf_tool, proc, scratch
from pytest_ethrex_perf.records.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.host.perf_tool import PerfTool

State: TypeAlias = Literal["perf", "no perf", "too old", "not permitted", "no PMU"]
_TIMEOUT_S = 10.0  # of a machine that is very busy: it takes milliseconds
_DENIED = ("perf_event_paranoid", "No permission", "is limited", "Permission denied", "not permitted")


@dataclass(frozen=True, slots=True)
class Probed:
    """What perf can do on this machine."""

    state: State
    """`perf`: hardware events are counted."""
    message: str
    """One line for people: what holds, and what to do about it."""
    tool: PerfTool | None = None
    """None where there is no perf, it is too old, or may not even count what the kernel counts itself."""


def probe(environ: Mapping[str, str], *, root: Path = proc.ROOT) -> Probed:
    """Find out what perf can count. Two short processes, some ten milliseconds; never raises.

    `root` holds `proc` and `sys` (another directory in tests).
    """
    try:
        tool = find(environ, root=root)
    except MeasurementError as missing:
        return Probed("no perf", f"no perf: {missing}")
    if outdated := too_old(tool):
        return Probed("too old", outdated)
    written, output = ask(tool, ("instructions:u", "cycles:u", "task-clock:u"), environ)
    tallies = perf_output.tallies(perf_output.read(written))
    software = tallies.get("task-clock")
    usable = tool if software is not None and software.value is not None else None
    hardware = [tallies[name] for name in ("instructions", "cycles") if name in tallies]
    if any(tally.value is not None for tally in hardware):
        return Probed("perf", f"perf {tool.short_version} counts this CPU's events", tool)
    if not hardware or any(word in output for word in _DENIED):
        return Probed("not permitted", _not_permitted(root, output), usable)
    if perf_tool.pmus(root):
        return Probed("no PMU", f"no PMU that counts: {hardware[0].missing}", usable)
    return Probed("no PMU", "no PMU: this (virtual) machine shows none of its CPU's counters", usable)


def find(environ: Mapping[str, str], *, root: Path = proc.ROOT) -> PerfTool:
    """The perf to count with. Raises `MeasurementError`, one line that says why there is none."""
    if not sys.platform.startswith("linux"):
        raise MeasurementError("it is a tool of Linux")
    return perf_tool.find(environ, root=root)


def too_old(tool: PerfTool) -> str | None:
    """That this perf can't count only the repeats, and which one can; None where it can."""
    if tool.release >= perf_stat.HAS_CONTROL:
        return None
    needed = ".".join(map(str, perf_stat.HAS_CONTROL))
    return f"perf {tool.version} is too old: counting only the repeats takes perf {needed} or newer"


def version(environ: Mapping[str, str]) -> str | None:
    """The version of the perf that counts here, `6.1`; None where none does."""
    try:
        tool = find(environ)
    except MeasurementError:
        return None
    return None if too_old(tool) else tool.short_version


def ask(tool: PerfTool, asked: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """Count `true`: what perf wrote, and what it printed besides."""
    with scratch.folder() as directory:
        written = directory / "counts"
        output = _output([*perf_stat.command(tool, tuple(asked), written), "true"], environ)
        return written.read_text(errors="replace") if written.exists() else "", output


def unknown(tool: PerfTool, asked: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Those of the user's events that this perf does not know at all."""
    return [event for event in asked if not perf_output.read(ask(tool, (event,), environ)[0])]


def _output(command: Sequence[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env=Environment(environ, LC_ALL="C"),
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return (done.stdout + done.stderr).decode(errors="replace")


def core_cpus(root: Path = proc.ROOT) -> str | None:
    """The CPUs of a hybrid Intel's large cores (`0-15`), None on other machines."""
    return proc.read(root / "sys/devices/cpu_core/cpus") or None


def _not_permitted(root: Path, output: str) -> str:
    paranoid = perf_tool.paranoid(root)
    if paranoid is not None and paranoid > perf_tool.USER_SPACE:
        return f"not permitted: perf_event_paranoid = {paranoid}: allow it with `{perf_tool.PERMIT}`"
    lines = (line.strip() for line in output.splitlines())
    first = next((line for line in lines if line not in {"", "Error:"}), "perf counts nothing")
    level = "" if paranoid is None else f" (perf_event_paranoid = {paranoid})"
    return (
        f"not permitted{level}: {first.rstrip('.')}; "
        "a container needs --cap-add PERFMON and a seccomp profile that allows perf_event_open"
    )
