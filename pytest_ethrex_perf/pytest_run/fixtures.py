"""What the fixtures of declared tests give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.pytest_run import benchmark_table
from pytest_ethrex_perf.pytest_run.boundary import boundary, failure
from pytest_ethrex_perf.pytest_run.hooks import GATED, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
    from pytest_ethrex_perf.pytest_run.session import PytestRun
    from pytest_ethrex_perf.records.measurement import Invocation


def gated_block(request: pytest.FixtureRequest) -> GatedBlock:
    """The block of the test, measured; beside pytest-benchmark's fixture it plays its samples to it."""
    run = _run(request)
    if not hasattr(request, "param"):
        raise pytest.fail.Exception(
            "ethrex_block has no block here: take it as an argument of the test, `def test_…(ethrex_block)`, "
            "not by request.getfixturevalue, nor in another fixture or a unittest.TestCase",
            pytrace=False,
        )
    with boundary(request.config, failure):
        gated = benchmark_table.beside(request, run.gated_block(request.node, request.param))
    request.node.stash[GATED] = gated
    return gated


def replay(request: pytest.FixtureRequest) -> Callable[..., Invocation]:
    """The function that replays a block once."""
    return _run(request).replay


def _run(request: pytest.FixtureRequest) -> PytestRun:
    with boundary(request.config, failure):
        return run_of(request.config)
    raise AssertionError  # the boundary has raised
