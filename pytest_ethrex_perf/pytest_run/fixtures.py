"""The fixtures of declared tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.pytest_run.access import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
    from pytest_ethrex_perf.pytest_run.session import PytestRun
    from pytest_ethrex_perf.records.measurement import Invocation


@pytest.fixture
def ethrex_block(request: pytest.FixtureRequest) -> GatedBlock:
    """One block of `@pytest.mark.ethrex_block`, measured; trouble is an error of the test.

    `ethrex_block.gate()` judges and returns the `BlockResult`; `ethrex_block.result` only returns it. Where
    the test takes pytest-benchmark's `benchmark` as well, `gate` puts the samples into its table.
    """
    from pytest_ethrex_perf.pytest_run import benchmark_table

    return benchmark_table.beside(request, _run(request).gated_block(request.node, request.param))


@pytest.fixture
def ethrex_replay(request: pytest.FixtureRequest) -> Callable[..., Invocation]:
    """`ethrex_replay(24443168, network="mainnet", repeat=11)`: replay once, no baseline, no verdict.

    Returns the `Invocation`: `exec_ns`, `prep_ns`, `gas`, `txs`, … Trouble fails the test.
    """
    return _run(request).replay


def _run(request: pytest.FixtureRequest) -> PytestRun:
    try:
        return run_of(request.config)
    except UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
