"""Locks between the runs of one host: one run at a time measures, one at a time writes a baseline's file.

The locks are flocks: the kernel lets go of them when their process ends, however it ends. The one for
measuring lies in the host's temporary directory, where users of one host find the same one: runs in
containers with a /tmp of their own, or with another TMPDIR, do not see each other. The one of a file lies
beside the file while it is held, so that everybody who can write the file finds it.

What is measured holds a lock of its own (`inherited`), for as long as any process of it lives: where a run
was killed and its program runs on, the next run names it and waits, and does not measure beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records import json_text
from pytest_ethrex_perf.records.measurement import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filelock import BaseFileLock

_EVERYBODY = 0o666  # users of one host share these files
_OURS = 0o644  # others read it and can lock it, and nobody writes it for us
_FILE_TIMEOUT = 60.0  # s; a baseline's file is locked for milliseconds
_FILE_POLL = 0.01  # s
_POLL = 0.2  # s; a waiting run must not disturb the one that measures
_GRACE = 1.0  # s; for a worker to say that it is one of us
_LABEL = 200  # characters of it that are shown
_HOLDER_SIZE = 4096  # bytes; more is no holder

_inherited: list[int] = []


def inherited() -> tuple[int, ...]:
    """The descriptors that a process must inherit which is measured under the lock of this host."""
    return tuple(_inherited)


class Holder(Record, frozen=True, kw_only=True):
    """Who measures on this host just now."""

    pid: int
    label: str
    started: str
    """UTC, ISO 8601."""
    run: str | None = None
    """What the workers of one distributed run have in common."""

    def __str__(self) -> str:
        return f"{self.label} (process {self.pid}, since {self.started})"


def directory() -> Path:
    """Where the locks of this host are; made when first needed, for every user, as /tmp itself is.

    Raises `MeasurementError` where it cannot be made.
    """
    path = Path(tempfile.gettempdir()) / "ethrex-perf-locks"
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir()
        status = path.lstat()  # a link that somebody put here is not followed
        if not stat.S_ISDIR(status.st_mode):
            raise MeasurementError(f"{path}: no locks can be kept here (not a directory): set TMPDIR")
        if status.st_uid == os.getuid():
            path.chmod(0o1777)
    except OSError as error:
        raise MeasurementError(f"{path}: no locks can be kept here ({error.strerror}): set TMPDIR") from None
    return path


class _Patience:
    """How long another run may keep us waiting: people hear once which, then it is given up.

    Workers of one run wait for each other as long as it takes: that ends, since each measures one block.
    """

    def __init__(
        self, path: Path, timeout: float, waiting: Callable[[str], None] | None, run: str | None
    ) -> None:
        self._path, self._run, self._waiting = path, run, waiting if timeout > 0 else None
        # a worker that has just taken its turn has not said yet who it is
        self._limit, self._grace = (timeout, 0.0) if run is None else (max(timeout, _GRACE), _GRACE)
        self._timeout = timeout
        self._since = time.monotonic()

    def wait(self) -> None:
        """Wait a moment; raises `MeasurementError` when it was long enough."""
        now, holder = time.monotonic(), _read_holder(self._path)
        if self._run is not None and holder is not None and holder.run == self._run:
            self._since = now
        waited = now - self._since
        if waited >= self._limit:
            raise MeasurementError(self._refusal(waited))
        if self._waiting is not None and waited >= self._grace:
            self._waiting(f"waiting up to {self._timeout:.0f} s for {self._obstacle()}")
            self._waiting = None
        time.sleep(min(_POLL, self._limit - waited))

    def _refusal(self, waited: float) -> str:
        return (
            f"another run measures on this machine: {_holder_text(self._path)}; gave up after "
            f"{waited:.0f} s: wait for it to end, or raise --ethrex-lock-timeout"
        )

    def _obstacle(self) -> str:
        return f"{_holder_text(self._path)}, which measures on this machine"


class _PatienceWithOrphans(_Patience):
    """The same with the program of a run that was killed."""

    def _refusal(self, waited: float) -> str:
        return (
            f"the program of a run that was killed still runs on this machine: {_users(self._path)}; gave up "
            f"after {waited:.0f} s: end it, or raise --ethrex-lock-timeout"
        )

    def _obstacle(self) -> str:
        return f"{_users(self._path)}, which a run that was killed has left running on this machine"


@contextlib.contextmanager
def measuring(
    label: str, *, timeout: float, waiting: Callable[[str], None] | None = None, run: str | None = None
) -> Iterator[None]:
    """Hold the lock of this host while measuring: two runs at once would measure each other.

    `label` says who we are to a run that waits for us. `waiting` is called once, with a sentence that says
    for whom, if another run holds the lock. After `timeout` seconds (0: at once) raises `MeasurementError`;
    time in which a worker of the same `run` measures does not count. Who lets go of the lock and wants it
    again comes after the one that waits.
    """
    path = directory() / "measuring"
    lock, queue = _lock(path), _lock(directory() / "queue")
    patience = _Patience(path, timeout, waiting, run)
    _take(queue, patience)
    try:
        _take(lock, patience)
    finally:
        queue.release()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with _measured(path.with_suffix(".running"), timeout, waiting):
            _write_holder(path, Holder(pid=os.getpid(), label=label[:_LABEL], started=started, run=run))
            yield
    finally:
        _write_holder(path, None)
        lock.release()


@contextlib.contextmanager
def _measured(path: Path, timeout: float, waiting: Callable[[str], None] | None) -> Iterator[None]:
    """Hold the lock that what is measured inherits; raises as `measuring` does."""
    patience: _Patience | None = None
    try:
        descriptor = _open_shared(path, os.O_RDONLY, _OURS)
    except OSError as error:
        raise MeasurementError(f"{path}: cannot be locked: {error.strerror}: set TMPDIR") from None
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                patience = patience or _PatienceWithOrphans(path, timeout, waiting, None)
                patience.wait()
        _inherited.append(descriptor)
        yield
    finally:
        if descriptor in _inherited:
            _inherited.remove(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # for whoever has inherited it, too
        os.close(descriptor)


def _users(path: Path) -> str:
    """`ethrex-replay (process 4711)`, for every process of ours that has `path` open (proc(5), fd)."""
    users = []
    target = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            opened = [os.readlink(descriptor) for descriptor in (process / "fd").iterdir()]  # noqa: PTH115 - a text
            if target in opened and process.name != str(os.getpid()):
                name = (process / "comm").read_text(errors="replace").strip()
                users.append(f"{''.join(filter(str.isprintable, name))} (process {process.name})")
    return ", ".join(users) or "a process of another user"


def _take(lock: BaseFileLock, patience: _Patience) -> None:
    while True:
        try:
            _acquire(lock, 0)
        except TimeoutError:
            patience.wait()
        else:
            return


def holder() -> Holder | None:
    """Who holds the lock for measuring, as far as it said so; None where nobody does."""
    path = directory() / "measuring"
    lock = _lock(path)
    with contextlib.suppress(TimeoutError):
        _acquire(lock, 0)
        lock.release()
        return None
    return _read_holder(path)


@contextlib.contextmanager
def holding(path: Path, *, timeout: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock `path` of a folder in which one run works at a time, for as long as that takes.

    `waiting` is called once if another run holds it; after `timeout` seconds raises `MeasurementError`.
    """
    from filelock import FileLock

    folder = FileLock(path)
    try:
        try:
            folder.acquire(timeout=0)
        except TimeoutError:
            waiting(f"waiting up to {timeout:.0f} s for another run that works in {path.parent}")
            folder.acquire(timeout=timeout, poll_interval=_POLL)
    except TimeoutError:
        raise MeasurementError(
            f"another run works in {path.parent}: gave up after {timeout:.0f} s: wait for it to end, or "
            "raise --ethrex-lock-timeout"
        ) from None
    except OSError as error:
        raise MeasurementError(f"{path}: cannot be locked: {error.strerror}: set XDG_CACHE_HOME") from None
    try:
        yield
    finally:
        folder.release()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold the lock of one file, wherever its directory is reached from; missing folders are made.

    The lock is `.NAME.lock` beside the file, and is removed with it still held: nothing is left to be
    committed, and what a killed run left is taken over. Raises `MeasurementError` when another run holds it
    for a minute, or where there can be none.
    """
    target = Path(os.path.realpath(path))
    lock = target.with_name(f".{target.name}.lock")
    deadline = time.monotonic() + _FILE_TIMEOUT
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        while (descriptor := _locked(lock)) is None:
            if time.monotonic() > deadline:
                raise MeasurementError(
                    f"{path}: another run has been writing it for {_FILE_TIMEOUT:.0f} s: end that run and "
                    "try again"
                )
            time.sleep(_FILE_POLL)
    except OSError as error:
        raise MeasurementError(f"{path}: cannot be written: {error.strerror} ({lock})") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def _locked(lock: Path) -> int | None:
    """Return the descriptor of the file `lock` with an exclusive flock on it, None where another run has it.

    Raises OSError.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _EVERYBODY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # who held it before may have removed it between our two calls: then a later run makes another
        if os.path.samestat(os.fstat(descriptor), lock.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    return FileLock(path.with_suffix(".lock"), mode=_EVERYBODY)


def _acquire(lock: BaseFileLock, timeout: float, poll: float = _POLL) -> None:
    """Raises TimeoutError (filelock's `Timeout` is one) or `MeasurementError`."""
    try:
        lock.acquire(timeout=timeout, poll_interval=poll)
    except TimeoutError:
        raise
    except OSError as error:
        raise MeasurementError(f"{lock.lock_file}: cannot be locked: {error.strerror}: set TMPDIR") from None


def _write_holder(path: Path, holder: Holder | None) -> None:
    """Write who holds the lock beside it; not being able to only makes a message poorer."""
    import msgspec

    content = msgspec.json.encode(holder) if holder else b""
    with contextlib.suppress(OSError):
        file = _open_shared(path.with_name(f"{path.name}-{os.getuid()}.holder"), os.O_WRONLY, _OURS)
        try:
            if os.fstat(file).st_uid == os.getuid():
                os.ftruncate(file, 0)
                os.write(file, content)
        finally:
            os.close(file)


def _open_shared(path: Path, access: int, mode: int) -> int:
    """Open what any user of the host may have made: O_CREAT on it would be refused in /tmp.

    Neither a link is followed nor a fifo waited for. Raises OSError.
    """
    try:
        return os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        file = os.open(path, access | os.O_CREAT | os.O_EXCL, mode)
        os.fchmod(file, mode)
        return file


def _read_holder(path: Path) -> Holder | None:
    """Who says that it holds the lock: each user in a file of its own, which nobody else can write.

    Of several (a run that was killed takes nothing back), the newest whose process lives.
    """
    said = []
    for file in path.parent.glob(f"{path.name}-*.holder"):
        with contextlib.suppress(OSError, ValueError):
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                status = os.fstat(descriptor)
                if stat.S_ISREG(status.st_mode) and file.name == f"{path.name}-{status.st_uid}.holder":
                    holder = _holder(os.read(descriptor, _HOLDER_SIZE))
                    said.append((_is_alive(holder.pid), status.st_mtime_ns, holder))
            finally:
                os.close(descriptor)
    return max(said, key=lambda entry: entry[:2])[2] if said else None


def _holder(content: bytes) -> Holder:
    """What is said, if it can be shown; raises ValueError."""
    holder = json_text.decode(content, Holder)
    datetime.fromisoformat(holder.started)
    if not (holder.label + holder.started).isprintable() or len(holder.label) > _LABEL or holder.pid <= 0:
        raise ValueError("nobody has written this for people")
    return holder


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _holder_text(path: Path) -> str:
    holder = _read_holder(path)
    return str(holder) if holder else "another run that did not say who it is"
