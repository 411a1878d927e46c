"""Files that are written at once or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8})-([0-9]{1,9})-[0-9a-f]{8}\.tmp")


def replace(file: Path, content: bytes | bytearray) -> None:
    """Replace `file`: whoever reads it, and whatever happens, finds the old or the new content whole.

    Missing folders are made; a link stays a link. What a run that was killed on this host left of it is
    removed. Raises OSError; then nothing was changed.
    """
    with replacing(file) as descriptor:
        write(descriptor, content)


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[int]:
    """As `replace`, for content that the caller writes to the descriptor; what it raises changes nothing."""
    target = Path(os.path.realpath(file))
    with contextlib.suppress(FileNotFoundError):
        regular_file.check(target)  # no file takes the place of a pipe or of /dev/null
    temporary = target.with_name(f".{target.name}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent, glob.escape(target.name))
    try:
        with _written_through(temporary) as descriptor:
            yield descriptor
        os.replace(temporary, target)  # noqa: PTH105 - one style with the calls around it
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def remove_leftovers(directory: Path, pattern: str = "*") -> None:
    """Remove what killed runs left of files of ours in `directory` whose name matches the glob `pattern`.

    Only what is named as `replacing` names it, by a process of this host that is no more: whatever else ends
    in `.tmp`, and what another run writes just now, is not ours to remove. Raises OSError.
    """
    for path in directory.glob(f".{pattern}.*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match is not None and match[1] == _host() and not _is_running(int(match[2])):
            path.unlink(missing_ok=True)


def _host() -> str:
    """8 hex digits of the host's name: in a shared folder a process is known by both."""
    return hashlib.sha256(os.uname().nodename.encode(errors="replace")).hexdigest()[:8]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def write(descriptor: int, content: bytes | bytearray) -> None:
    """Write all of `content`, however little the disk takes at a time; raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextlib.contextmanager
def _written_through(file: Path) -> Iterator[int]:
    """Create `file` as the umask says; what is written to it is on the disk when the block ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
