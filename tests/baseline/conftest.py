"""Locks of these tests stay among themselves."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_locks(locks: object) -> None:
    """Every test of this room takes its locks in a directory of its own."""
    assert locks
