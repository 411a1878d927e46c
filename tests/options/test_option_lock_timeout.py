"""--ethrex-lock-timeout: two runs at once would measure each other, so one waits."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.pytest_run.live import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Bench

OTHER_RUN = """
import sys
from pytest_ethrex_perf.host import lock
with lock.measuring("pytest of somebody else", timeout=0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_run(bench: Bench) -> Iterator[subprocess.Popen[str]]:
    """Another process that measures on this machine until its input ends."""
    del bench  # its locks are this test's own
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_RUN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": tempfile.gettempdir()},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_giving_up_is_an_error_of_every_block_that_names_the_other_run(
    bench: Bench, other_run: subprocess.Popen[str]
) -> None:
    bench.cache(1)
    program = bench.program("head")
    result = bench.record(program, "--ethrex-lock-timeout=10ms", block="1,24443168")
    result.assert_outcomes(errors=2)
    told = (
        "another run measures on this machine: pytest of somebody else "
        f"(process {other_run.pid}, since *); gave up after * s: wait for it to end, or raise *-timeout"
    )
    result.stdout.fnmatch_lines([told])
    assert bench.calls(program) == []


def test_a_run_waits_and_says_for_whom(
    bench: Bench, other_run: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say = Screen.say

    def say_and_let_go(screen: Screen, sentence: str) -> None:
        say(screen, sentence)
        assert other_run.stdin is not None
        other_run.stdin.close()

    monkeypatch.setattr(Screen, "say", say_and_let_go)
    result = bench.record(bench.program("head"), "--ethrex-lock-timeout=10m")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*ethrex-perf: waiting up to 600 s for pytest of somebody else (process *"])


def test_what_needs_no_measuring_does_not_wait(bench: Bench, other_run: subprocess.Popen[str]) -> None:
    assert other_run.poll() is None
    program = bench.program("head")
    bench.compare(program, program).assert_outcomes(skipped=1)
    bench.run("--ethrex-block=1", "--co").assert_outcomes()


def test_what_is_no_duration_is_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-lock-timeout=never")
    assert told.startswith("--ethrex-lock-timeout: 'never' is not a value of it: write a duration above 0")
