"""One child process, run to its end or killed with everything it started.

Next to nothing of ours runs while it runs: it writes into unlinked temporary files, the calling thread blocks
in the kernel until it ends, the timer of the timeout sleeps, and the size of its output is looked at twice a
second (some 20 µs). Only where somebody wants to hear the lines as they are printed (counters that are
switched on and off by them), its stdout comes through a pipe instead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.host.guard import Guard
from pytest_ethrex_perf.records.measurement import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import Self

READ_LIMIT = 16 * 2**20
"""Bytes that are read from each end of an output; what a program prints must not fill our memory."""
OUTPUT_LIMIT = 256 * 2**20
"""Bytes that a process may print before it is killed: the disk must not be full because of it."""
_GAUGE_S = 0.5  # between two looks at the size of what was printed
_POLL_MS = 20.0  # between two looks; in that time nobody fills a pipe
_LONGEST_LINE = 64 * 2**10  # bytes that a listener is given of one line
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_VANISH_S = 5.0  # how long we wait for killed grandchildren to be gone: the kernel may be busy with them


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended and what it left."""

    returncode: int
    """Exit code, or the negative number of the signal that killed it."""
    timed_out: bool
    """It was killed by us because its time was over."""
    stdout: str
    stderr: str
    left_out: int
    """Bytes of stdout that were not read: there were more than `READ_LIMIT` at each end."""
    usage: Usage
    wall_ns: int
    started: str
    """UTC, ISO 8601."""
    flooded: int | None = None
    """It was killed by us because it printed more than this many bytes."""

    @property
    def signal_name(self) -> str | None:
        """Name of the signal that ended the process (`SIGSEGV`), None where it exited."""
        if self.returncode >= 0:
            return None
        with contextlib.suppress(ValueError):
            return signal.Signals(-self.returncode).name
        return f"signal {-self.returncode}"


class UnstartableError(MeasurementError):
    """A file that the system does not execute: it is none, of another CPU, or its interpreter is missing."""


_UNFIT = {errno.ENOEXEC, errno.ENOENT, errno.EACCES, errno.EPERM}


def run(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    timeout: float | None,
    cwd: Path | None = None,
    on_line: Callable[[str], bool | None] | None = None,
    output_limit: int = OUTPUT_LIMIT,
    is_measured: bool = True,
) -> Finished:
    """Run `argv` in a session of its own with `environ`, for at most `timeout` seconds.

    What `is_measured` holds the host's lock as long as it lives: a build may leave a server of its compiler.
    It is killed, too, when it has printed more than `output_limit` bytes to stdout or stderr.

    `on_line` is called with every complete line of stdout as soon as it is there, in a thread of its own,
    without the newline; what it raises is raised here, after the end. While it returns True, lines are polled
    every 20 ms instead of waking us one by one, which would take a CPU from a program that can use it.

    When it has ended, and when the time is over, Ctrl-C or SIGTERM or SIGHUP to us comes, or anything is
    raised meanwhile, its whole process group is killed: it leaves nothing running (but what made itself
    another session). Signals then go on to whoever handled them before: Ctrl-C raises KeyboardInterrupt,
    SIGTERM ends us. Outside the main thread signals are left alone. Raises `MeasurementError` where the
    process can't be started, `UnstartableError` where the file is the reason.
    """
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with Guard() as guard, _signals_kill(group := _Group(guard)), _listening(on_line, stdout) as written:
            started, begin = datetime.now(UTC), time.perf_counter_ns()
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=stderr,
                    cwd=cwd,
                    env=environ,
                    start_new_session=True,
                    pass_fds=lock.inherited() if is_measured else (),
                )
            except OSError as error:
                kind = UnstartableError if error.errno in _UNFIT else MeasurementError
                raise kind(f"{argv[0]} can't be started: {error.strerror}") from None
            with _Gauge(group, (stdout, stderr), output_limit) as gauge:
                usage, end, timed_out = _finish(process, group, timeout)
        out, left_out = _text(stdout)
        err, _ = _text(stderr)
    return Finished(
        returncode=process.returncode,
        timed_out=timed_out and process.returncode == -signal.SIGKILL,
        stdout=out,
        stderr=err,
        left_out=left_out,
        usage=usage,
        wall_ns=end - begin,
        started=started.isoformat(timespec="milliseconds"),
        flooded=output_limit if gauge.is_over and process.returncode == -signal.SIGKILL else None,
    )


class _Group:
    """The process group of a child: killed as often as anybody asks, while its number is surely its own."""

    def __init__(self, guard: Guard) -> None:
        self._id: int | None = None
        self._guard = guard
        self._doomed = False

    def is_led_by(self, pid: int) -> None:
        self._id = pid
        self._guard.watch(pid)
        if self._doomed:  # a signal came while the process was being started
            self.kill()

    def kill(self) -> None:
        self._doomed = True
        if self._id is not None:
            # macOS refuses (EPERM) where only zombies are left
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._id, signal.SIGKILL)

    def release(self) -> None:
        """From now on the number may be somebody else's."""
        self._id = None
        self._guard.release()


class _Gauge(threading.Thread):
    """Kills a group as soon as one of its outputs is larger than `limit` bytes."""

    def __init__(self, group: _Group, outputs: Sequence[IO[bytes]], limit: int) -> None:
        super().__init__(daemon=True)
        self._group, self._outputs, self._limit = group, outputs, limit
        self._ended = threading.Event()
        self.is_over = False

    def run(self) -> None:
        while not self._ended.wait(_GAUGE_S):
            if any(os.fstat(output.fileno()).st_size > self._limit for output in self._outputs):
                self.is_over = True
                self._group.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def _finish(
    process: subprocess.Popen[bytes], group: _Group, timeout: float | None
) -> tuple[Usage, int, bool]:
    """Wait, kill what is left, reap; return usage, the time of the end and whether the time was over."""
    group.is_led_by(process.pid)
    over = threading.Event()

    def time_is_over() -> None:
        over.set()
        group.kill()

    timer = threading.Timer(timeout, time_is_over) if timeout is not None else None
    try:
        if timer is not None:
            timer.daemon = True
            timer.start()
        _await_exit(process.pid)
    finally:
        end = time.perf_counter_ns()
        if timer is not None:
            timer.cancel()
            if timer.is_alive():
                timer.join()
        # not reaped yet, the process still holds the group's number: nobody else can be hit
        group.kill()
        group.release()
        _, status, resources = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # or subprocess would wait for it, and warn
        _await_vanished(process.pid)
    kib = 1 if sys.platform != "darwin" else 1024  # macOS reports bytes
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # inherited through fork and exec on Linux
    usage = Usage(
        user_ns=round(resources.ru_utime * 1e9),
        system_ns=round(resources.ru_stime * 1e9),
        max_rss_kib=resources.ru_maxrss // kib if resources.ru_maxrss > own else None,
        voluntary_switches=resources.ru_nvcsw,
        involuntary_switches=resources.ru_nivcsw,
        minor_faults=resources.ru_minflt,
        major_faults=resources.ru_majflt,
    )
    return usage, end, over.is_set()


def _await_exit(pid: int) -> None:
    """Block until the process has ended, and leave it unreaped."""
    if sys.platform == "darwin":  # Python has waitid there since 3.13 only
        with contextlib.closing(select.kqueue()) as queue, contextlib.suppress(ProcessLookupError):
            event = select.kevent(
                pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
            )
            queue.control([event], 1, None)
    else:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _await_vanished(group: int) -> None:
    """Wait until killed grandchildren are gone too; mostly there are none, and this is one system call."""
    deadline = time.monotonic() + _VANISH_S
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            if _is_dead(group):
                return
            time.sleep(0.002)


def _is_dead(group: int) -> bool:
    """Whether only zombies are left of `group`: in many containers nobody reaps orphans (proc(5), stat)."""
    stats = list(Path("/proc").glob("[0-9]*/stat"))  # none on macOS, which says so by itself
    for stat in stats:
        with contextlib.suppress(OSError):
            state, _, pgrp = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(pgrp) == group and state not in "ZX":
                return False
    return bool(stats)


@contextlib.contextmanager
def _signals_kill(group: _Group) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP kill `group` first, and go on to their former handlers afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        # nothing is raised here: an exception out of nowhere could leave a process behind
        came.append(number)
        group.kill()

    former = {int(number): signal.getsignal(number) for number in _STOPPING}
    # None: installed by somebody in C, could not be restored; ignored (nohup) stays ignored
    taken = {number: old for number, old in former.items() if old not in (None, signal.SIG_IGN)}
    try:
        for number in taken:
            signal.signal(number, handle)
        yield
    finally:
        for number, old in taken.items():
            signal.signal(number, old)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


@contextlib.contextmanager
def _listening(on_line: Callable[[str], bool | None] | None, kept: IO[bytes]) -> Iterator[IO[bytes] | int]:
    """Yield what the child is to write into: `kept` itself, or a pipe that is copied there and heard."""
    if on_line is None:
        yield kept
        return
    listener = _Listener(on_line, kept)
    try:
        yield listener.end_to_write
    finally:
        listener.finish()
    listener.raise_what_came()


class _Listener(threading.Thread):
    """Copies a pipe into a file and hands on its lines, until the child has ended."""

    def __init__(self, on_line: Callable[[str], bool | None], kept: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._on_line: Callable[[str], bool | None] | None = on_line
        self._kept = kept
        self._pipe, self.end_to_write = os.pipe()
        self._over, self._end_it = os.pipe()
        self._line = b""
        self._came: BaseException | None = None
        self._poll_lazily = False
        os.set_blocking(self._pipe, False)
        self.start()

    def run(self) -> None:
        both = select.poll()
        both.register(self._pipe, select.POLLIN)
        both.register(self._over, select.POLLIN)
        end = select.poll()
        end.register(self._over, select.POLLIN)
        while True:
            # looked at before the pipe is read: what was written before the end is read after it
            ready = end.poll(_POLL_MS) if self._poll_lazily else both.poll()
            is_over = any(descriptor == self._over for descriptor, _ in ready)
            while self._copy():
                pass
            if is_over:
                return

    def _copy(self) -> bool:
        try:
            read = os.read(self._pipe, 2**16)
        except BlockingIOError:
            return False
        self._kept.write(read)
        *lines, self._line = (self._line + read).split(b"\n")
        self._line = self._line[:_LONGEST_LINE]
        for line in lines:
            self._hand_on(line[:_LONGEST_LINE].decode(errors="replace"))
        return bool(read)

    def _hand_on(self, line: str) -> None:
        if self._on_line is not None:
            try:
                self._poll_lazily = bool(self._on_line(line))
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
                self._came, self._on_line = error, None

    def finish(self) -> None:
        """Read what is left, which is all there once the child and its group are gone, and stop."""
        os.close(self.end_to_write)
        os.close(self._end_it)
        self.join()
        os.close(self._pipe)
        os.close(self._over)
        self._kept.flush()

    def raise_what_came(self) -> None:
        if self._came is not None:
            raise self._came


def _text(file: IO[bytes]) -> tuple[str, int]:
    """Return what was written, and how many bytes of its middle were left out."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    left_out = max(0, size - 2 * READ_LIMIT)
    if not left_out:
        return file.read().decode(errors="replace"), 0
    head = file.read(READ_LIMIT).decode(errors="replace")
    file.seek(-READ_LIMIT, os.SEEK_END)
    tail = file.read().decode(errors="replace")
    return f"{head}\n[… {left_out:,} bytes left out …]\n{tail}", left_out
