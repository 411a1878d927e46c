"""`git:REV`: which commit of which repository a program is built from, asked of git before it is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.parsers import REVISION
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.host import checkout
from pytest_ethrex_perf.host.git import GitError, Repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_ethrex_perf.config.build_table import BuildTable
    from pytest_ethrex_perf.host.git import Commit
    from pytest_ethrex_perf.records.measurement import Side

WORKTREE, MERGE_BASE = "WORKTREE", "merge-base"
HARNESS = ",harness:"
"""Between the two revisions of `git:REV,harness:REV`; no name of a branch or tag holds a colon."""
SHORT = 7  # hex digits of a commit that people read
_PINNED = 12  # of one that is typed again
_LONGEST_SUBJECT = 72


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one repository that a program is built from."""

    repository: Repository
    commit: Commit
    """Of a dirty tree the commit that it differs from."""
    tree: str
    dirty: bool = False
    """The tree is what lies in the user's worktree, and no commit's."""

    def __str__(self) -> str:
        """`1a2b3c4 "Subject" 2026-01-31`."""
        subject = "".join(letter if letter.isprintable() else "?" for letter in self.commit.subject)
        if len(subject) > _LONGEST_SUBJECT:
            subject = f"{subject[: _LONGEST_SUBJECT - 1]}…"
        changes = " with uncommitted changes" if self.dirty else ""
        return f'{self.commit.id[:SHORT]} "{subject}" {self.commit.date}{changes}'


@dataclass(frozen=True, slots=True)
class Revision:
    """What a program is built from."""

    spec: str
    """As the user wrote it: `git:HEAD`."""
    source: Source
    harness: Source | None = None

    @property
    def label(self) -> str:
        """One line that names it: `git:HEAD 1a2b3c4 "Subject" 2026-01-31`."""
        beside = "" if self.harness is None else f", {self.harness.repository.name} {self.harness}"
        return f"{self.spec.partition(HARNESS)[0]} {self.source}{beside}"

    @property
    def pinned(self) -> str:
        """A spec that names the same commits whatever branches and HEAD will be: `git:1a2b3c4d5e6f`."""
        name = WORKTREE if self.source.dirty else self.source.commit.id[:_PINNED]
        if self.harness is None:
            return f"{REVISION}{name}"
        harness = WORKTREE if self.harness.dirty else self.harness.commit.id[:_PINNED]
        return f"{REVISION}{name}{HARNESS}{harness}"

    @property
    def dirty(self) -> bool:
        """Whether anything in it is no commit's."""
        return self.source.dirty or (self.harness is not None and self.harness.dirty)

    @property
    def commit(self) -> str | None:
        """The commit that it is, of the repository that `[build]` names; None of a dirty tree."""
        return None if self.source.dirty else self.source.commit.id


class Revisions:
    """Resolves revisions of the repositories that `[build]` names.

    `snapshots` is where the files of dirty trees are written to.
    """

    def __init__(self, table: BuildTable, *, cwd: Path, environ: Mapping[str, str], snapshots: Path) -> None:
        self.snapshots = snapshots
        self._table = table
        self._cwd = cwd
        self._environ = environ
        self._repositories: dict[Path, Repository] = {}

    def resolve(self, spec: str, side: Side, option: str, *, head: Revision | None = None) -> Revision:
        """The revision that `spec` names for `side`; raises `UsageError` that names `option`.

        `git:merge-base` is that of the default branch and `head`, or else of HEAD.
        """
        name, _, harness_name = spec.removeprefix(REVISION).partition(HARNESS)
        harness = self._table.harness
        if harness_name and harness is None:
            raise UsageError(f"{option} {spec}: it names a harness, and {self._table.where} has no harness")
        try:
            source = self._source(self._table.repository or self._cwd, name, head.source if head else None)
            if harness is None:
                return Revision(spec, source)
            beside = head.harness if head else None
            harness_name = harness_name or harness.revisions[side]
            return Revision(spec, source, self._source(harness.repository, harness_name, beside))
        except GitError as error:
            raise UsageError(f"{option} {spec}: {error}") from None

    def apart(self, base: Revision, head: Revision) -> str:
        """How base and head lie to each other, in words: `3 commits after base`."""
        return _words(base.source, head.source)

    def _source(self, directory: Path, name: str, head: Source | None) -> Source:
        repository = self._repository(directory)
        if name == WORKTREE:
            commit = repository.commit("HEAD")
            tree = checkout.snapshot(repository, self.snapshots)
            return Source(repository, commit, tree, dirty=tree != commit.tree)
        if name == MERGE_BASE:
            commit = repository.merge_base(head.commit.id if head is not None else "HEAD")
        else:
            commit = repository.commit(name)
        return Source(repository, commit, commit.tree)

    def _repository(self, directory: Path) -> Repository:
        if directory not in self._repositories:
            self._repositories[directory] = Repository(directory, self._environ)
        return self._repositories[directory]


def _words(base: Source, head: Source) -> str:
    if base.commit.id == head.commit.id:
        return "base's commit with uncommitted changes" if head.tree != base.tree else "base's commit"
    try:
        apart = head.repository.apart(base.commit.id, head.commit.id)
    except GitError:
        apart = None
    if apart is None:
        return "not base's commit; how many commits apart is not known: the repository is shallow"
    ahead, behind = apart
    if not behind:
        return f"{_count(ahead)} after base"
    if not ahead:
        return f"{_count(behind)} before base"
    return f"{_count(ahead)} that base has not, and without {_count(behind)} of base"


def _count(commits: int) -> str:
    return f"{commits} commit{'s' if commits != 1 else ''}"
