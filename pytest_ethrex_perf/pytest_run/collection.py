"""What a pytest run asks to be gated: synthetic items, blocks of declared tests, its shard, its family."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.gate import shard
from pytest_ethrex_perf.gate.family import Family, request_of
from pytest_ethrex_perf.judge.family import MIN_BLOCKS_FOR_MEAN
from pytest_ethrex_perf.pytest_run.items import Folder, GateItem, MeanItem, MetricItem
from pytest_ethrex_perf.pytest_run.node_ids import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.gate.run import Run
    from pytest_ethrex_perf.pytest_run.outcomes import Outcomes
    from pytest_ethrex_perf.records.request import Request

MEAN = "all"
MARK = "ethrex_block"
_GATE = "gate"


class Collection:
    """What one pytest run asks to be gated; `requests` are those of --ethrex-block.

    Raises `UsageError` for settings that make no sense of one of them.
    """

    def __init__(self, gate: Run, outcomes: Outcomes, *, distributed: bool, listing: bool = False) -> None:
        self._gate = gate
        self._settings = gate.settings
        self._outcomes = outcomes
        self._distributed = distributed
        self._listing = listing  # --collect-only: for a list nothing is built
        self._elsewhere: list[pytest.Item] = []
        self.requests = [
            request_of(self._settings, block)
            for block in self._settings.blocks
            if block not in self._settings.of_every or gate.equipment.understands(block)
        ]

    @property
    def counts(self) -> list[str]:
        """What is judged of the blocks of --ethrex-block that the clock can't see."""
        return [metric for request in self.requests for metric in request.counts]

    # --- synthetic items ------------------------------------------------------------------------------------

    def items(self, session: pytest.Session) -> list[pytest.Item]:
        """The items behind --ethrex-block."""
        # an editor walks up from a node's path to the root: each has one of its own, though it is no file's
        path = session.config.rootpath / ROOT
        root = Folder.from_parent(session, name=ROOT, nodeid=ROOT, path=path, children=self._folders)
        return list(session.genitems(root))

    def _folders(self, root: Folder) -> list[Folder]:
        folders = [
            Folder.from_parent(
                root,
                name=str(request.block),
                path=root.path / str(request.block),
                children=partial(self._metric_items, request),
            )
            for request in self.requests
        ]
        mean = Folder.from_parent(root, name=MEAN, path=root.path / MEAN, children=self._mean_items)
        return [*folders, mean]

    def _metric_items(self, request: Request, folder: Folder) -> list[MetricItem]:
        items = [
            MetricItem.from_parent(folder, name=gating.metric, outcomes=self._outcomes, request=request)
            for gating in request.gatings
        ]
        for item in items:
            item.add_marker(pytest.mark.ethrex_block(str(request.block)))
        return items

    def _mean_items(self, folder: Folder) -> list[MeanItem]:
        items = [
            MeanItem.from_parent(folder, name=metric, outcomes=self._outcomes)
            for metric in self._mean_metrics()
        ]
        for item in items:
            item.add_marker(pytest.mark.ethrex_block(*(str(request.block) for request in self.requests)))
        return items

    def _mean_metrics(self) -> Sequence[str]:
        """Metrics whose mean over blocks is judged, which needs every block in one schedule."""
        if self._settings.shard or self._distributed or len(self.requests) < MIN_BLOCKS_FOR_MEAN:
            return ()
        if self._listing and self._gate.planner.mode_needs_build:
            return ()
        if any(self._gate.planner.mode(request) != "interleaved" for request in self.requests):
            return ()
        return Family.of(self._settings, self.requests, self.requests).mean_metrics

    # --- declared tests -------------------------------------------------------------------------------------

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One test for each block of its markers, or else of --ethrex-block. Raises `UsageError`."""
        requests = self._marked(metafunc.definition) or self.requests
        ids = [str(request.block) for request in requests] or ["no-block"]
        metafunc.parametrize(MARK, requests or [None], indirect=True, ids=ids)

    def _marked(self, test: pytest.Item) -> list[Request]:
        requests: dict[Request, None] = {}
        for marker in test.iter_markers(MARK):
            values = {name: value for name, value in marker.kwargs.items() if name != _GATE}
            if not marker.args and _GATE in marker.kwargs and not values:
                continue
            if not marker.args:
                raise UsageError(f"@pytest.mark.{MARK} of {test.nodeid}: name a block: {MARK}(24443168)")
            network = values.get("network") or self._settings.network
            for block in parse_blocks(marker.args, network, self._gate.equipment.workloads):
                requests[request_of(self._settings, block, values)] = None
        return list(requests)

    # --- selection ------------------------------------------------------------------------------------------

    def keep_shard(self, items: list[pytest.Item], config: pytest.Config) -> None:
        """Deselect what other shards measure; it stays part of the family. Tests without a block are kept.

        Raises `UsageError`; in a worker of pytest-xdist, where that would be an internal error of xdist,
        collecting fails instead.
        """
        wanted = self._settings.shard
        if wanted is None:
            return
        requests = {item: request for item in items if (request := _request(item)) is not None}
        blocks = dict.fromkeys(request.block for request in requests.values())
        try:
            mine = shard.members(blocks, wanted, self._settings.baselines)
        except UsageError as error:
            if not self._distributed:
                raise
            items.clear()
            report = pytest.CollectReport(ROOT, "failed", str(error), [])
            config.hook.pytest_collectreport(report=report)
            return
        self._elsewhere = [item for item, request in requests.items() if request.block not in mine]
        items[:] = [item for item in items if item not in set(self._elsewhere)]
        config.hook.pytest_deselected(items=self._elsewhere)

    def check_programs(self, items: Sequence[pytest.Item]) -> None:
        """Raise `UsageError` where base or head is no program, once and before anything is measured.

        Only where nothing but blocks of --ethrex-block is selected: a fixture of a test may still build it.
        """
        if items and not self._distributed and all(isinstance(item, GateItem) for item in items):
            self.check_given_programs()

    def check_given_programs(self) -> None:
        """Raise `UsageError` where base or head is no program; what is built is looked at later."""
        equipment = self._gate.equipment
        programs = equipment.programs
        if programs.described("head") is None and programs.described("base") is None:
            with contextlib.suppress(MeasurementError):  # is said of each block
                _ = equipment.head, equipment.base

    def fix(self, items: Sequence[pytest.Item]) -> None:
        """Fix the family over what was selected, synthetic and declared alike."""
        everywhere = [*items, *self._elsewhere]
        synthetic = [item for item in everywhere if isinstance(item, MetricItem)]
        means = {item.name for item in everywhere if isinstance(item, MeanItem)}
        selected = {request.block: set(means) for request in self.requests}
        for item in synthetic:
            selected[item.request.block].add(item.name)
        # a block and the mean that it is part of are measured once
        narrowed = {request.block: request.only(selected[request.block]) for request in self.requests}
        for item in synthetic:
            item.narrow(narrowed[item.request.block])
        of_mean = narrowed.values() if means else ()
        self._gate.fix([*_requests(items), *of_mean], of_mean, _requests(self._elsewhere))


def block_of(item: pytest.Item) -> str | None:
    """The block that `item` asks for, as reports name it; None of a test without one, and of a mean."""
    request = _request(item)
    return None if request is None else str(request.block)


def is_gated(test: pytest.Item) -> bool:
    """Whether `test` is judged even if it doesn't ask for it: unless its closest marker says `gate=False`."""
    gates = (marker.kwargs[_GATE] for marker in test.iter_markers(MARK) if _GATE in marker.kwargs)
    return bool(next(gates, True))


def _requests(items: Sequence[pytest.Item]) -> list[Request]:
    return [request for item in items if (request := _request(item)) is not None]


def _request(item: pytest.Item) -> Request | None:
    """What `item` asks for; None of a test that has no block, and of a mean."""
    if isinstance(item, MetricItem):
        return item.request
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(MARK) if callspec is not None else None
