"""Reading files that somebody names: a pipe would be waited for without end, and a device may do anything."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

_OTHERS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_LFS = b"version https://git-lfs.github.com/spec/"
"""What a file in git begins with whose content is elsewhere (Git LFS, docs/spec.md)."""


def exists(path: Path) -> bool:
    """Return whether anything is at `path`; a text that can't be a path (it is too long) names nothing."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Return whether a file is at `path`, of whatever text that is."""
    return exists(path) and path.is_file()


def check(path: Path) -> None:
    """Raise OSError, with a reason, unless `path` is a file or a directory; nothing is opened for that."""
    kind = _OTHERS.get(stat.S_IFMT(path.stat().st_mode))
    if kind is not None:
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))


def opened(path: Path) -> BufferedReader:
    """Return the file at `path`, open for reading; raises OSError as `check` does."""
    check(path)
    return path.open("rb")


def content(path: Path) -> bytes:
    """Return what the file at `path` holds; raises OSError as `check` does, and for a pointer of Git LFS."""
    check(path)
    data = path.read_bytes()
    if data.startswith(_LFS):
        raise OSError(errno.EINVAL, "it is Git LFS's pointer to the file: type git lfs pull", str(path))
    return data
