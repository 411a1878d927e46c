"""A recording that is killed at any write, fsync or rename leaves the old file or the new one, whole.

So does keeping a program in the archive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_ethrex_perf.baseline import store
from tests.baseline.builders import make_baseline

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every way in which a recording was killed, and what it left."""
    done = subprocess.run(
        [sys.executable, HERE / "kill_driver.py", tmp_path_factory.mktemp("kill")],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("scenario", ["create", "append", "accept", "program"])
@pytest.mark.parametrize("manner", ["before", "torn", "after"])
def test_every_kind_of_call_was_died_at(deaths: list[dict[str, Any]], scenario: str, manner: str) -> None:
    calls = {death["call"] for death in deaths if (death["scenario"], death["manner"]) == (scenario, manner)}
    assert {"open", "write", "fsync", "replace"} <= calls
    assert {death["status"] for death in deaths} == {9}


def test_a_reader_finds_the_old_or_the_new_file_whole(deaths: list[dict[str, Any]]) -> None:
    assert {death["found"] for death in deaths} == {"old", "new"}


def test_the_new_file_appears_with_the_rename_and_not_before(deaths: list[dict[str, Any]]) -> None:
    renames = [death for death in deaths if death["call"] == "replace"]
    assert {(death["manner"], death["found"]) for death in renames} == {
        ("before", "old"),
        ("torn", "old"),
        ("after", "new"),
    }


def test_recording_again_completes_it_and_clears_up(deaths: list[dict[str, Any]]) -> None:
    assert {(death["repeated"], death["files"]) for death in deaths} == {("new", 1)}


def test_the_content_is_on_the_disk_before_the_rename_and_the_name_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def trace(name: str) -> None:
        call = getattr(os, name)

        def traced(*args: Any) -> Any:
            calls.append(name)
            return call(*args)

        monkeypatch.setattr(os, name, traced)

    for name in ("write", "fsync", "replace"):
        trace(name)
    store.write(tmp_path / "b.json", make_baseline())
    assert calls == ["write", "fsync", "replace", "fsync"]


def test_a_disk_that_takes_a_little_at_a_time_gets_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:1000]))
    store.write(tmp_path / "b.json", make_baseline())
    assert store.load(tmp_path / "b.json") == make_baseline()
