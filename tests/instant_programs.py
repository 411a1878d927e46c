"""A pytest plugin for runs whose programs take no time: what they say of their times is believed.

No plan goes on in them, unless it is asked for: it would take longer than all else.

A real program's repeats can't take longer than its process lived (`failure.of_lifetime`); those of the fake
programs do, or the tests would wait for them.
"""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.replay import failure


def pytest_addoption() -> None:
    """Be without patience in a process of its own; in that of the tests, `bench` has seen to it."""
    OPTIONS["patience"] = OPTIONS["patience"]._replace(default="0")


def pytest_configure(config: pytest.Config) -> None:
    """Believe the programs of this run, and leave the check as it was: runs of tests share a process."""
    patch = pytest.MonkeyPatch()
    patch.setattr(failure, "of_lifetime", lambda *_: None)
    config.add_cleanup(patch.undo)
