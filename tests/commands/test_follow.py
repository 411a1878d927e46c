"""A command that is followed: its output passes through, its progress is understood, its end is ours."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from pytest_ethrex_perf.commands import follow
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.pytest_run import live

if TYPE_CHECKING:
    from pytest_ethrex_perf.gate.run import Status


class _Block:
    samples_taken, samples_planned, estimate, change, pairs = 6, 24, None, 0.04, (1,)

    def __init__(self, name: str) -> None:
        self._name = name

    def visible(self) -> None: ...

    def __str__(self) -> str:
        return self._name


def _line(blocks: int, decided: int, name: str = "mainnet/24443168") -> str:
    """What `pytest_run.live` says of a run."""
    block = _Block(name)
    status: Status = mock.Mock(block=block, blocks=blocks, decided=decided, left_s=90.0, worst=block)
    return f"ethrex-perf: {live.minute(status, '12:04')}"


def test_a_build_is_named_by_its_revision_and_commit() -> None:
    line = 'ethrex-perf: building head: git:HEAD 74083664 "words of others" 2026-11-26'
    assert follow.status(line) == "building head: git:HEAD 74083664"


def test_progress_is_read_from_the_lines_of_a_run() -> None:
    assert follow.status(_line(11, 3)) == "gating: 3 of 11 blocks"
    assert follow.status(_line(1, 0)) == "gating mainnet/24443168: 6 of 24 measurements"
    workload = "workload/keccak,gas=30M,seed=0"
    assert follow.status(_line(1, 0, workload)) == f"gating {workload}: 6 of 24 measurements"


@pytest.mark.parametrize(
    "line", ["", "3/11 blocks", "ethrex-perf: a note", "x ethrex-perf: [12:04] pair 2/3", "tests/a.py 3/4"]
)
def test_other_lines_say_nothing_of_it(line: str) -> None:
    assert follow.status(line) is None


def test_lines_are_heard_and_output_passes_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    script = "import sys; sys.stdout.buffer.write(b'a\\nb\\xff\\nno end'); sys.exit(3)"
    assert follow.run([sys.executable, "-c", script], os.environ, heard.append) == 3
    assert heard == ["a", "b�"]
    assert capfd.readouterr().out == "a\nb�\nno end"


def test_what_would_stop_us_goes_on_to_the_command() -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    before = signal.getsignal(signal.SIGTERM)
    heard = lambda _: os.kill(os.getpid(), signal.SIGTERM)  # noqa: E731 - a line's worth
    assert follow.run([sys.executable, "-c", script], os.environ, heard) == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_killed_command_has_the_exit_code_that_a_shell_gives_it() -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert follow.run([sys.executable, "-c", script], os.environ, lambda _: None) == 137


def test_a_command_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="--while: no-such-command can't be started: No such file"):
        follow.run(["no-such-command"], os.environ, lambda _: None)


def test_of_many_statuses_the_newest_is_posted() -> None:
    posted: list[str] = []
    first = threading.Event()

    def post(status: str) -> bool:
        posted.append(status)
        first.set()
        return True

    bulletin = follow.Bulletin(post, interval=60.0)
    bulletin.say("1 of 3")
    bulletin.start()
    assert first.wait(10)
    bulletin.say("2 of 3")
    bulletin.say("3 of 3")
    bulletin.stop()  # the interval is not over: nothing more is posted, and nobody waits for it
    assert posted == ["1 of 3"]


def test_after_a_refusal_nothing_more_is_tried() -> None:
    posted: list[str] = []

    def post(status: str) -> bool:
        posted.append(status)
        return False

    bulletin = follow.Bulletin(post, interval=0.0)
    bulletin.say("1 of 3")
    bulletin.start()
    bulletin.join(10)
    assert not bulletin.is_alive()
    bulletin.stop()
    assert posted == ["1 of 3"]
