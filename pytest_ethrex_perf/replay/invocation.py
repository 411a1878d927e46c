"""One measured invocation: run, read, and counted only if everything says that the block was replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.replay import command, failure, output, process, transcript
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in
from pytest_ethrex_perf.results import Invocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.blocks import BlockId
    from pytest_ethrex_perf.results import Program


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
) -> Invocation:
    """Run one invocation of `repeat` repeats from the cache, for at most `timeout` seconds.

    `environ` is our own environment: the child's is made from it. `label` (`head-003`) completes the name of
    the file in `log_dir` that keeps the output of a failure; `secrets` (RPC URLs) are scrubbed from it.

    Raises `MeasurementError`, one line: what happened, the program's own error line, the file with the whole
    output. See `failure.of_measurement` for what counts as a success.
    """
    from pytest_ethrex_perf.machine import NoiseProbe

    argv = command.measure(program, block, cache_dir=cache_dir, repeat=repeat)
    probe = NoiseProbe()
    probe.start()
    finished = process.run(argv, environ=command.child_environment(environ), timeout=timeout)
    noise = probe.stop()
    read = output.parse(finished.stdout)
    reason = failure.of_measurement(finished, read, block=block, repeat=repeat, timeout=timeout)
    if reason is not None or read.report is None:
        redact = Redactor([*secrets, *secrets_in(environ)])
        name = f"{block.network}-{block.number}-{label}"
        kept = transcript.keep(argv, finished, log_dir=log_dir, name=name, redact=redact)
        raise MeasurementError(f"{block}: {redact(reason or 'no report line')}; {kept}")
    return Invocation(
        started=finished.started,
        wall_ns=finished.wall_ns,
        prep_ns=tuple(one.prep_ns for one in read.repeats),
        exec_ns=tuple(one.exec_ns for one in read.repeats),
        gas=read.report.gas,
        txs=read.report.txs,
        phases=read.phases,
        opcodes=read.opcodes,
        usage=finished.usage,
        noise=noise,
    )
