"""Folders of runs that were killed: the next run removes them, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host import scratch

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from pytest_ethrex_perf.host import scratch
with scratch.folder() as folder:
    (folder / "fifo").write_text("")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch._remove_leftovers.cache_clear()
    return tmp_path


def run(place: Path) -> subprocess.Popen[str]:
    """A process that holds a folder until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def kept(place: Path) -> set[str]:
    """What is left when a next run has had a folder of its own."""
    with scratch.folder():
        pass
    return {entry.name for entry in place.iterdir()}


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_run_left_is_removed_by_the_next(place: Path, number: signal.Signals) -> None:
    with run(place) as killed:
        folder = line(killed)
        killed.send_signal(number)
    assert os.path.exists(folder)  # noqa: PTH110 - a text
    assert kept(place) == set()


def test_the_folder_of_a_run_that_lives_stays(place: Path) -> None:
    with run(place) as alive:
        folder = line(alive)
        assert {os.path.basename(folder)} == kept(place)  # noqa: PTH119 - a text
        alive.communicate("")
    assert kept(place) == set()


def test_whatever_is_not_surely_ours_stays(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "file").touch()
    system, dead = scratch._system(), "999999999"
    others = {
        "ethrex-perf-",
        "ethrex-perf-x",
        f"ethrex-perf-{'0' * 8}-{dead}-1-x",  # of another host
        f"ethrex-perf-{system}-{os.getpid()}-{scratch._started(os.getpid())}-x",
        "somebody's",
    }
    for name in others:
        (place / name).mkdir()
    (place / f"ethrex-perf-{system}-{dead}-1-link").symlink_to(elsewhere)
    (place / f"ethrex-perf-{system}-{dead}-1-file").touch()
    (place / f"ethrex-perf-{system}-{dead}-1-x" / "deep").mkdir(parents=True)
    assert kept(place) == others | {f"ethrex-perf-{system}-{dead}-1-{kind}" for kind in ("link", "file")}
    assert (elsewhere / "file").exists()


def test_a_process_id_that_was_given_again_is_another_process(place: Path) -> None:
    (place / f"ethrex-perf-{scratch._system()}-{os.getpid()}-1-x").mkdir()
    assert kept(place) == set()
