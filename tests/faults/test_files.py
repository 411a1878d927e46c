"""Files that several runs write at once, and what killed ones leave: nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import files, lock
from tests.baseline.builders import baseline_path
from tests.leftovers import leave_half

if TYPE_CHECKING:
    from pathlib import Path

RUNS, SESSIONS = 3, 5
RECORDING = """
import sys
from pathlib import Path
from tests.baseline.builders import add, make_session
for day in sys.argv[2:]:
    add(Path(sys.argv[1]), make_session(int(day), invocations=1), rules={})
"""


def test_runs_with_temporary_folders_of_their_own_lose_no_session(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    runs = []
    for run in range(RUNS):
        own = tmp_path / f"tmp{run}"
        own.mkdir()
        days = map(str, range(run * SESSIONS, (run + 1) * SESSIONS))
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", RECORDING, tmp_path / "baselines", *days],
                env=os.environ | {"TMPDIR": str(own)},
                cwd=pytestconfig.rootpath,
            )
        )
    assert [run.wait() for run in runs] == [0] * RUNS
    file = baseline_path(tmp_path / "baselines")
    assert len(list(store.load(file).sessions())) == RUNS * SESSIONS
    assert [path.name for path in file.parent.iterdir()] == [file.name], "no lock is left to be committed"


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".b.json.lock").touch()
    with lock.writing(tmp_path / "b.json"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(MeasurementError, match=r"b\.json: cannot be written: "),
        lock.writing(tmp_path / "file" / "b.json"),
    ):
        pytest.fail("there is no such folder")


def test_what_another_run_writes_is_not_removed(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    with files.replacing(file) as descriptor:
        files.write(descriptor, b"of the first, ")
        files.replace(file, b"of the second")
        files.write(descriptor, b"which goes on")
    assert file.read_bytes() == b"of the first, which goes on"


def test_only_what_a_killed_run_of_ours_left_is_removed(tmp_path: Path) -> None:
    left = leave_half(tmp_path / "b.json")
    elsewhere = left.with_name(left.name.replace(left.name.split(".")[-2].split("-")[0], "0" * 8))
    elsewhere.touch()
    others = {tmp_path / ".notes.tmp", tmp_path / ".b.json.mine.tmp", elsewhere}
    for other in others:
        other.touch()
    files.replace(tmp_path / "b.json", b"whole")
    assert set(tmp_path.iterdir()) == {tmp_path / "b.json", *others}
