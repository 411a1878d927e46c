"""The embedded program: from a command line to ethrex-replay's lines and exit codes."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.embedded import cachefile, commandline, lines
from pytest_ethrex_perf.embedded.errors import NoBlockError, ReplayError
from pytest_ethrex_perf.embedded.identity import require
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.embedded.pipeline import Block, Execution
    from pytest_ethrex_perf.records.workload import Workload

OK, FAILED, UNUSABLE, PANICKED = 0, 1, 2, 101
PUBLIC_NETWORKS = ("mainnet", "sepolia", "holesky", "hoodi")


class _Repeat(NamedTuple):
    prep_ns: int
    execution: Execution

    @property
    def exec_ns(self) -> int:
        return sum(self.execution.phases)


def main(arguments: list[str] | None = None) -> int:
    """Replay a cached block and return the exit code.

    As with ethrex-replay, 0 does not mean success: a block that does not execute is reported as `Execution
    Error` with 0. 1: no usable cache file; 101: a panic; 2: bad arguments (then by
    `SystemExit`) or no ethereum-execution.
    """
    options = commandline.parse(sys.argv[1:] if arguments is None else arguments)
    try:
        require()
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return UNUSABLE
    tracing = lines.Tracing(colour=not os.environ.get("NO_COLOR"))
    workload = options.workload
    if workload is None:
        return _replay_cached(tracing, options)
    return _replay_workload(tracing, options, workload)


def _replay_cached(tracing: lines.Tracing, options: commandline.Options) -> int:
    if options.block is None:
        tracing.error("Block number must be specified in cached only mode")
        return FAILED
    number = options.block
    tracing.info(f"Getting block {number} data from cache")
    # any other name is the path of a genesis file to ethrex-replay, which quotes it
    network = options.network if options.network in PUBLIC_NETWORKS else f'"{options.network}"'
    path = cachefile.cache_path(options.cache_dir, network, number)
    try:
        cached = cachefile.read(path)
    except NoBlockError:
        return _panic()
    except (OSError, ValueError) as error:
        tracing.error(
            f"Cache wasn't found for block {number}: {_reason(error)} ({path})\n\nLocation:\n    {__name__}"
        )
        return FAILED
    if options.repeat == 0:
        return _panic()
    return _replay(tracing, cached, options.repeat, options.extra_work)


def _replay_workload(tracing: lines.Tracing, options: commandline.Options, workload: Workload) -> int:
    path = cachefile.workload_path(options.cache_dir, workload)
    try:
        if options.cached:
            tracing.info(f"Loading custom block from cache {path.name}")
        else:
            _make(path, workload)
        cached = cachefile.read(path)
    except NoBlockError:
        return _panic()
    except (OSError, ValueError) as error:
        tracing.error(f"{_reason(error)} ({path})\n\nLocation:\n    {__name__}")
        return FAILED
    if options.repeat == 0:
        return _panic()
    code = _replay(tracing, cached, options.repeat, options.extra_work)
    tracing.info(lines.custom(workload.name, workload.seed, len(cached.transactions), cached.gas_used))
    return code


def _make(path: Path, workload: Workload) -> None:
    """Write the cache file of a workload; raises OSError, and ValueError for a block that does not replay."""
    from pytest_ethrex_perf.embedded import devblock
    from pytest_ethrex_perf.embedded.workload import world

    try:
        text = devblock.build(world(workload), keys=False)
    except devblock.NotReplayedError as error:
        raise ValueError(str(error)) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _replay(tracing: lines.Tracing, cached: cachefile.CachedBlock, repeat: int, extra_work: float) -> int:
    def report(result: str) -> str:
        return lines.report(cached.network, cached.number, cached.gas_used, len(cached.transactions), result)

    repeats: list[_Repeat] = []
    try:
        with _no_collections():
            block = _load(cached)
            gc.freeze()
            for index in range(1, repeat + 1):
                if repeat > 1:
                    tracing.info(f"--- Run {index}/{repeat} ---")
                repeats.append(_run(tracing, block, extra_work))
                gc.collect()
    except ReplayError as error:
        tracing.error(report(f"Execution Error: {error}"))
        return OK
    except Exception:  # noqa: BLE001  # as ethrex-replay, which joins the thread that panicked
        traceback.print_exc()
        tracing.error(report("Execution Error: execution thread panicked"))
        return OK
    prep = [run.prep_ns for run in repeats]
    execution = [run.exec_ns for run in repeats]
    if repeat > 1:
        tracing.info(f"=== Profiling Results ({repeat} runs) ===")
        tracing.info(f"Preparation:\n{lines.summary(prep)}")
        tracing.info(f"Execution (add_block_pipeline):\n{lines.summary(execution)}")
        tracing.info("Individual runs:")
        for line in lines.individual_runs(prep, execution):
            tracing.info(line, lines.PROFILING)
    else:
        tracing.info(f"add_block_pipeline execution time: {lines.duration(execution[0])}")
    tracing.info(_opcodes(repeats), lines.EMBEDDED)
    tracing.info(report(f"Execution Time: {lines.report_time(lines.median(execution))}"))
    return OK


def _load(cached: cachefile.CachedBlock) -> Block:
    """Import the block's fork and put the block into its types: once per process, in no repeat's time."""
    from pytest_ethrex_perf.embedded import forks, pipeline

    return pipeline.Block(cached, forks.load(cached.network, cached.timestamp))


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Collect garbage only where asked: in the middle of a repeat it is noise that ethrex does not have."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()


def _run(tracing: lines.Tracing, block: Block, extra_work: float) -> _Repeat:
    from pytest_ethrex_perf.embedded import pipeline

    cached = block.cached
    tracing.info("Preparing Storage for execution without zkVM")
    start = time.perf_counter_ns()
    database = pipeline.Database(block)
    prep = time.perf_counter_ns() - start
    tracing.info(f"Storage preparation finished in {lines.duration(prep)}")
    tracing.info(f"Executing block {cached.number} on {cached.network}")
    execution = pipeline.execute(block, database, extra_work)
    for line in lines.metric(
        cached.number,
        cached.gas_used,
        int(block.header.gas_limit),
        len(cached.transactions),
        execution.phases._asdict(),
    ):
        tracing.info(line, lines.BLOCKCHAIN)
    if execution.error:
        raise execution.error
    return _Repeat(prep, execution)


def _opcodes(repeats: list[_Repeat]) -> str:
    counts = sorted({run.execution.opcodes + run.execution.extra_opcodes for run in repeats})
    own, extra = repeats[0].execution.opcodes, repeats[0].execution.extra_opcodes
    parts = f"{own} of the block, {extra} of --extra-work"
    if len(counts) > 1:  # a block executes alike each time: should it ever not, nobody is told otherwise
        return f"Opcodes executed: {counts[0]} to {counts[-1]}, not the same in every repeat"
    return f"Opcodes executed: {counts[0]} per repeat ({parts})"


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.strerror} (os error {error.errno})"
    return str(error)


def _panic() -> int:
    """What Rust says of the first of no elements."""
    sys.stderr.write(
        f"\nthread 'main' ({os.getpid()}) panicked at {__name__}:\n"
        "index out of bounds: the len is 0 but the index is 0\n",
    )
    return PANICKED
