"""One extra invocation under a profiler: perf on Linux, samply on macOS; it never counts for timing."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.profile import folding, stacks
from pytest_ethrex_perf.profile.timeline import timeline
from pytest_ethrex_perf.replay import command, failure, output, transcript
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program, Side

FrameSource = Literal["dwarf", "fp"]
FREQUENCY = 997
"""Samples per second of CPU time: a prime, so that it does not beat with what the program does."""
REPEAT = 10
INVOCATIONS = 4
"""Of base and of head where they are compared; see `differential` for why not one of more repeats."""
_SPREAD = 0.3  # of the frequencies of several invocations, around the one asked for
_GOLDEN = (5**0.5 - 1) / 2
_LEAST_S = 1.0  # for reading, when the invocation took nearly all the time
_STEP_NS = 1_000_000  # a clock that moved by more than this was set meanwhile


@dataclass(frozen=True, slots=True)
class Limits:
    """What a profile may cost."""

    timeout_s: float = 300.0
    """For the invocation and for reading what was recorded, together."""
    mib: int = 512
    """Of the recorded file."""
    more_time: str = "fewer repeats, or a longer --timeout"
    """What to do where the time was not enough, in the words of whoever set it."""
    more_space: str = "fewer repeats, --frames fp, or a higher --max-size"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How stacks are taken."""

    frames: FrameSource = "dwarf"
    """`fp` where the program was built with frame pointers: smaller and faster."""
    frequency: int = FREQUENCY
    limits: Limits = Limits()


def frequencies(count: int, frequency: int = FREQUENCY) -> list[int]:
    """A sampling rate for each of so many invocations of a side: the first as asked, the others around it.

    A clock starts with each thread, so at one rate every invocation would be sampled at the same moments of
    its work.
    """
    return [
        round(frequency * (1 + _SPREAD * ((number * _GOLDEN + 0.5) % 1 - 0.5))) for number in range(count)
    ]


def turns(
    sides: Collection[Side], invocations: int, frequency: int = FREQUENCY
) -> Iterator[tuple[Side, str, int]]:
    """(side, label, sampling rate) of each invocation, ABBA: what drifts hits both sides."""
    for number, rate in enumerate(frequencies(invocations, frequency)):
        for side in sorted(sides, reverse=number % 2 == 1):
            yield side, f"{side}-{number + 1:03}", rate


class Profiler(Protocol):
    """perf or samply."""

    def arguments(self, argv: Sequence[str], file: Path, sampling: Sampling) -> list[str]:
        """The command line that runs `argv` and records into `file`."""
        ...

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment for it, from the program's own."""
        ...

    def complaint(self, finished: process.Finished, sampling: Sampling) -> str | None:
        """Why the profiler, not the program, ended the invocation; None where it did not."""
        ...

    def samples(
        self, file: Path, *, utc_offset_ns: int, environ: Mapping[str, str], limits: Limits
    ) -> tuple[list[folding.Sample], list[str]]:
        """What was recorded, times in ns since 1970 UTC, and what the reader should know of it.

        `utc_offset_ns` is UTC minus CLOCK_MONOTONIC. Raises `MeasurementError` without the block's name.
        """
        ...

    def describe(self, sampling: Sampling) -> str:
        """Its name, version and way, for people."""
        ...


def find(environ: Mapping[str, str]) -> Profiler:
    """The profiler of this machine.

    Raises `MeasurementError`, one line with the command that fixes it, where there is none.
    """
    from pytest_ethrex_perf.profile import perf, samply

    return samply.find(environ) if sys.platform == "darwin" else perf.find(environ)


def record_sides(
    sides: Mapping[Side, Program],
    block: BlockId,
    *,
    invocations: int,
    cache_dir: Path,
    environ: Mapping[str, str],
    log_dir: Path,
    repeat: int = REPEAT,
    sampling: Sampling | None = None,
    secrets: Sequence[str] = (),
) -> dict[Side, list[stacks.Profile]]:
    """Profile base and head (or one of them) in turns, ABBA: what drifts hits both.

    Each turn has a sampling rate of its own. Raises `MeasurementError` as `record` does.
    """
    sampling = sampling or Sampling()
    try:
        profiler = find(command.child_environment(environ))
    except MeasurementError as error:
        raise MeasurementError(f"{block}: not profiled: {error}") from None
    taken: dict[Side, list[stacks.Profile]] = {side: [] for side in sides}
    for side, label, frequency in turns(sides, invocations, sampling.frequency):
        taken[side].append(
            record(
                sides[side],
                block,
                cache_dir=cache_dir,
                environ=environ,
                log_dir=log_dir,
                label=label,
                profiler=profiler,
                repeat=repeat,
                sampling=replace(sampling, frequency=frequency),
                secrets=secrets,
            )
        )
    return taken


def record(
    program: Program,
    block: BlockId,
    *,
    cache_dir: Path,
    environ: Mapping[str, str],
    log_dir: Path,
    label: str,
    profiler: Profiler,
    repeat: int = REPEAT,
    sampling: Sampling | None = None,
    secrets: Sequence[str] = (),
) -> stacks.Profile:
    """Profile one invocation of `repeat` repeats from the cache; the rest as in `replay.invocation.invoke`.

    Raises `MeasurementError`, one line: a limit that was hit and what to do, or why the replay itself does
    not count.
    """
    redact = Redactor([*secrets, *secrets_in(environ)])

    def keep(recording: Sequence[str], finished: process.Finished) -> str:
        name = f"{block.network}-{block.number}-profile-{label}"
        return transcript.keep(recording, finished, log_dir=log_dir, name=name, redact=redact)

    argv = command.measure(program, block, cache_dir=cache_dir, repeat=repeat)
    recording = _Recording(profiler, sampling or Sampling(), argv)
    own = command.child_environment(environ)
    try:
        profile = recording.profile(program, block, repeat=repeat, environ=own, keep=keep)
    except MeasurementError as error:
        raise MeasurementError(f"{block}: not profiled: {redact(str(error))}") from None
    return msgspec.structs.replace(profile, label=redact(profile.label))


@dataclass(frozen=True, slots=True)
class _Recording:
    profiler: Profiler
    sampling: Sampling
    argv: Sequence[str]

    def profile(
        self,
        program: Program,
        block: BlockId,
        *,
        repeat: int,
        environ: Mapping[str, str],
        keep: Callable[[Sequence[str], process.Finished], str],
    ) -> stacks.Profile:
        """Run, read and cut it; `keep` writes the output of a failure and says where."""
        profiler, sampling = self.profiler, self.sampling
        environment = profiler.environment(environ)
        with tempfile.TemporaryDirectory(prefix="ethrex-perf-profile-") as scratch:
            file = Path(scratch, "recording.json")
            recording = profiler.arguments(self.argv, file, sampling)
            before = _utc_offset_ns()
            finished = process.run(recording, environ=environment, timeout=sampling.limits.timeout_s)
            after = _utc_offset_ns()
            read = output.parse(finished.stdout)
            reason = (
                _timed_out(finished, sampling)
                or profiler.complaint(finished, sampling)
                or failure.of_measurement(finished, read, block=block, repeat=repeat, timeout=None)
            )
            if reason is not None:
                raise MeasurementError(f"{reason}; {keep(recording, finished)}")
            cut = timeline(finished.stdout, [one.exec_ns for one in read.repeats])
            left_s = max(sampling.limits.timeout_s - finished.wall_ns / 1e9, _LEAST_S)
            taken, notes = profiler.samples(
                file,
                utc_offset_ns=(before + after) // 2,
                environ=environment,
                limits=replace(sampling.limits, timeout_s=left_s),
            )
        if not taken:
            raise MeasurementError(f"{profiler.describe(sampling)} took no sample: is it a very short block?")
        threads = folding.threads(taken)
        names, tables = stacks.gathered(
            (*cut.at(sample.time_ns), threads[sample.pid, sample.tid], sample.frames) for sample in taken
        )
        return stacks.Profile(
            program_sha256=program.sha256,
            label=program.label,
            block=str(block),
            started=finished.started,
            recorder=profiler.describe(sampling),
            period_ns=1e9 / sampling.frequency,
            prep_ns=tuple(one.prep_ns for one in read.repeats),
            exec_ns=tuple(one.exec_ns for one in read.repeats),
            names=names,
            stacks=tables,
            notes=(*notes, *_cautions(taken, after - before)),
        )


def _timed_out(finished: process.Finished, sampling: Sampling) -> str | None:
    if not finished.timed_out:
        return None
    return (
        f"the invocation took longer than {round(sampling.limits.timeout_s, 1):g} s under the profiler and "
        f"was stopped: {sampling.limits.more_time}"
    )


def _utc_offset_ns() -> int:
    """UTC minus CLOCK_MONOTONIC: the closest of a few looks, as we may be interrupted between the two."""
    looks = []
    for _ in range(5):
        first = time.monotonic_ns()
        utc = time.time_ns()
        last = time.monotonic_ns()
        looks.append((last - first, utc - (first + last) // 2))
    return min(looks)[1]


def _cautions(taken: Sequence[folding.Sample], clock_moved_ns: int) -> Iterator[str]:
    if abs(clock_moved_ns) > _STEP_NS:
        yield (
            f"the clock was set by {clock_moved_ns / 1e6:+.1f} ms during the profile: phases may be cut in "
            "the wrong place"
        )
    nameless = sum(sample.frames[-1].startswith("[") for sample in taken)
    if nameless > len(taken) / 3:
        yield (
            f"{100 * nameless / len(taken):.0f} % of the samples have no function's name: profile a build "
            "with symbols (cargo build --profile release-with-debug)"
        )
