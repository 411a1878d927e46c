"""Where the results of a distributed run meet: the parts that its workers tell become one `RunResult`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.gate import merge
from pytest_ethrex_perf.gate.worker import WorkerMessage
from pytest_ethrex_perf.records.result import BlockResult

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.result import RunResult


class Controller:
    """What the workers of one run have told so far. A worker that crashes leaves what it told before."""

    def __init__(self) -> None:
        self._runs: dict[str, RunResult] = {}
        self._measured: dict[str, dict[int, BlockResult]] = {}
        self._unmeasured: tuple[BlockResult, ...] = ()
        self._lost: dict[str, str] = {}
        self._gone: set[str] = set()
        self._unread: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether anything was told."""
        return bool(self._runs)

    def hear(self, worker: str, text: str) -> None:
        """Take what `worker` tells: the JSON of a `WorkerMessage`, if it is one of this version."""
        try:
            told = msgspec.json.decode(text, type=WorkerMessage)
        except msgspec.DecodeError as error:
            self._unread[worker] = str(error)
            return
        self._runs[worker] = told.run
        self._measured.setdefault(worker, {}).update(told.measured)
        self._unmeasured = self._unmeasured or told.unmeasured

    def lose(self, worker: str, test: str, why: str) -> None:
        """Note that `worker` crashed in `test`: if that had not been measured yet, `why` is its result."""
        self._gone.add(worker)
        self._lost[test] = why

    def result(self) -> RunResult:
        """Everything that was told as one run's, in the order in which the run has its blocks.

        A block whose result does not belong to it (`troubles`) is an error.
        """
        strange = self._strangers()
        found: dict[int, BlockResult] = {}
        # what a crashed worker had begun another one may have measured again
        for worker in sorted(self._runs, key=lambda one: one in self._gone):
            for number, block in self._measured[worker].items():
                found.setdefault(number, self._admitted(block, strange.get(worker)))
        blocks = [found.get(number) or self._missing(one) for number, one in enumerate(self._unmeasured)]
        own = [run for worker, run in self._runs.items() if worker not in strange]
        return msgspec.structs.replace(
            merge.joined(own), blocks=tuple(blocks), settings=own[0].settings, shard=own[0].shard
        )

    def troubles(self) -> list[str]:
        """Why not everything that was told is in the result, in sentences."""
        told = [
            f"{worker} tells what cannot be read: {error}: install the same pytest-ethrex-perf everywhere"
            for worker, error in self._unread.items()
        ]
        told += [f"{why}: the results of {worker} are left out" for worker, why in self._strangers().items()]
        for number, block in enumerate(self._unmeasured):
            workers = [one for one in self._runs if number in self._measured[one] and one not in self._gone]
            if len(workers) > 1:
                told.append(
                    f"{block.block} was measured by {' and '.join(workers)}, only the first is in the "
                    "results: --dist=load keeps the tests of a block together"
                )
        return told

    def _admitted(self, block: BlockResult, strange: str | None) -> BlockResult:
        """The result itself, or that there is none in this run."""
        if strange is None:
            return block
        return BlockResult(
            block=block.block,
            mode=block.mode,
            repeat=block.repeat,
            drop=block.drop,
            rules=block.rules,
            error=f"{block.block}: its result is left out: {strange}",
        )

    def _missing(self, block: BlockResult) -> BlockResult:
        named = re.compile(rf"(?<!\w){re.escape(block.block)}(?!\w)")
        why = next((why for test, why in self._lost.items() if named.search(test)), None)
        return block if why is None else msgspec.structs.replace(block, error=f"{block.block}: {why}")

    def _strangers(self) -> dict[str, str]:
        """Workers whose results must not be mixed with the first one's, and why."""
        parts = {
            worker: msgspec.structs.replace(run, blocks=tuple(self._measured[worker].values()))
            for worker, run in self._runs.items()
        }
        first = next(iter(parts), "")
        found: dict[str, str] = {}
        for worker, part in parts.items():
            for what, expected, other in merge.differences(parts[first], part):
                why = f"{first} and {worker} do not belong together: {what} {expected} and {other}"
                found.setdefault(worker, why)
        return found
