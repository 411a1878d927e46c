"""Locks of these tests stay among themselves."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def locks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that holds the directory of locks."""
    directory = tmp_path_factory.mktemp("locks")
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory
