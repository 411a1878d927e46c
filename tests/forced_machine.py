"""Machine keys begin with $ETHREX_TEST_MACHINE: a test that depends on this machine's key shows itself.

`bench` forces the key in this process, and loads this file as a plugin of the runs in others
(PYTEST_DONT_REWRITE: it asserts nothing, and is there before them).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host import machine

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Facts

VARIABLE = "ETHREX_TEST_MACHINE"
_REAL = machine._key


def force(patch: pytest.MonkeyPatch) -> None:
    """Put the variable's text before each machine's key, and load this plugin in every run."""
    prefix = os.environ.get(VARIABLE)
    if not prefix:
        return

    def key(keyed: Facts) -> str:
        return f"{prefix}-{_REAL(keyed)}"

    patch.setattr(machine, "_key", key)
    patch.setenv("PYTEST_ADDOPTS", f"{os.environ.get('PYTEST_ADDOPTS', '')} -p {__name__}".strip())
    patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin of a run in another process."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    force(patch)
