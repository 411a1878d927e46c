"""How hooks and fixtures come by what a pytest run keeps of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ethrex_perf.pytest_run.session import PytestRun

RUN: pytest.StashKey[PytestRun] = pytest.StashKey()


def run_of(config: pytest.Config) -> PytestRun:
    """Everything of ours in this pytest run, made when first asked for. Raises `UsageError`."""
    if RUN not in config.stash:
        from pytest_ethrex_perf.pytest_run.session import PytestRun

        config.stash[RUN] = PytestRun(config)
    return config.stash[RUN]


def run_if_any(config: pytest.Config) -> PytestRun | None:
    """The same, where it was asked for before; else None: the run has nothing to do with blocks."""
    return config.stash.get(RUN, None)
