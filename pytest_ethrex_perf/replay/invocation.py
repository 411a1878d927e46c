"""One measured invocation: run, read, and counted only if everything says that the block was replayed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.host.noise import NoiseProbe
from pytest_ethrex_perf.records.environment import Environment
from pytest_ethrex_perf.records.measurement import Invocation
from pytest_ethrex_perf.replay import answer, command, failure, output, transcript
from pytest_ethrex_perf.replay.instrument import NOTHING
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.block import BlockId, Work
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.replay.instrument import Instrument, Run
    from pytest_ethrex_perf.replay.output import Output, Report

_COMPANION_FACTOR, _COMPANION_BASE_S = 10.0, 60.0  # as generous as an invocation's own limit


def invoke(
    program: Program,
    block: BlockId,
    *,
    cache_dir: Path,
    repeat: int,
    timeout: float | None,
    environ: Mapping[str, str],
    log_dir: Path,
    label: str,
    secrets: Sequence[str] = (),
    instrument: Instrument = NOTHING,
    turn: int = 0,
    work: Work | None = None,
    output_limit: int = process.OUTPUT_LIMIT,
) -> Invocation:
    """Run one invocation of `repeat` repeats from the cache, for at most `timeout` seconds.

    `environ` is our own environment: the child's is made from it. `label` (`head-003`) completes the name of
    the file in `log_dir` that keeps the output of a failure; `secrets` (RPC URLs) are scrubbed from it.
    `instrument` counts what the clock can't see; both sides of a pair have the same `turn`, which says what
    is counted now. Where it needs further processes, those run afterwards and are never timed. `work` is what
    the program must report of the block; it may print `output_limit` bytes.

    Raises `MeasurementError`, one line: what happened, the program's own error line, the file with the whole
    output. See `failure.of_measurement` for what counts as a success. A program of which no line is
    ethrex-replay's is a `NoAnswerError`, which names no block.
    """
    launcher = _Launcher(
        program, block, cache_dir, environ, log_dir, label, tuple(secrets), work, output_limit
    )
    with instrument.counting(repeat, turn) as counting:
        probe = NoiseProbe()
        probe.start()
        finished = launcher.run(counting.timed, timeout)
        noise = probe.stop()
        read, report = launcher.read(finished, counting.timed, timeout)
        counting_ns = 0
        for companion in counting.companions():
            limit = _limit(companion, finished, timeout)
            counted = launcher.run(companion, limit)
            launcher.read(counted, companion, limit)
            counting_ns += counted.wall_ns
        counts = counting.counts()
    return Invocation(
        started=finished.started,
        wall_ns=finished.wall_ns,
        prep_ns=tuple(line.prep_ns for line in read.repeats),
        exec_ns=tuple(line.exec_ns for line in read.repeats),
        gas=report.gas,
        txs=report.txs,
        phases=read.phases,
        opcodes=read.opcodes,
        usage=finished.usage,
        noise=noise,
        counts=counts,
        counting_ns=counting_ns,
    )


@dataclass(frozen=True, slots=True)
class _Launcher:
    """Starts the processes of one invocation, and takes only those that replayed the block."""

    program: Program
    block: BlockId
    cache_dir: Path
    environ: Mapping[str, str]
    log_dir: Path
    label: str
    secrets: tuple[str, ...]
    work: Work | None
    output_limit: int

    def run(self, run: Run, timeout: float | None) -> Finished:
        environ = Environment(command.child_environment(self.environ), **run.environ)
        try:
            return process.run(
                self._argv(run),
                environ=environ,
                timeout=timeout,
                on_line=run.on_line,
                output_limit=self.output_limit,
            )
        except process.UnstartableError as error:
            if run.wrapper:
                raise MeasurementError(f"{self.block}: {error}") from None
            raise NoAnswerError(answer.unstartable(self.program, error), str(error)) from None

    def read(self, finished: Finished, run: Run, timeout: float | None) -> tuple[Output, Report]:
        read = output.parse(finished.stdout)
        returncode = run.returncode(finished)
        ended = finished if returncode is None else replace(finished, returncode=returncode)
        reason = failure.of_measurement(
            ended, read, block=self.block, repeat=run.repeat, timeout=timeout, work=self.work
        )
        if returncode is not None and reason is None and read.report is not None:
            return read, read.report
        trouble = None
        if not finished.timed_out and finished.flooded is None:
            unknown = None if returncode is not None else "nothing says how the program ended"
            trouble = run.trouble(finished) or unknown
        redact = Redactor([*self.secrets, *secrets_in(self.environ)])
        name = f"{self.block.file_name}-{self.label}"
        kept = transcript.keep(self._argv(run), finished, log_dir=self.log_dir, name=name, redact=redact)
        message = f"{self.block}: {redact(trouble or reason or 'no report line')}; {kept}"
        if trouble is not None:  # the instrument's, whatever the program is
            raise MeasurementError(message)
        raise answer.error(message, self.program, ended, read, redact=redact, kept=kept)

    def _argv(self, run: Run) -> list[str]:
        return command.measure(
            self.program, self.block, cache_dir=self.cache_dir, repeat=run.repeat, instrument=run.wrapper
        )


def _limit(companion: Run, timed: Finished, timeout: float | None) -> float | None:
    """Seconds that a companion may take; none where the timed process had no limit either."""
    if timeout is None:
        return None
    return max(timeout, _COMPANION_BASE_S + _COMPANION_FACTOR * companion.slowdown * timed.wall_ns / 1e9)
