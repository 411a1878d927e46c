"""Linux's perf: finding it, recording with it, reading what it recorded.

It samples `cpu-clock:u` whether or not there is a PMU: one sample is then an equal slice of CPU time, which
is what is compared (ms per block), and machines with and without a PMU agree. The kernel's share is left
out: users without privileges would not see it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.profile import folding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.profile.sampling import Limits, Sampling

EVENT = "cpu-clock:u"
USER_SPACE = 2
"""The highest kernel.perf_event_paranoid that lets everybody sample their own processes in user space."""
_ENVIRONMENT = {
    "PERF_CONFIG": "/dev/null",  # a user's own defaults would change what is recorded
    "DEBUGINFOD_URLS": "",  # or perf script asks servers for symbols, for minutes
}
_STACK_BYTES = 8192  # of each sample's stack, copied to be unwound afterwards
_PROBE_TIMEOUT_S = 30.0
_LOST = re.compile(r"lost (?P<lost>[0-9,]+) (?:chunks|samples|events)", re.IGNORECASE)
_PARANOID = "proc/sys/kernel/perf_event_paranoid"
_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Perf:
    """A perf that may record here."""

    path: str
    version: str
    compresses: bool = True
    """Not every distribution builds it with zstd."""

    def describe(self, sampling: Sampling) -> str:
        """`perf 6.1.187, dwarf frames`."""
        return f"perf {self.version}, {sampling.frames} frames"

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Without anybody's own configuration, and without the network."""
        return {**environ, **_ENVIRONMENT}

    def arguments(self, argv: Sequence[str], file: Path, sampling: Sampling) -> list[str]:
        """`perf record` of `argv`; it ends the program when `file` reaches its limit."""
        chain = f"dwarf,{_STACK_BYTES}" if sampling.frames == "dwarf" else "fp"
        return [
            *self._record(file),
            *("--call-graph", chain, "--freq", str(sampling.frequency)),
            *("--max-size", f"{sampling.limits.mib}M", "--", *argv),
        ]

    def _record(self, file: Path) -> list[str]:
        compress = ["--compression-level=1"] if self.compresses else []
        return [
            *(self.path, "record", "--event", EVENT, "--clockid", "CLOCK_MONOTONIC", *compress),
            # no copies of every program in ~/.debug
            *("--no-buildid", "--no-buildid-cache", "--output", str(file)),
        ]

    def complaint(self, finished: process.Finished, sampling: Sampling) -> str | None:
        """Where the limit of the file's size was hit."""
        if "size limit reached" not in finished.stderr:
            return None
        return (
            f"the recording reached its limit of {sampling.limits.mib} MiB and was stopped: "
            f"{sampling.limits.more_space}"
        )

    def samples(
        self, file: Path, *, utc_offset_ns: int, environ: Mapping[str, str], limits: Limits
    ) -> tuple[list[folding.Sample], list[str]]:
        """Read a recording by `perf script`; see `sampling.Profiler`."""
        printed = file.with_suffix(".script")
        # without --no-inline perf looks every address up in the debug info: minutes, or for ever
        script = [
            self.path,
            "script",
            "--no-inline",
            "--ns",
            "--fields",
            folding.FIELDS,
            "--input",
            str(file),
        ]
        # into a file of its own: it may be more than `process.run` keeps
        finished = process.run(
            ["sh", "-c", 'exec "$@" > "$0"', str(printed), *script], environ=environ, timeout=limits.timeout_s
        )
        if finished.timed_out:
            raise MeasurementError(
                f"perf script needed more than the {round(limits.timeout_s, 1):g} s that were left to read "
                f"the samples and was stopped: {limits.more_time}"
            )
        if finished.returncode != 0:
            raise MeasurementError(f"perf script failed: {_last_line(finished.stderr)}")
        with printed.open(encoding="utf-8", errors="replace") as lines:
            taken = [
                sample._replace(time_ns=sample.time_ns + utc_offset_ns) for sample in folding.samples(lines)
            ]
        lost = _LOST.search(finished.stderr)
        return taken, [
            f"perf lost {lost['lost']} chunks of samples: a lower --frequency keeps up"
        ] if lost else []

    def try_out(self, environ: Mapping[str, str]) -> str | None:
        """Record `true`; None where that works, else perf's complaint."""
        with tempfile.TemporaryDirectory(prefix="ethrex-perf-probe-") as scratch:
            recording = [*self._record(Path(scratch, "perf.data")), "--", "true"]
            tried = process.run(recording, environ=self.environment(environ), timeout=_PROBE_TIMEOUT_S)
        return None if tried.returncode == 0 else tried.stderr or f"exit code {tried.returncode}"


def find(environ: Mapping[str, str], *, root: Path = _ROOT) -> Perf:
    """The perf on PATH, tried once with the options of a recording (0.1 s).

    Raises `MeasurementError`, one line with the command that fixes it: not installed, not for this kernel,
    not permitted.
    """
    path, version = located(environ, root=root)
    perf = Perf(path, version)
    complaint = perf.try_out(environ)
    if complaint is None:
        return perf
    plain = Perf(path, version, compresses=False)
    if plain.try_out(environ) is None:
        return plain
    raise MeasurementError(_not_permitted(complaint, root))


def located(environ: Mapping[str, str], *, root: Path = _ROOT) -> tuple[str, str]:
    """Path and version of the perf on PATH; Ubuntu's wrapper without its tools is none.

    Raises `MeasurementError`, one line with the command that installs it.
    """
    path = shutil.which("perf", path=environ.get("PATH"))
    if path is None:
        raise MeasurementError(f"perf is not installed: {install_command('perf', root)}")
    told = process.run([path, "--version"], environ=environ, timeout=_PROBE_TIMEOUT_S)
    version = re.search(r"perf version (\S+)", told.stdout)
    if version is None:
        raise MeasurementError(_not_working(path, told, root))
    return path, version[1]


def paranoid(root: Path = _ROOT) -> int | None:
    """kernel.perf_event_paranoid; None where the kernel has no perf events."""
    try:
        return int((root / _PARANOID).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


_PACKAGES = {
    "ubuntu": (
        "sudo apt-get install",
        {"perf": "linux-tools-$(uname -r)", "cpupower": "linux-tools-$(uname -r)"},
    ),
    "debian": ("sudo apt-get install", {"perf": "linux-perf", "cpupower": "linux-cpupower"}),
    "fedora": ("sudo dnf install", {"cpupower": "kernel-tools"}),
    "rhel": ("sudo dnf install", {"cpupower": "kernel-tools"}),
    "arch": ("sudo pacman -S", {}),
}


def install_command(tool: str, root: Path = _ROOT) -> str:
    """The command that installs perf, valgrind or cpupower on this distribution (os-release(5))."""
    try:
        text = (root / "etc/os-release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    facts = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', text, re.MULTILINE))
    family = f"{facts.get('ID', '')} {facts.get('ID_LIKE', '')}".split()
    for name in family:
        if name in _PACKAGES:
            install, packages = _PACKAGES[name]
            return f"{install} {packages.get(tool, tool)}"
    return f"install the package that brings {tool}"


def _not_working(path: str, told: process.Finished, root: Path) -> str:
    if "not found for kernel" in f"{told.stdout}\n{told.stderr}":  # Ubuntu's wrapper without its tools
        return f"{path} has no tools for this kernel: sudo apt-get install linux-tools-$(uname -r)"
    return f"{path} does not work (exit code {told.returncode}): {install_command('perf', root)}"


def _not_permitted(complaint: str, root: Path) -> str:
    level = paranoid(root)
    if level is None:
        return "perf can't record: this kernel has no perf events, or /proc hides them"
    if level > USER_SPACE:
        return (
            f"perf is not permitted (kernel.perf_event_paranoid = {level}): "
            f"sudo sysctl -w kernel.perf_event_paranoid={USER_SPACE}"
        )
    if re.search(r"permi|access|EPERM|EACCES", complaint, re.IGNORECASE):
        return (
            f"perf is not permitted, though kernel.perf_event_paranoid = {level} allows it: in a container, "
            "run it with --cap-add PERFMON and a seccomp profile that allows perf_event_open"
        )
    return f"perf can't record: {' '.join(complaint.split())[:300]}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it says nothing"
