"""A session out of a results file: what a CI run measured is recorded without logging in to its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import files, recording
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.judge import stored
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.metric import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult, RunResult


def accept(root: Path, run: RunResult, block: BlockResult, reason: str | None) -> list[str]:
    """Record what `run` measured of head in `block` as a session of its machine; return what was done.

    What callgrind counted is a session of its own. With `reason` a session that contradicts its epoch begins
    a new one. Raises `BaselineError` for a block that was not measured whole or was edited since, and as
    `recording.record` does; then nothing was written.
    """
    _check_whole(block)
    head, cache = block.head, block.cache
    if head is None or head.program is None:
        raise BaselineError("nothing was recorded: the file does not say which program it was")
    if cache is None or str(cache.block_id) != block.block:
        raise BaselineError("nothing was recorded: the file does not say what the cache file held")
    rules = block.rules or {DEFAULT: Rules(within=stored.WITHIN)}
    return recording.record(
        head.program,
        files.of_block(
            root,
            cache.block_id,
            head.program.kind,
            rules,
            measured_on=run.measured_on,
            counted_on=run.counted_on,
        ),
        measured(block),
        cache=cache,
        rules=rules,
        drop=block.drop,
        accept_reason=reason,
    )


def measured(block: BlockResult) -> tuple[Invocation, ...]:
    """Return head's invocations, in the order they ran."""
    return tuple(pair.head for pair in block.pairs) or block.invocations


def _is_cut_off(block: BlockResult) -> bool:
    """Return whether the run ended before it had measured all of a session that was to be recorded."""
    return block.mode == "record" and block.recorded is None and not block.refused


def _check_whole(block: BlockResult) -> None:
    """Raise `BaselineError` unless `block` was measured whole and holds what was measured."""
    obstacle = None
    if block.skipped is not None:
        obstacle = f"it was skipped: {block.skipped}"
    elif block.error is not None and not block.refused:
        obstacle = f"it was not measured whole: {block.error}"
    elif _is_cut_off(block):
        obstacle = "the run was stopped before it was measured whole"
    elif not measured(block):
        obstacle = "it holds no invocations of head"
    elif block.raw_sha256 != block.raw_digest():
        obstacle = (
            "its raw data are not what was measured (sha256 differs): take the file as the run wrote it"
        )
    if obstacle is not None:
        raise BaselineError(f"nothing was recorded: {obstacle}")
