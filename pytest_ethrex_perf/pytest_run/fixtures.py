"""The fixtures of declared tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.pytest_run.items import PytestRun
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult


class GatedBlock:
    """A block that was measured: what the `ethrex_block` fixture gives a test."""

    def __init__(self, result: BlockResult, gate: Callable[[], BlockResult]) -> None:
        self._result = result
        self._gate = gate

    @property
    def result(self) -> BlockResult:
        """What was measured and decided, whatever it is."""
        return self._result

    def gate(self) -> BlockResult:
        """Judge: fails the test on a regression, else returns the result."""
        return self._gate()


@pytest.fixture
def ethrex_block(request: pytest.FixtureRequest) -> GatedBlock:
    """One block of `@pytest.mark.ethrex_block`, measured; trouble is an error of the test.

    `ethrex_block.gate()` judges and returns the `BlockResult`; `ethrex_block.result` only returns it. Where
    the test takes pytest-benchmark's `benchmark` as well, `gate` puts the samples into its table.
    """
    from pytest_ethrex_perf.pytest_run import benchmark_table

    gated = _run(request).gated_block(request.node, request.param)
    if benchmark_table.FIXTURE not in request.fixturenames:
        return gated

    def gate() -> BlockResult:
        benchmark_table.play(request.getfixturevalue(benchmark_table.FIXTURE), request.node, gated.result)
        return gated.gate()

    return GatedBlock(gated.result, gate)


@pytest.fixture
def ethrex_replay(request: pytest.FixtureRequest) -> Callable[..., Invocation]:
    """`ethrex_replay(24443168, network="mainnet", repeat=11)`: replay once, no baseline, no verdict.

    Returns the `Invocation`: `exec_ns`, `prep_ns`, `gas`, `txs`, … Trouble fails the test.
    """
    return _run(request).replay


def _run(request: pytest.FixtureRequest) -> PytestRun:
    from pytest_ethrex_perf.plugin import run_of

    try:
        return run_of(request.config)
    except UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
