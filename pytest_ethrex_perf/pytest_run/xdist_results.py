"""Where the results of a distributed run meet: what its workers send becomes one `RunResult`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.gate import merge
from pytest_ethrex_perf.gate.worker import WorkerMessage
from pytest_ethrex_perf.records import json_text
from pytest_ethrex_perf.records.result import BlockResult

if TYPE_CHECKING:
    import pytest

    from pytest_ethrex_perf.records.result import RunResult

_PHASES = ("setup", "call", "teardown")


@dataclass
class _Worker:
    """What one worker has sent so far: its run without blocks, and those by their number in the run."""

    run: RunResult
    measured: dict[int, BlockResult] = field(default_factory=dict)

    @property
    def part(self) -> RunResult:
        """Its run with its blocks."""
        return msgspec.structs.replace(self.run, blocks=tuple(self.measured.values()))


class Inbox:
    """What the workers of one run have sent so far. A worker that crashes leaves what it sent before.

    `shown` are the blocks of failures, which show their tables.
    """

    def __init__(self) -> None:
        self.shown: set[str] = set()
        self._workers: dict[str, _Worker] = {}
        self._unmeasured: tuple[BlockResult, ...] = ()
        self._crashes: dict[str, str] = {}
        """What xdist says of each test that its worker did not survive."""
        self._crashed: set[str] = set()
        self._unreadable: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether anything was received."""
        return bool(self._workers)

    def receive(self, worker: str, report: pytest.TestReport, message: str | None) -> None:
        """Take the `message` that `worker` sent with `report`, or that it crashed."""
        if message is not None:
            self.read(worker, message)
        if report.failed:
            if report.when not in _PHASES:  # xdist's own, of a crash
                self.lose(worker, report.nodeid, str(report.longrepr))
            self.shown.update(str(value) for name, value in report.user_properties if name == "ethrex_block")

    def read(self, worker: str, text: str) -> None:
        """Read what `worker` sent: the JSON of a `WorkerMessage`, if it is one of this version."""
        try:
            message = json_text.decode(text, WorkerMessage)
            datetime.fromisoformat(message.run.started)
        except ValueError as error:
            self._unreadable[worker] = str(error)
            return
        before = self._workers.get(worker)
        measured = {**(before.measured if before else {}), **message.measured}
        self._workers[worker] = _Worker(message.run, measured)
        self._unmeasured = self._unmeasured or message.unmeasured

    def lose(self, worker: str, test: str, reason: str) -> None:
        """Note that `worker` crashed in `test`: if that had not been measured yet, `reason` is its result."""
        self._crashed.add(worker)
        self._crashes[test] = reason

    def result(self) -> RunResult:
        """Everything that was sent as one run's, in the order in which the run has its blocks.

        A block whose result does not belong to it (`troubles`) is an error.
        """
        strangers = self._strangers()
        measured: dict[int, BlockResult] = {}
        # what a crashed worker had begun another one may have measured again
        for name in sorted(self._workers, key=lambda name: name in self._crashed):
            for number, block in self._workers[name].measured.items():
                measured.setdefault(number, _left_out(block, strangers[name]) if name in strangers else block)
        blocks = [measured.get(number) or self._lost(block) for number, block in enumerate(self._unmeasured)]
        own = [worker.run for name, worker in self._workers.items() if name not in strangers]
        return msgspec.structs.replace(
            merge.joined(own), blocks=tuple(blocks), settings=own[0].settings, shard=own[0].shard
        )

    def troubles(self) -> list[str]:
        """Why not everything that was sent is in the result, in sentences."""
        sentences = [
            f"{name} tells what cannot be read: {error}: install the same pytest-ethrex-perf everywhere"
            for name, error in self._unreadable.items()
        ]
        sentences += [
            f"{reason}: the results of {name} are left out" for name, reason in self._strangers().items()
        ]
        alive = {name: worker for name, worker in self._workers.items() if name not in self._crashed}
        for number, block in enumerate(self._unmeasured):
            names = [name for name, worker in alive.items() if number in worker.measured]
            if len(names) > 1:
                sentences.append(
                    f"{block.block} was measured by {' and '.join(names)}, only the first is in the "
                    "results: --dist=load keeps the tests of a block together"
                )
        return sentences

    def _lost(self, block: BlockResult) -> BlockResult:
        """A block without a result: an error where a worker crashed in its test."""
        name = re.compile(rf"(?<!\w){re.escape(block.block)}(?!\w)")
        reason = next((reason for test, reason in self._crashes.items() if name.search(test)), None)
        return block if reason is None else msgspec.structs.replace(block, error=f"{block.block}: {reason}")

    def _strangers(self) -> dict[str, str]:
        """Workers whose results must not be mixed with the first one's, and why."""
        strangers: dict[str, str] = {}
        for name, worker in self._workers.items():
            first, reference = next(iter(self._workers.items()))
            for what, expected, other in merge.differences(reference.part, worker.part):
                reason = f"{first} and {name} do not belong together: {what} {expected} and {other}"
                strangers.setdefault(name, reason)
        return strangers


def _left_out(block: BlockResult, reason: str) -> BlockResult:
    """What stands for a result that does not belong to this run."""
    return BlockResult(
        block=block.block,
        mode=block.mode,
        repeat=block.repeat,
        drop=block.drop,
        rules=block.rules,
        error=f"{block.block}: its result is left out: {reason}",
    )
