"""That the files of a run stay what they were: the identity that a result claims is the one that ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.replay import executable, program_kinds

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.replay.cache import CacheFile

_SHORT = 12  # hex digits of a sha256 that people read


class _Stamp(NamedTuple):
    """What changes with a file's content, but for what sets out to deceive; a look costs microseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Unchanged:
    """Programs and cache files of one run, as they were when their identities were taken.

    A file is hashed when it is first checked, and again where its stamp has changed: what was only touched,
    or written once more with the same content, is still the same.
    """

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd
        self._programs: dict[Program, tuple[Path, ...]] = {}
        self._hashed: dict[Path, tuple[_Stamp, str]] = {}

    def check(self, program: Program, cache: CacheFile, *, whole: bool = False) -> None:
        """Raise `MeasurementError` if either is another than it was; `whole` hashes them in any case."""
        self._check_file(cache.path, whole=whole, expected=cache.sha256)
        first = program not in self._programs
        if first:
            self._programs[program] = program_kinds.files(program.command, self._cwd)
        for path in self._programs[program]:
            self._check_file(path)
        if first or whole:
            self._check_identity(program)

    def _check_file(self, path: Path, *, whole: bool = False, expected: str | None = None) -> None:
        """Compare with `expected`, where it has not been hashed here yet."""
        stamp = _stamp(path)
        before, sha256 = self._hashed.get(path, (None, expected))
        if stamp == before and not whole:
            return
        now = _digest(path)
        if sha256 not in (None, now):
            raise MeasurementError(_replaced(str(path), str(sha256), now))
        self._hashed[path] = stamp, now

    def _check_identity(self, program: Program) -> None:
        """An identity may cover more than the files of a command: the embedded program's modules."""
        kind = program_kinds.KINDS[program.kind]
        try:
            now = kind.identify(program.command, self._cwd, "the program")
        except UsageError as error:
            raise MeasurementError(str(error)) from None
        if now != program.sha256:
            for path in self._programs[program]:  # which of them it is
                self._check_file(path, whole=True)
            raise MeasurementError(_replaced(" ".join(program.command), program.sha256, now))


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise MeasurementError(f"{path} can't be read any more: {error.strerror}") from None
    return _Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _digest(path: Path) -> str:
    try:
        return executable.digest(path, "the run")
    except UsageError as error:
        raise MeasurementError(str(error)) from None


def _replaced(what: str, before: str, now: str) -> str:
    return (
        f"{what} was replaced during the run (its sha256 was {before[:_SHORT]}, now it is {now[:_SHORT]}): "
        "measure again, and leave it alone meanwhile"
    )
