"""What a repository says of a history: its tags, and the subjects of the commits that changes name."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.host.git import GitError
from pytest_ethrex_perf.records.history import Release

if TYPE_CHECKING:
    from pytest_ethrex_perf.host.git import Repository
    from pytest_ethrex_perf.records.history import HistoryChange, PointInTime

_FORM = "%(refname:short)%00%(*objectname)%00%(objectname)%00%(creatordate:unix)"


def releases(repository: Repository, since: datetime) -> tuple[Release, ...]:
    """Return the tags of `repository` that were made `since` then, by date; raises `GitError`."""
    lines = repository.output("for-each-ref", "refs/tags", f"--format={_FORM}").splitlines()
    found = []
    for line in lines:
        name, peeled, direct, seconds = line.split("\0")
        if not seconds:  # a tag of something that is no commit
            continue
        date = datetime.fromtimestamp(int(seconds.split()[0]), UTC)
        if date >= since:
            found.append(Release(name=name, date=date.isoformat(), commit=peeled or direct))
    return tuple(sorted(found, key=lambda release: (release.date, release.name)))


class Subjects:
    """Asks a repository for the subjects of commits, each once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: dict[str, str | None] = {}

    def named(self, change: HistoryChange) -> HistoryChange:
        """Return `change` with the subjects of its commits, as far as the repository has them."""
        return msgspec.structs.replace(
            change,
            before=self._with_subject(change.before),
            after=self._with_subject(change.after),
            start=self._with_subject(change.start),
        )

    def _with_subject(self, point: PointInTime) -> PointInTime:
        if point.commit is None:
            return point
        if point.commit not in self._known:
            self._known[point.commit] = None
            with contextlib.suppress(GitError):
                self._known[point.commit] = self._repository.commit(point.commit).subject
        return msgspec.structs.replace(point, subject=self._known[point.commit])
