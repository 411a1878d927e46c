"""Locks of these tests stay among themselves; their programs are whole."""

from __future__ import annotations

import pytest

from tests import whole_programs


@pytest.fixture(autouse=True)
def own_locks(locks: object) -> None:
    """Every test of this room takes its locks in a directory of its own."""
    assert locks


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts that bear the mark stand for native executables."""
    whole_programs.believe(monkeypatch)
