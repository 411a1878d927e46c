"""A pytest plugin for runs whose programs take no time: what they say of their times is believed.

A real program's repeats can't take longer than its process lived (`failure.of_lifetime`); those of the fake
programs do, or the tests would wait for them.
"""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.replay import failure

_PATCHES: list[pytest.MonkeyPatch] = []


def pytest_configure() -> None:
    """Believe the programs of this run."""
    patch = pytest.MonkeyPatch()
    patch.setattr(failure, "of_lifetime", lambda *_: None)
    _PATCHES.append(patch)


def pytest_unconfigure() -> None:
    """Leave the check as it was: runs of tests share a process."""
    _PATCHES.pop().undo()
