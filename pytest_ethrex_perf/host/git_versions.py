"""Earlier versions of files, as git keeps them: which there were, and what was in them."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_ethrex_perf.host.git import GitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from pytest_ethrex_perf.host.git import Repository

_GONE = {"0"}  # the hash of a file that a commit deletes
_BLOB = b"blob"


def versions(repository: Repository) -> dict[str, Sequence[str]]:
    """Return the blobs that each file below the repository's `directory` was, oldest first.

    Files are relative to that directory. Only the first parents of merges are followed, so that a file's
    versions follow each other. Raises `GitError`.
    """
    if repository.is_partial:
        raise GitError(f"{repository.directory} is in a partial clone: git fetch --refetch --no-filter")
    words = ("--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "--relative", "--format=")
    finished = repository.run("log", *words, "--", ".")
    if finished.returncode or finished.left_out:
        raise GitError(f"{repository.directory}: git log could not say what versions of files there were")
    blobs: dict[str, list[str]] = defaultdict(list)
    for line in finished.stdout.splitlines():
        fields, _, path = line.partition("\t")
        if fields.startswith(":") and {*(blob := fields.split(" ")[3])} != _GONE:
            blobs[path].append(blob)
    return {path: newest_first[::-1] for path, newest_first in blobs.items()}


class Blobs:
    """Reads many files of one repository through one `git cat-file --batch`; a context manager."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def __enter__(self) -> Self:
        """Start git."""
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=self._repository.directory,
            env=self._repository.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: it exits when nothing more can be asked."""
        self._process.__exit__(kind, error, trace)

    def read(self, blob: str) -> bytes:
        """Return what is in a file; raises `GitError` where it is not in the repository."""
        request, answer = self._process.stdin, self._process.stdout
        if request is None or answer is None:
            raise TypeError("git was started without pipes")
        try:
            request.write(f"{blob}\n".encode())
            request.flush()
        except OSError:
            raise GitError(f"{self._repository.directory}: git cat-file ended by itself") from None
        words = answer.readline().split()
        if len(words) != 3 or words[1] != _BLOB:  # noqa: PLR2004 - hash, kind and size
            raise GitError(
                f"{self._repository.directory}: git has no file {blob}: git fsck says what is wrong"
            )
        content = answer.read(int(words[2]))
        answer.read(1)  # the end of the line
        return content
