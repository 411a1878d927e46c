"""The synthetic items: a folder for each block and for their mean, in it an item for each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.pytest_run.boundary import boundary

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import pluggy

    from pytest_ethrex_perf.pytest_run.outcomes import Outcomes
    from pytest_ethrex_perf.records.request import Request


class _OfTheRoot:
    """A node whose path is no file's: the hooks of the root's conftest.py are its own, too."""

    session: pytest.Session

    @property
    def ihook(self) -> pluggy.HookRelay:
        """The hooks as at the root: pytest looks for conftest.py along a path that is there."""
        return self.session.gethookproxy(self.session.path)


class Folder(_OfTheRoot, pytest.Collector):
    """A node of the synthetic tree: its root, a block (`mainnet/24443168`), or the mean (`all`)."""

    def __init__(
        self, *, children: Callable[[Folder], Sequence[pytest.Item | pytest.Collector]], **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self._children = children

    def collect(self) -> Sequence[pytest.Item | pytest.Collector]:
        """What is in it."""
        with boundary(self.config, pytest.Collector.CollectError):
            return self._children(self)
        raise AssertionError  # the boundary has raised


class GateItem(_OfTheRoot, pytest.Item):
    """Something to gate, named as its metric: measured in `setup` (trouble: ERROR), judged in `runtest`."""

    def __init__(self, *, outcomes: Outcomes, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.outcomes = outcomes

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Say what it is; it is in no file, and is reported below the root of its tree."""
        return self.config.rootpath / self.nodeid.partition("::")[0], None, self.nodeid

    def _initrequest(self) -> None:
        """Nothing to renew for plugins that run a test again: what was measured and decided stays."""


class MetricItem(GateItem):
    """One metric of one block."""

    def __init__(self, *, request: Request, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._request = request

    @property
    def request(self) -> Request:
        """What it asks of its block."""
        return self._request

    def narrow(self, request: Request) -> None:
        """Ask for `request` from now on: the same block with those of its metrics that are selected."""
        self._request = request

    def setup(self) -> None:
        """Advance the shared schedule until the block is decided."""
        if not self.config.option.setupplan:
            self.outcomes.measure(self._request)

    def runtest(self) -> None:
        """Fail on a regression."""
        self.outcomes.judge(self, self.outcomes.result(self._request), self.name)


class MeanItem(GateItem):
    """One metric's mean over blocks."""

    def setup(self) -> None:
        """Advance the shared schedule until the mean is decided."""
        if not self.config.option.setupplan:
            self.outcomes.measure_mean()

    def runtest(self) -> None:
        """Fail on a regression of the mean."""
        self.outcomes.judge_mean(self, self.name)
