"""What a repository says of a history: its tags, and of the commits that changes name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.host import forge
from pytest_ethrex_perf.host.git import GitError
from pytest_ethrex_perf.records.history import Release

if TYPE_CHECKING:
    from pytest_ethrex_perf.host.git import Commit, Repository
    from pytest_ethrex_perf.records.history import HistoryChange, PointInTime

_FORM = "%(refname:short)%00%(*objectname)%00%(objectname)%00%(creatordate:unix)"


def releases(repository: Repository, since: datetime) -> tuple[Release, ...]:
    """Return the tags of `repository` that were made `since` then, by date; raises `GitError`."""
    shown_at = forge.commits(repository.url)
    lines = repository.output("for-each-ref", "refs/tags", f"--format={_FORM}").splitlines()
    found = []
    for line in lines:
        name, peeled, direct, seconds = line.split("\0")
        if not seconds:  # a tag of something that is no commit
            continue
        date = datetime.fromtimestamp(int(seconds.split()[0]), UTC)
        if date >= since:
            commit = peeled or direct
            url = None if shown_at is None else f"{shown_at}{commit}"
            found.append(Release(name=name, date=date.isoformat(), commit=commit, url=url))
    return tuple(sorted(found, key=lambda release: (release.date, release.name)))


class Commits:
    """Asks a repository for the subjects of commits, and where they are shown; for each of them once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._shown_at = forge.commits(repository.url)
        self._known: dict[str, Commit] = {}

    def named(self, change: HistoryChange) -> HistoryChange:
        """Return `change` with subjects and addresses of its commits, as far as the repository has them."""
        return msgspec.structs.replace(
            change,
            before=self._described(change.before),
            after=self._described(change.after),
            start=self._described(change.start),
        )

    def _described(self, point: PointInTime) -> PointInTime:
        if point.commit is None:
            return point
        if point.commit not in self._known:
            try:
                self._known[point.commit] = self._repository.commit(point.commit)
            except GitError:  # of another repository, or of a branch that is gone
                return point
        commit = self._known[point.commit]
        url = None if self._shown_at is None else f"{self._shown_at}{commit.id}"
        return msgspec.structs.replace(point, subject=commit.subject, url=url)
