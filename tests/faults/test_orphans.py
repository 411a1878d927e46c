"""A run that is killed leaves nothing that the next one would be measured beside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import lock
from tests.faults import fake_replay
from tests.faults.test_process import BLOCK, PARENT, assert_nothing_runs, is_running, wait_for_children

if TYPE_CHECKING:
    from collections.abc import Iterator

MEASURE = """
import os, sys
from pytest_ethrex_perf.host import lock, process
with lock.measuring("a gate", timeout=0):
    process.run(sys.argv[1:], environ=os.environ, timeout=None)
"""
PATIENCE_S = 60.0


def _wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
def test_the_program_dies_with_a_run_that_no_handler_can_save(tmp_path: Path, number: signal.Signals) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    with subprocess.Popen([sys.executable, "-c", PARENT, str(program), *BLOCK]) as parent:
        pids = wait_for_children(program)
        while len(pids) < 2:
            pids = fake_replay.children(program)
        parent.send_signal(number)
        assert parent.wait() == -number
    _wait_until_gone(pids)
    assert_nothing_runs(program)


def test_the_group_dies_with_a_run_that_ends_without_its_handlers(tmp_path: Path) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    timer = "import threading; threading.Timer(1.0, lambda: os._exit(3)).start()"  # as pytest-timeout does
    code = PARENT.replace("try:", f"{timer}\ntry:", 1)
    with subprocess.Popen([sys.executable, "-c", code, str(program), *BLOCK]) as parent:
        assert parent.wait() == 3
    _wait_until_gone(fake_replay.children(program))
    assert [pid for pid in fake_replay.children(program) if is_running(pid)] == []


@pytest.fixture
def orphan(tmp_path: Path, locks: Path) -> Iterator[int]:
    """The program of a run that was killed together with the guard of its group."""
    if not Path("/proc/self/task").exists():
        pytest.skip("no /proc here: whose child a process is can't be read")
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    with subprocess.Popen(
        [sys.executable, "-c", MEASURE, str(program), *BLOCK], env=os.environ | {"TMPDIR": str(locks)}
    ) as parent:
        pid = wait_for_children(program)[0]
        os.kill(parent.pid, signal.SIGSTOP)
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        for child in set(map(int, children)) - {pid}:
            os.kill(child, signal.SIGKILL)
        parent.kill()
    yield pid
    for each in fake_replay.children(program):
        if is_running(each):
            os.kill(each, signal.SIGKILL)


def test_a_program_that_still_runs_is_named_instead_of_measured_beside(orphan: int) -> None:
    with (
        pytest.raises(
            MeasurementError,
            match=rf"the program of a run that was killed still runs .*\(process {orphan}\).*end it",
        ),
        lock.measuring("the next", timeout=0),
    ):
        pytest.fail("measured beside the orphan")


def test_the_next_run_waits_until_it_has_ended(orphan: int, locks: Path) -> None:
    assert locks
    said: list[str] = []

    def waiting(sentence: str) -> None:
        said.append(sentence)
        os.killpg(orphan, signal.SIGKILL)

    with lock.measuring("the next", timeout=3600, waiting=waiting):
        pass
    assert len(said) == 1
    assert "which a run that was killed has left running on this machine" in said[0]


def test_what_outlives_a_run_that_ended_well_holds_nobody_up(tmp_path: Path, locks: Path) -> None:
    assert locks
    ready = tmp_path / "ready"
    daemon = f"import os, time; os.setsid(); open({str(ready)!r}, 'w').close(); time.sleep(60)"
    with lock.measuring("me", timeout=0):
        left = subprocess.Popen([sys.executable, "-c", daemon], pass_fds=lock.inherited())
        while not ready.exists():
            time.sleep(0.01)
    with left:
        with lock.measuring("the next", timeout=0):
            pass
        left.kill()
