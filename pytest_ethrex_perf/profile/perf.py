"""Linux's perf: recording with it, and reading what it recorded.

It samples `cpu-clock:u` whether or not there is a PMU: one sample is then an equal slice of CPU time, which
is what is compared (ms per block), and machines with and without a PMU agree. The kernel's share is left
out: users without privileges would not see it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import perf_tool, proc, process, scratch
from pytest_ethrex_perf.profile import folding
from pytest_ethrex_perf.profile.sampling import STACK_BYTES
from pytest_ethrex_perf.records.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.profile.sampling import Limits, Sampling

EVENT = "cpu-clock:u"
_ENVIRONMENT = {
    "PERF_CONFIG": "/dev/null",  # a user's own defaults would change what is recorded
    "DEBUGINFOD_URLS": "",  # or perf script asks servers for symbols, for minutes
}
_MOST_STACK_BYTES = 65_528
"""perf takes no more of a stack (perf-record(1), --call-graph)."""
_MOST_FRAMES = 255  # of a stack; perf's own limit, 127, cuts off deep recursions
_BUFFER = "4M"
"""For each CPU, where it is permitted: of perf's own 512 KiB, 16 stacks of 32 KiB, samples are lost."""
_LOST = re.compile(r"lost (?P<lost>[0-9,]+) (?:chunks|samples|events)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Perf:
    """A perf that may record here."""

    path: str
    version: str
    compresses: bool = True
    """Not every distribution builds it with zstd."""
    buffers: bool = True
    """Large ones; without privileges the kernel may not lock so much memory."""

    def describe(self, sampling: Sampling) -> str:
        """`perf 6.1.187, dwarf frames of 32 KiB`."""
        of = f" of {sampling.stack_bytes / 1024:.0f} KiB" if sampling.frames == "dwarf" else ""
        return f"perf {self.version}, {sampling.frames} frames{of}"

    def stack_sizes(self, sampling: Sampling) -> tuple[int, ...]:
        """As many as usual, and the most."""
        return (STACK_BYTES, _MOST_STACK_BYTES) if sampling.frames == "dwarf" else ()

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Without anybody's own configuration, and without the network."""
        return Environment(environ, **_ENVIRONMENT)

    def arguments(self, argv: Sequence[str], file: Path, sampling: Sampling) -> list[str]:
        """`perf record` of `argv`; it ends the program when `file` reaches its limit."""
        chain = f"dwarf,{sampling.stack_bytes}" if sampling.frames == "dwarf" else "fp"
        return [
            *self._record(file),
            *("--call-graph", chain, "--freq", str(sampling.frequency)),
            *("--max-size", f"{sampling.limits.mib}M", "--", *argv),
        ]

    def _record(self, file: Path) -> list[str]:
        able = ["--compression-level=1"] if self.compresses else []
        able += [f"--mmap-pages={_BUFFER}"] if self.buffers else []
        return [
            *(self.path, "record", "--event", EVENT, "--clockid", "CLOCK_MONOTONIC", *able),
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
            "--show-task-events",
            f"--max-stack={_MOST_FRAMES}",
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
            samples = [
                sample._replace(time_ns=sample.time_ns + utc_offset_ns) for sample in folding.samples(lines)
            ]
        lost = _LOST.search(finished.stderr)
        if lost is None:
            return samples, []
        return samples, [f"perf lost {lost['lost']} chunks of samples: a lower --frequency keeps up"]

    def try_out(self, environ: Mapping[str, str]) -> str | None:
        """Record `true`; None where that works, else perf's complaint."""
        with scratch.folder() as folder:
            recording = [*self._record(folder / "perf.data"), "--", "true"]
            tried = process.run(
                recording, environ=self.environment(environ), timeout=perf_tool.PROBE_TIMEOUT_S
            )
        return None if tried.returncode == 0 else tried.stderr or f"exit code {tried.returncode}"


def find(environ: Mapping[str, str], *, root: Path = proc.ROOT) -> Perf:
    """The perf on PATH, tried once with the options of a recording (0.1 s).

    Raises `MeasurementError`, one line with the command that fixes it: not installed, not for this kernel,
    not permitted.
    """
    tool = perf_tool.find(environ, root=root)
    complaint = None
    for compresses, buffers in itertools.product((True, False), repeat=2):
        perf = Perf(tool.path, tool.version, compresses, buffers)
        if (complaint := perf.try_out(environ)) is None:
            return perf
    raise MeasurementError(_not_permitted(complaint or "", root))


def _not_permitted(complaint: str, root: Path) -> str:
    level = perf_tool.paranoid(root)
    if level is None:
        return "perf can't record: this kernel has no perf events, or /proc hides them"
    if level > perf_tool.USER_SPACE:
        return f"perf is not permitted (kernel.perf_event_paranoid = {level}): {perf_tool.PERMIT}"
    if re.search(r"permi|access|EPERM|EACCES", complaint, re.IGNORECASE):
        return (
            f"perf is not permitted, though kernel.perf_event_paranoid = {level} allows it: in a container, "
            "run it with --cap-add PERFMON and a seccomp profile that allows perf_event_open"
        )
    return f"perf can't record: {' '.join(complaint.split())[:300]}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it says nothing"
