"""Everything about one run as plain data: what every report is made from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import unexpected
from pytest_ethrex_perf.gate.origin import Origins
from pytest_ethrex_perf.gate.result import block_result
from pytest_ethrex_perf.records.origin import Origin, is_url
from pytest_ethrex_perf.records.result import BlockResult, RunResult
from pytest_ethrex_perf.replay.redaction import redact_url, redact_words
from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.run import Run
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.records.result import SideResult, SuiteResult


class Results:
    """The results of a run so far, at any time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._clock_s = time.monotonic()
        self._origins = Origins(run.settings, run.equipment.programs)

    def block(self, block: Block) -> BlockResult:
        """The result of one block; without secrets, whatever it says of the program."""
        if not block.is_planned:
            return self.unmeasured(block)
        result = block_result(block, self._run.policy)
        if block.findings is not None:
            result = block.findings.added_to(result)
        return self._clean(result)

    def _block_or_error(self, block: Block) -> BlockResult:
        """The result of one block, an error where nobody foresaw what is wrong with it: others stay."""
        try:
            return self.block(block)
        except Exception as error:  # noqa: BLE001 - the file of the whole run would be lost
            reason = f"{block.id}: {unexpected(error)}"
            return self._clean(msgspec.structs.replace(self.unmeasured(block), error=reason))

    def unmeasured(self, block: Block) -> BlockResult:
        """The result of a block of which nothing was measured."""
        request = block.request
        return self._clean(
            BlockResult(
                block=str(request.block),
                mode=self._run.planner.mode(request),
                aa=self._run.settings.aa,
                repeat=request.repeat,
                drop=request.drop,
                rules={gating.metric: rules for gating, rules in block.rules.items()},
                error=block.error,
                skipped=block.skipped,
            )
        )

    def _clean(self, result: BlockResult) -> BlockResult:
        words = msgspec.structs.replace(result, pairs=(), invocations=(), baseline=())
        clean = redact_words(msgspec.to_builtins(words), self._run.equipment.redact)
        return msgspec.structs.replace(
            msgspec.convert(clean, BlockResult),
            pairs=result.pairs,
            invocations=result.invocations,
            baseline=result.baseline,
        )

    def mean(self) -> tuple[SuiteResult, ...]:
        """The mean over blocks of each metric, as far as it was judged."""
        mean = self._run.mean
        return () if mean is None else tuple(mean.results(self._run.policy))

    def run(self, blocks: Iterable[BlockResult] | None = None) -> RunResult:
        """Everything about the run so far; with `blocks`, of those alone."""
        run = self._run
        machine, counters = run.equipment.machine, run.counters
        results = tuple(map(self._block_or_error, run.blocks) if blocks is None else blocks)
        return RunResult(
            version=version(),
            started=run.began.isoformat(timespec="seconds"),
            wall_s=round(time.monotonic() - self._clock_s, 3),
            machine=machine.key,
            measured_on=machine,
            counted_on=counters.machine if counters else None,
            counters=run.equipment.redact(counters.message) if counters else "",
            gatings=run.family.size,
            shard=run.settings.shard,
            settings=self._settings(),
            origin=self.origin((_program(block.head), _program(block.base)) for block in results),
            blocks=results,
            suite=self.mean(),
        )

    def origin(self, programs: Iterable[tuple[Program | None, Program | None]]) -> Origin:
        """Where `programs`, head and base of each block, come from; without secrets."""
        redact = self._run.equipment.redact
        words = _unlinked(msgspec.to_builtins(self._origins.of(programs)), redact)
        return msgspec.convert(redact_words(words, redact), Origin)

    def _settings(self) -> dict[str, str]:
        settings, redact = self._run.settings, self._run.equipment.redact
        url = self._run.equipment.rpc_url
        return {
            "block": ", ".join(str(block) for block in self._run.blocks),
            **{name: redact(value) for name, value in settings.shown().items()},
            **({"rpc_url": redact_url(url)} if url else {}),
        }


def _program(side: SideResult | None) -> Program | None:
    return (side.program or side.recorded) if side else None


def _unlinked(words: object, redact: Callable[[str], str]) -> object:
    """`words` without the addresses that hold a secret: what is left of those would lead elsewhere."""
    if not isinstance(words, dict):
        return words
    return {
        name: _unlinked(value, redact)
        for name, value in words.items()
        if not (is_url(value) and redact(value) != value)
    }
