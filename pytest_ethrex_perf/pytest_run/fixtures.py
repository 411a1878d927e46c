"""What the fixtures of declared tests give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.pytest_run import benchmark_table
from pytest_ethrex_perf.pytest_run.hooks import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
    from pytest_ethrex_perf.pytest_run.session import PytestRun
    from pytest_ethrex_perf.records.measurement import Invocation


def gated_block(request: pytest.FixtureRequest) -> GatedBlock:
    """The block of the test, measured; beside pytest-benchmark's fixture it plays its samples to it."""
    return benchmark_table.beside(request, _run(request).gated_block(request.node, request.param))


def replay(request: pytest.FixtureRequest) -> Callable[..., Invocation]:
    """The function that replays a block once."""
    return _run(request).replay


def _run(request: pytest.FixtureRequest) -> PytestRun:
    try:
        return run_of(request.config)
    except UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
