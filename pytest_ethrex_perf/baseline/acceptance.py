"""A session out of a results file: what a CI run measured is recorded without logging in to its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import recording
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.metric import DEFAULT, TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult, RunResult


def accept(root: Path, run: RunResult, block: BlockResult, reason: str | None) -> list[str]:
    """Record what `run` measured of head in `block` as a session of its machine; say what was done.

    What callgrind counted is a session of its own. With `reason` a session that contradicts its epoch begins
    a new one. Raises `BaselineError` for a block that was not measured whole or was edited since, and as
    `store.record` does; then nothing was written.
    """
    why_not = _why_not(block)
    if why_not is not None:
        raise BaselineError(f"nothing was recorded: {why_not}")
    head, cache = block.head, block.cache
    if head is None or head.program is None:
        raise BaselineError("nothing was recorded: the file does not say which program it was")
    if cache is None or f"{cache.network}/{cache.number}" != block.block:
        raise BaselineError("nothing was recorded: the file does not say what the cache file held")
    return recording.record(
        root,
        head.program,
        list(_homes(run, block)),
        measured(block),
        cache=cache,
        drop=block.drop,
        accept_reason=reason,
    )


def _homes(run: RunResult, block: BlockResult) -> Iterator[recording.Home]:
    """Whose session it is: by its times, by what callgrind counted, or both."""
    rules = block.rules or {DEFAULT: Rules()}
    apart = {name: one for name, one in rules.items() if run.counted_on is not None and name not in TIMES}
    if len(apart) < len(rules):
        here = {name: one for name, one in rules.items() if name not in apart}
        yield recording.Home(run.measured_on, here)
    if run.counted_on is not None and apart:
        yield recording.Home(run.counted_on, apart, times=False)


def measured(block: BlockResult) -> tuple[Invocation, ...]:
    """Head's invocations, in the order they ran."""
    return tuple(pair.head for pair in block.pairs) or block.invocations


def _why_not(block: BlockResult) -> str | None:
    if block.skipped is not None:
        return f"it was skipped: {block.skipped}"
    if block.error is not None and not block.refused:
        return f"it was not measured whole: {block.error}"
    if not measured(block):
        return "it holds no invocations of head"
    if block.raw_sha256 != block.raw_digest():
        return "its raw data are not what was measured (sha256 differs): take the file as the run wrote it"
    return None
