"""Sessions that a baseline file no longer has, from its earlier versions in git.

A baseline keeps the last 20 sessions of an epoch; whoever resets it loses all of them. Where it is committed
after every session, each is in some 20 versions, so that one version in 20 is read: 19 of a year of nights.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.schema import KEPT, Baseline, check
from pytest_ethrex_perf.host import git_versions
from pytest_ethrex_perf.records import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pytest_ethrex_perf.host.git import Repository


class Versions:
    """The earlier versions of baselines in the `directory` of a repository; a context manager.

    Raises `GitError` where git has none, and while they are read.
    """

    def __init__(self, repository: Repository) -> None:
        self._folder = repository.directory
        self._blobs = git_versions.versions(repository)
        self._reader = git_versions.Blobs(repository)

    def __enter__(self) -> Self:
        """Start reading."""
        self._reader.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._reader.__exit__(kind, error, trace)

    def of(self, file: Path, current: Baseline) -> Iterator[Baseline]:
        """Yield what `earlier` does of one file."""
        blobs = self._blobs.get(file.relative_to(self._folder).as_posix(), ())
        yield from earlier(current, blobs, self._reader.read)


def earlier(current: Baseline, blobs: Sequence[str], read: Callable[[str], bytes]) -> Iterator[Baseline]:
    """Yield versions, the newest first, that have every session that any of `blobs` (oldest first) has.

    `current` is the last of them, or follows on it. Versions that hold no baseline are passed over.
    """
    newer, at = current, len(blobs)
    if blobs and _parsed(read(blobs[-1])) == current:  # committed as it is
        at -= 1
    while at > 0:
        reach = max(at - KEPT + 1, 0)
        older = _parsed(read(blobs[reach]))
        while reach < at - 1 and (older is None or not _follows(newer, older, at - reach)):
            reach = (reach + at + 1) // 2
            older = _parsed(read(blobs[reach]))
        at = reach
        if older is not None:
            newer = older
            yield older


def _parsed(content: bytes) -> Baseline | None:
    with contextlib.suppress(ValueError):
        baseline = json_text.decode(content, Baseline)
        check(baseline)
        return baseline
    return None


def _follows(newer: Baseline, older: Baseline, versions: int) -> bool:
    """Whether nothing that was recorded in the `versions` after `older`, up to `newer`, is lost in `newer`.

    What an epoch has lost are its oldest sessions: if it still has the last one of `older`, it has all that
    came after. Each version has a session more than the one before, so that none was taken back.
    """
    before = {session.id for session in older.sessions()}
    after = [session.id for session in newer.sessions() if session.id not in before]
    begun = [epoch for epoch in newer.epochs if not before & {session.id for session in epoch.sessions}]
    return (
        len(after) >= versions
        and any(session.id == older.epoch.sessions[-1].id for session in newer.sessions())
        and all(len(epoch.sessions) <= KEPT for epoch in begun)
    )
