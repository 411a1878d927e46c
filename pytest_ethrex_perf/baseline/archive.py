"""The program archive: what was recorded can be run again, so that a stored baseline decides interleaved.

Each program is kept under its sha256. An executable is kept whole, as a copy or a reflink: the next build
overwrites the user's own. Of other commands the words are kept, and used only while they still have the
same identity. What may run other code than its identity covers is neither kept nor run again
(`program_kinds` says which).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.host.lock import writing
from pytest_ethrex_perf.records import json_text, regular_file, units
from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.replay import executable, program_kinds
from pytest_ethrex_perf.replay import program as programs
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.records.measurement import Program

_ENTRY = re.compile(r"([0-9a-f]{64})(\.json)?")
_FICLONE = 0x40049409  # ioctl_ficlone(2): share the blocks of another file until one of the two changes
_CHUNK = 2**20
_DAY = 86_400.0  # s
_ALL = "programs"  # the name by which the whole directory is locked


class MissingProgramError(MeasurementError):
    """A program that cannot be had from the archive; the message is a clause that begins with a verb."""


class NotArchivedError(MeasurementError):
    """A program that the archive does not take; the message is a clause that says why."""


class CommandLine(Record, frozen=True, kw_only=True):
    """What is kept of a program that is more than one executable: the content of `SHA256.json`."""

    command: tuple[str, ...]


class Entry(NamedTuple):
    """One program in the archive."""

    path: Path
    sha256: str
    size: int
    """In bytes."""
    used: float
    """When it was stored or last run, in s since the epoch: its mtime."""


class Archive:
    """The archive in `directory`, of at most `limit` bytes; without a directory or with limit 0 it is off."""

    def __init__(self, directory: Path | None, limit: int) -> None:
        self._directory = directory if limit else None
        self._limit = limit

    @property
    def is_on(self) -> bool:
        """Whether programs are kept and looked for at all."""
        return self._directory is not None

    @property
    def directory(self) -> Path | None:
        """Where programs are kept; None where none are."""
        return self._directory

    def store(self, program: Program) -> None:
        """Keep `program`, unless the archive is off; raises `NotArchivedError`.

        What was not used for the longest time makes room for it.
        """
        if self._directory is None:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with writing(self._directory / _ALL):
                path = self._keep(program, self._directory)
                _shrink(self._directory, self._limit, path)
        except OSError as error:
            raise NotArchivedError(
                f"{self._directory} cannot be written: {error.strerror} (--ethrex-archive DIR)"
            ) from None
        except NotArchivedError:
            raise
        except MeasurementError as error:
            raise NotArchivedError(f"{error} (--ethrex-archive DIR)") from None

    def _keep(self, program: Program, directory: Path) -> Path:
        """Return where it is kept; raises OSError, or `NotArchivedError` for what cannot be kept."""
        if uncovered := program_kinds.uncovered(program):
            raise NotArchivedError(f"it {uncovered}")
        words = KINDS[program.kind].archived(program.command)
        if words is not None:
            import msgspec

            path = directory / f"{program.sha256}.json"
            files.replace(path, msgspec.json.encode(CommandLine(command=words)) + b"\n")
            return path
        path = directory / program.sha256
        if libraries := executable.libraries(Path(program.command[0])):
            names = ", ".join(library.name for library in libraries)
            raise NotArchivedError(f"it loads libraries from outside the system's folders: {names}")
        if not _is_whole(path):
            self._copy(Path(program.command[0]), path)
        _touch(path)
        return path

    def _copy(self, original: Path, path: Path) -> None:
        with regular_file.opened(original) as source:
            status = os.fstat(source.fileno())
            if status.st_size > self._limit:
                size, limit = units.size(status.st_size), units.size(self._limit)
                raise NotArchivedError(
                    f"it has {size}, and the archive may hold {limit} (--ethrex-archive-size)"
                )
            with files.replacing(path) as target:
                if not _clone(source.fileno(), target):
                    while chunk := source.read(_CHUNK):
                        files.write(target, chunk)
                # nobody shall write to it, and its owner shall be able to run it
                os.fchmod(target, stat.S_IMODE(status.st_mode) & 0o555 | 0o500)
                os.lseek(target, 0, os.SEEK_SET)
                with open(target, "rb", closefd=False) as copy:
                    if hashlib.file_digest(copy, "sha256").hexdigest() != path.name:
                        raise NotArchivedError(f"{original} has changed since it was measured")

    def find(self, sha256: str, *, cwd: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Return the command that runs this very program, checked just now.

        A damaged executable is removed. `cwd` and `environ` are where a command line's words are looked for.
        Raises `MissingProgramError`.
        """
        if self._directory is None:
            raise MissingProgramError("cannot be looked for: the archive is off (--ethrex-archive-size 0)")
        path = self.path(sha256)
        if path is None:
            raise MissingProgramError(f"is not in the archive {self._directory}")
        if path.name != sha256:
            return _unchanged(path, sha256, cwd, environ)
        if not _is_whole(path):
            # somebody else's archive can only be read
            with contextlib.suppress(OSError, MeasurementError), writing(self._directory / _ALL):
                if not _is_whole(path):
                    path.unlink(missing_ok=True)
            raise MissingProgramError(f"was damaged in the archive and is removed: {path}")
        if uncovered := executable.uncovered(path):
            raise MissingProgramError(f"cannot be run again: it {uncovered}")
        _touch(path)
        if not os.access(path, os.X_OK):
            raise MissingProgramError(f"cannot be run from {path}: give --ethrex-archive another directory")
        return (str(path),)

    def state(self, sha256: str) -> Literal["whole", "missing", "damaged"]:
        """Return whether it is there, and still what was stored; changes nothing."""
        path = self.path(sha256)
        if path is None:
            return "missing"
        whole = _is_whole(path) if path.name == sha256 else _read(path) is not None
        return "whole" if whole else "damaged"

    def path(self, sha256: str) -> Path | None:
        """Return where a program is kept; None where it is not."""
        if self._directory is None:
            return None
        candidates = self._directory / sha256, self._directory / f"{sha256}.json"
        return next((path for path in candidates if regular_file.exists(path)), None)

    def unused(self, days: float) -> list[Entry]:
        """Return what was neither stored nor run for so many days, the oldest first."""
        if self._directory is None:
            return []
        return [entry for entry in _entries(self._directory) if time.time() - entry.used > days * _DAY]

    def remove(self, entries: list[Entry]) -> None:
        """Delete these, unless they were used meanwhile; raises `MeasurementError`."""
        if self._directory is None:
            return
        with writing(self._directory / _ALL):
            for entry in _entries(self._directory):
                if entry in entries:
                    entry.path.unlink(missing_ok=True)


def default_directory(environ: Mapping[str, str]) -> Path | None:
    """Return `programs` in the user's cache directory; None for a user without a home.

    By the XDG Base Directory Specification; on macOS in ~/Library/Caches.
    """
    cache = Path(environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # as the specification says of relative ones
        try:
            cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
        except RuntimeError:
            return None
    return cache / "pytest-ethrex-perf" / "programs"


def _unchanged(path: Path, sha256: str, cwd: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    kept = _read(path)
    if kept is None:
        raise MissingProgramError(f"was damaged in the archive: remove {path}")
    line = shlex.join(kept.command)
    try:
        program = programs.resolve(line, cwd=cwd, environ=environ)
    except UsageError as error:
        raise MissingProgramError(f"cannot be run any more: {error}") from None
    if program.sha256 != sha256:
        raise MissingProgramError(f"cannot be run any more: `{line}` is another program now")
    if uncovered := program_kinds.uncovered(program):
        raise MissingProgramError(f"cannot be run again: `{line}` {uncovered}")
    _touch(path)
    return program.command


def _read(path: Path) -> CommandLine | None:
    try:
        return json_text.decode(regular_file.content(path), CommandLine)
    except (OSError, ValueError):
        return None


def _is_whole(path: Path) -> bool:
    try:
        with regular_file.opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.name
    except OSError:
        return False


def _clone(source: int, target: int) -> bool:
    """Make `target` a reflink of `source`, where the file system can (btrfs, XFS, bcachefs, OCFS2)."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):  # somebody else's archive can be read, and its owner cleans up
        os.utime(path)


def _entries(directory: Path) -> list[Entry]:
    """Every program in the archive, the one not used for the longest time first."""
    entries = []
    for path in directory.iterdir() if directory.is_dir() else ():
        match = _ENTRY.fullmatch(path.name)
        with contextlib.suppress(FileNotFoundError):  # another run makes room
            if match is not None:
                status = path.stat()
                entries.append(Entry(path, match[1], status.st_size, status.st_mtime))
    return sorted(entries, key=lambda entry: entry.used)


def _shrink(directory: Path, limit: int, stored: Path) -> None:
    """Remove what a killed run left, and the least recently used programs, until `limit` holds."""
    files.remove_leftovers(directory)
    entries = _entries(directory)
    total = sum(entry.size for entry in entries)
    for entry in entries:
        if total <= limit:
            break
        if entry.path != stored:
            entry.path.unlink(missing_ok=True)
            total -= entry.size
