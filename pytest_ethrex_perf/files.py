"""Files that are written at once or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
from pathlib import Path


def replace(file: Path, content: bytes) -> None:
    """Replace `file`: whoever reads it, and whatever happens, finds the old or the new content whole.

    Missing folders are made; a link stays a link. Leftovers of a run that was killed are removed, so callers
    that share a file hold a lock. Raises OSError; then nothing was changed.
    """
    target = Path(os.path.realpath(file))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        leftover.unlink(missing_ok=True)
    try:
        _write_through(temporary, content)
        os.replace(temporary, target)  # noqa: PTH105 - one style with the calls around it
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def _write_through(file: Path, content: bytes) -> None:
    """Create `file` as the umask says, its content on the disk before this returns."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
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
