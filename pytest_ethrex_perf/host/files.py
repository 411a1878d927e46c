"""Files that are written at once or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def replace(file: Path, content: bytes) -> None:
    """Replace `file`: whoever reads it, and whatever happens, finds the old or the new content whole.

    Missing folders are made; a link stays a link. Leftovers of a run that was killed are removed, so callers
    that share a file hold a lock. Raises OSError; then nothing was changed.
    """
    with replacing(file) as descriptor:
        write(descriptor, content)


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[int]:
    """As `replace`, for content that the caller writes to the descriptor; what it raises changes nothing."""
    target = Path(os.path.realpath(file))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        leftover.unlink(missing_ok=True)
    try:
        with _written_through(temporary) as descriptor:
            yield descriptor
        os.replace(temporary, target)  # noqa: PTH105 - one style with the calls around it
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def write(descriptor: int, content: bytes) -> None:
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
