"""A command that runs while somebody hears from its output how far it is."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.host import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CHUNK = 64 * 2**10
_LONGEST_LINE = 4 * 2**10
_STDOUT = 1
_OF_TURN = re.compile(
    r"ethrex-perf: \[\d\d:\d\d\] (?:(?P<block>\S+/\S+) )?\w+ (?P<done>\d+)/(?P<planned>\d+)\b"
)
_OF_BUILD = re.compile(r"ethrex-perf: (?P<what>building (?:base|head): git:\S+ [0-9a-f]{7,64})\b")
_OF_BLOCKS = re.compile(r" (?P<done>\d+) of (?P<all>\d+) decided\b")


def status(line: str) -> str | None:
    """Return how far a run is, `gating: 3 of 11 blocks`, by a line that `pytest_run.live` prints of it.

    None for every other line.
    """
    of_build = _OF_BUILD.match(line)
    if of_build is not None:
        return of_build["what"]
    of_turn = _OF_TURN.match(line)
    if of_turn is None:
        return None
    if of_turn["block"] is not None:
        return f"gating {of_turn['block']}: {of_turn['done']} of {of_turn['planned']} measurements"
    of_blocks = _OF_BLOCKS.search(line, of_turn.end())
    return None if of_blocks is None else f"gating: {of_blocks['done']} of {of_blocks['all']} blocks"


def run(command: Sequence[str], environ: Mapping[str, str], on_line: Callable[[str], None]) -> int:
    """Run `command`, its output where ours goes, and return its exit code (128 + N if signal N killed it).

    `on_line` gets every line of its standard output. What would stop us (Ctrl-C, SIGTERM, SIGHUP) is
    handed on to it: it has results to write. Raises `UsageError` where it can't be started.
    """
    sys.stdout.flush()
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, start_new_session=True)
    except OSError as error:
        raise UsageError(f"--while: {command[0]} can't be started: {error.strerror}") from None
    with process, _handed_on(process):
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            _copy(process.stdout.fileno(), on_line)
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
    return code if code >= 0 else 128 - code


def _copy(source: int, on_line: Callable[[str], None]) -> None:
    rest = b""
    while chunk := os.read(source, _CHUNK):
        files.write(_STDOUT, chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            on_line(line[:_LONGEST_LINE].decode(errors="replace"))
        rest = rest[:_LONGEST_LINE]


@contextlib.contextmanager
def _handed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, handle) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Bulletin(threading.Thread):
    """Posts the newest status, at most one in `interval` seconds, beside what is followed."""

    def __init__(self, post: Callable[[str], bool], interval: float) -> None:
        super().__init__(daemon=True, name="bulletin")
        self._post = post
        self._interval = interval
        self._newest: str | None = None
        self._news = threading.Event()
        self._over = threading.Event()

    def say(self, status: str) -> None:
        """Have `status` posted as soon as it may be."""
        self._newest = status
        self._news.set()

    def run(self) -> None:
        """Post until it is over, or until a post says that there is no use in more."""
        posted = None
        while self._news.wait() and not self._over.is_set():
            self._news.clear()
            newest = self._newest
            if newest is not None and newest != posted:
                if not self._post(newest):
                    return
                posted = newest
                self._over.wait(self._interval)

    def stop(self) -> None:
        """Let the post that is under way end, and post no more."""
        self._over.set()
        self._news.set()
        self.join()
