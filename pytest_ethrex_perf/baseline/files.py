"""The baseline files of a block, and which metric belongs into which.

Times, and what perf counts, belong to the machine that was measured on; what callgrind counts belongs to any
machine that executes the same instructions (`counters.callgrind.machine`). So a block may have two files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import compatibility, store
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Kind, Machine
    from pytest_ethrex_perf.records.request import Request


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """The file of those of a block's metrics that belong to one machine; it need not exist yet."""

    path: Path
    machine: Machine
    metrics: tuple[str, ...]
    """In the order in which they are gated."""
    times: bool
    """Its times are compared; False: only what callgrind counted."""


def of_block(
    root: Path,
    block: BlockId,
    kind: Kind,
    metrics: Collection[str],
    *,
    measured_on: Machine,
    counted_on: Machine | None,
) -> tuple[BaselineFile, ...]:
    """Return the files below `root` into which `metrics` belong, that of the first metric first.

    `counted_on` is the machine that counts belong to, where that is not the one that was `measured_on`.
    """
    apart = {metric for metric in metrics if counted_on is not None and metric not in TIMES}
    files = [
        BaselineFile(store.path(root, block, kind, machine.key), machine, belonging, times)
        for machine, times in ((measured_on, True), (counted_on, False))
        if machine is not None
        and (belonging := tuple(metric for metric in metrics if (metric not in apart) is times))
    ]
    order = list(metrics)
    return tuple(sorted(files, key=lambda file: order.index(file.metrics[0])))


class BaselineFiles:
    """The baseline files of one run; each is read once."""

    def __init__(self, root: Path, kind: Callable[[], Kind], machine: Machine) -> None:
        self.root = root
        self._kind = kind
        self._machine = machine
        self._baselines: dict[Path, Baseline | None] = {}

    def of_request(self, request: Request, counted_on: Machine | None) -> tuple[BaselineFile, ...]:
        """Return the files of what `request` gates, that of its first metric first.

        `counted_on` is the machine that counts belong to, where that is not this one.
        """
        metrics = [gating.metric for gating in request.gatings]
        return of_block(
            self.root, request.block, self._kind(), metrics, measured_on=self._machine, counted_on=counted_on
        )

    def read(self, file: BaselineFile) -> Baseline | None:
        """Return what is stored in `file`, None where nothing is; raises `BaselineError`."""
        if file.path not in self._baselines:
            self._baselines[file.path] = store.find(file.path)
        return self._baselines[file.path]

    def check(
        self,
        file: BaselineFile,
        baseline: Baseline,
        request: Request,
        repeat: int | None,
        cache: CacheIdentity,
        prefix: Sequence[str],
    ) -> None:
        """Raise `IncomparableError` unless a measurement of `request` can be compared with `baseline`.

        With `repeat` None any number of repeats will do.
        """
        compatibility.check(
            baseline,
            block=request.block,
            kind=self._kind(),
            machine_key=file.machine.key,
            cache=cache,
            repeat=baseline.repeat if repeat is None else repeat,
            prefix=prefix,
        )

    def missing(self, file: BaselineFile, block: BlockId) -> str:
        """Return a clause that says that `file` is not there, and for which machines there are others."""
        return compatibility.missing(self.root, block, self._kind(), file.machine.key)
