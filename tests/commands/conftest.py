"""Results files of every kind, written by real gates once for all tests of the commands."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.commands.desk import Desk, measure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are kept."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def desk(
    request: pytest.FixtureRequest,
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Desk:
    """A desk with a copy of every file; the first test that needs one has them measured."""
    if not (shelf / "baseline.json").exists():
        bench: Bench = request.getfixturevalue("bench")
        with monkeypatch.context() as patch:
            measure(bench, patch)
        for file in bench.path.glob("*.json"):
            shutil.copy(file, shelf)
    path = tmp_path / "desk"
    shutil.copytree(shelf, path)
    monkeypatch.chdir(path)
    monkeypatch.setenv("COLUMNS", "80")
    capsys.readouterr()
    return Desk(path, capsys)
