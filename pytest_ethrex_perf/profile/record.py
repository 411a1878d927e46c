"""Extra invocations under a profiler: perf on Linux, samply on macOS; they never count for timing."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.host import process, scratch
from pytest_ethrex_perf.profile import depth, folding, perf, samply, stacks
from pytest_ethrex_perf.profile.sampling import FREQUENCY, frequencies
from pytest_ethrex_perf.profile.timeline import timeline
from pytest_ethrex_perf.replay import answer, command, failure, output, transcript
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.profile.sampling import Profiler, Sampling
    from pytest_ethrex_perf.profile.timeline import Timeline
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program, Side
    from pytest_ethrex_perf.replay.output import Output

REPEAT = 10
INVOCATIONS = 4
"""Of base and of head where they are compared; see `differential` for why not one of more repeats."""
_LEAST_S = 1.0  # for reading, when the invocation took nearly all the time
_STEP_NS = 1_000_000  # a clock that moved by more than this was set meanwhile


@dataclass(frozen=True, slots=True)
class _Recording:
    """What one invocation under the profiler left."""

    started: str
    output: Output
    timeline: Timeline
    samples: Sequence[folding.Sample]
    notes: tuple[str, ...]
    file_bytes: int
    reading_s: float


def find(environ: Mapping[str, str]) -> Profiler:
    """The profiler of this machine.

    Raises `MeasurementError`, one line with the command that fixes it, where there is none.
    """
    return samply.find(environ) if sys.platform == "darwin" else perf.find(environ)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Profiles invocations of one block, `repeat` repeats each, from the cache."""

    profiler: Profiler
    block: BlockId
    cache_dir: Path
    environ: Mapping[str, str]
    """Ours: the child's is made from it."""
    log_dir: Path
    repeat: int = REPEAT
    secrets: Sequence[str] = ()

    def in_turns(
        self,
        sides: Mapping[Side, Program],
        invocations: int,
        sampling: Callable[[int], Sampling],
        *,
        frequency: int = FREQUENCY,
    ) -> Iterator[tuple[Side, stacks.Profile]]:
        """The profiles of `invocations` of each side, taken ABBA as they are asked for: drift hits both.

        `sampling` says how each is taken, by the sampling rate whose turn it is (around `frequency`, in Hz).
        A short recording of head comes first, so that stacks are whole and the limits hold; see `depth`.
        Raises `MeasurementError` as `record` does, and what `sampling` raises.
        """
        taken = self._depth(sides["head"], sampling, frequency, invocations * len(sides))
        for number, rate in enumerate(frequencies(invocations, taken.frequency)):
            for side in sorted(sides, reverse=number % 2 == 1):
                how = replace(sampling(rate), stack_bytes=taken.stack_bytes)
                profile = self.record(sides[side], f"{side}-{number + 1:03}", how)
                yield side, msgspec.structs.replace(profile, notes=(*profile.notes, *taken.notes))

    def _depth(
        self, program: Program, sampling: Callable[[int], Sampling], frequency: int, recordings: int
    ) -> depth.Depth:
        """How much of each stack is taken, and how often."""
        how = sampling(frequency)
        trials = self.trials(program, lambda: sampling(frequency))
        if not trials:
            return depth.Depth(how.stack_bytes, frequency)
        return depth.plan(
            trials, frequency=frequency, repeat=self.repeat, recordings=recordings, limits=how.limits
        )

    def trials(self, program: Program, sampling: Callable[[], Sampling]) -> list[depth.Trial]:
        """Short recordings, with more of each stack than usual only where that is not enough.

        None where the profiler walks stacks itself. Raises `MeasurementError` as `record` does, and what
        `sampling` raises.
        """
        trials: list[depth.Trial] = []
        for stack_bytes in self.profiler.stack_sizes(sampling()):
            how = replace(sampling(), stack_bytes=stack_bytes)
            trials.append(replace(self, repeat=depth.REPEAT).try_out(program, how))
            if trials[-1].cut <= depth.ENOUGH:
                break
        return trials

    def try_out(self, program: Program, sampling: Sampling) -> depth.Trial:
        """What one invocation shows of the program's stacks. Raises `MeasurementError` as `record` does."""
        recording = self._recording(program, "trial", sampling)
        profile = self._profile(program, recording, sampling)
        every = profile.folded()
        loading = sum(count for frames, count in every.items() if stacks.phase_of(frames) == "cache-io")
        return depth.Trial(
            stack_bytes=sampling.stack_bytes,
            cut=max(stacks.cut_off(every), stacks.cut_off(profile.folded(["exec"]))),
            samples=every.total(),
            file_bytes=recording.file_bytes,
            reading_s=recording.reading_s,
            loading_s=loading / sampling.frequency,
            repeat_s=(every.total() - loading) / sampling.frequency / self.repeat,
        )

    def record(self, program: Program, label: str, sampling: Sampling) -> stacks.Profile:
        """The profile of one invocation; `label` (`head-003`) completes the name of a failure's log file.

        Raises `MeasurementError`, one line: a limit that was hit and what to do, or why the replay itself
        does not count.
        """
        recording = self._recording(program, label, sampling)
        if not recording.samples:
            raise MeasurementError(
                f"{self.block}: not profiled: {self.profiler.describe(sampling)} took no sample: is it a "
                "very short block?"
            )
        return self._profile(program, recording, sampling)

    def _recording(self, program: Program, label: str, sampling: Sampling) -> _Recording:
        try:
            return self._run(program, label, sampling)
        except NoAnswerError as error:
            of_block = f"{self.block}: not profiled: {self._redact(error.of_block)}"
            raise NoAnswerError(str(error), of_block) from None
        except MeasurementError as error:
            raise MeasurementError(f"{self.block}: not profiled: {self._redact(str(error))}") from None

    @property
    def _redact(self) -> Redactor:
        return Redactor([*self.secrets, *secrets_in(self.environ)])

    def _profile(self, program: Program, recording: _Recording, sampling: Sampling) -> stacks.Profile:
        samples, cut, repeats = recording.samples, recording.timeline, recording.output.repeats
        threads = folding.threads(samples)
        names, tables = stacks.gathered(
            (*cut.at(sample.time_ns), threads[sample.pid, sample.tid], sample.frames) for sample in samples
        )
        return stacks.Profile(
            program_sha256=program.sha256,
            label=self._redact(program.label),
            block=str(self.block),
            started=recording.started,
            recorder=self.profiler.describe(sampling),
            period_ns=1e9 / sampling.frequency,
            prep_ns=tuple(repeat.prep_ns for repeat in repeats),
            exec_ns=tuple(repeat.exec_ns for repeat in repeats),
            names=names,
            stacks=tables,
            notes=recording.notes,
        )

    def _run(self, program: Program, label: str, sampling: Sampling) -> _Recording:
        argv = command.measure(program, self.block, cache_dir=self.cache_dir, repeat=self.repeat)
        environ = self.profiler.environment(command.child_environment(self.environ))
        with scratch.folder() as folder:
            file = folder / "recording.json"
            recording = self.profiler.arguments(argv, file, sampling)
            before = _utc_offset_ns()
            finished = process.run(recording, environ=environ, timeout=sampling.limits.timeout_s)
            after = _utc_offset_ns()
            read = output.parse(finished.stdout)
            reason = self._failure(finished, read, sampling)
            if reason is not None:
                name = f"{self.block.file_name}-profile-{label}"
                log = transcript.keep(
                    recording, finished, log_dir=self.log_dir, name=name, redact=self._redact
                )
                message = f"{reason}; {log}"
                raise answer.error(message, program, finished, read, redact=self._redact, kept=log)
            cut = timeline(finished.stdout, [repeat.exec_ns for repeat in read.repeats])
            left_s = max(sampling.limits.timeout_s - finished.wall_ns / 1e9, _LEAST_S)
            began = time.monotonic()
            samples, notes = self.profiler.samples(
                file,
                utc_offset_ns=(before + after) // 2,
                environ=environ,
                limits=replace(sampling.limits, timeout_s=left_s),
            )
            reading_s = time.monotonic() - began
            file_bytes = file.stat().st_size if file.exists() else 0
        notes = [*notes, *_cautions(samples, after - before)]
        return _Recording(finished.started, read, cut, samples, tuple(notes), file_bytes, reading_s)

    def _failure(self, finished: process.Finished, read: Output, sampling: Sampling) -> str | None:
        """Why the invocation is no profile, the profiler's reasons first; None where it is one."""
        if finished.timed_out:
            return (
                f"the invocation took longer than {round(sampling.limits.timeout_s, 1):g} s under the "
                f"profiler and was stopped: {sampling.limits.more_time}"
            )
        return self.profiler.complaint(finished, sampling) or failure.of_measurement(
            finished, read, block=self.block, repeat=self.repeat, timeout=None
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


def _cautions(samples: Sequence[folding.Sample], clock_moved_ns: int) -> Iterator[str]:
    if abs(clock_moved_ns) > _STEP_NS:
        yield (
            f"the clock was set by {clock_moved_ns / 1e6:+.1f} ms during the profile: phases may be cut in "
            "the wrong place"
        )
    nameless = sum(sample.frames[-1].startswith("[") for sample in samples)
    if samples and nameless > len(samples) / 3:
        yield (
            f"{100 * nameless / len(samples):.0f} % of the samples have no function's name: profile a build "
            "with symbols (cargo build --profile release-with-debug)"
        )
