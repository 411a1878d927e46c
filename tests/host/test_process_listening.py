"""Whoever listens hears each line as it is printed, and nothing of the output is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process

if TYPE_CHECKING:
    from collections.abc import Callable


def run(code: str, on_line: Callable[[str], bool | None]) -> process.Finished:
    command = [sys.executable, "-IS", "-u", "-c", code]
    return process.run(command, environ=os.environ, timeout=None, on_line=on_line)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_lines_are_heard_while_the_program_runs(tmp_path: Path) -> None:
    # the program goes on only when its line has been heard
    path = str(tmp_path / "heard")
    wait = f"import os, time\nprint('one')\nwhile not os.path.exists({path!r}): time.sleep(0.001)"
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        (tmp_path / "heard").touch()

    got = run(f"{wait}\nprint('two')", hear)
    assert heard == ["one", "two"]
    assert got.stdout == "one\ntwo\n"


def test_stderr_and_what_is_not_ended_by_a_newline_are_kept_and_not_heard() -> None:
    heard: list[str] = []
    got = run("import sys; print('a'); sys.stderr.write('err\\n'); print('half', end='')", heard.append)
    assert heard == ["a"]
    assert (got.stdout, got.stderr) == ("a\nhalf", "err\n")


def test_a_huge_output_is_kept_as_without_a_listener() -> None:
    heard: list[int] = []
    code = "print('first'); [print('.' * 2**20, end='') for _ in range(40)]; print(); print('last', end='')"
    got = run(code, lambda line: heard.append(len(line)))
    assert got.left_out == 40 * 2**20 + 11 - 2 * process.READ_LIMIT
    assert got.stdout.startswith("first\n...")
    assert got.stdout.endswith("...\nlast")
    assert heard == [5, 2**16], "of a line without an end its start is handed on"


def test_who_is_in_no_hurry_hears_every_line_all_the_same_and_blocks_nobody() -> None:
    heard: list[str] = []

    def unhurried(line: str) -> bool:
        heard.append(line)
        return True

    got = run("for i in range(100_000): print(i)", unhurried)
    assert heard == [str(number) for number in range(100_000)]
    assert got.returncode == 0


def test_what_a_listener_raises_is_raised_after_the_end_and_the_output_flows_on() -> None:
    def complain(line: str) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="0"):
        run("for i in range(100_000): print(i)", complain)


def test_a_grandchild_that_holds_the_output_open_does_not_hold_us_up() -> None:
    code = (
        "import subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
        "start_new_session=True).pid)"
    )
    heard: list[str] = []
    got = run(code, heard.append)
    subprocess.run(["kill", "-9", heard[0]], check=True)
    assert got.stdout == f"{heard[0]}\n"


def test_nothing_is_left_open() -> None:
    before = open_files(), threading.active_count()
    run("print('x')", lambda _: None)
    with pytest.raises(MeasurementError):
        process.run(["/nowhere/to/be/found"], environ={}, timeout=None, on_line=lambda _: None)
    assert (open_files(), threading.active_count()) == before
