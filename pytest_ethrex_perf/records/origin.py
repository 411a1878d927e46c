"""Where base, head and the run itself come from, as people know it: commits, a pull request, a job of a CI.

Strict about addresses when read: reports link to them, and a file may come from anywhere.
"""

from __future__ import annotations

import re
from typing import TypeGuard

from pytest_ethrex_perf.records.measurement import Record

_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9._~%/+=&?#!,:-]*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LONGEST = 2_000  # characters of an address
_SHORT = 8  # hex digits of a commit that people read


def is_url(text: object) -> TypeGuard[str]:
    """Whether `text` may be linked to: http(s), no credentials, nothing that markup could be closed by."""
    return isinstance(text, str) and len(text) <= _LONGEST and _URL.fullmatch(text) is not None


def is_commit(text: object) -> TypeGuard[str]:
    """Whether `text` is the whole hash of a commit."""
    return isinstance(text, str) and _COMMIT.fullmatch(text) is not None


def check_url(text: str | None) -> None:
    """Raise ValueError for an address that nobody should follow."""
    if text is not None and not is_url(text):
        raise ValueError(f"{text[:80]!r} is no address that a report may link to")


class Source(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The commit that a program was built from."""

    commit: str
    """Its whole hash."""
    subject: str = ""
    """The first line of its message."""
    branch: str = ""
    """As its repository or the CI calls it: `main`, `origin/main`."""
    time: str = ""
    """When it was committed, ISO 8601."""
    dirty: bool = False
    """The files differed from the commit's."""
    merged: str | None = None
    """Where a CI has merged a pull request into its target for this run: the commit that was merged, whose
    `subject`, `branch` and `url` these are."""
    by_ci: bool = False
    """The program does not tell its commit; this is what the CI checked out."""
    url: str | None = None
    """Where it is shown."""
    harness: str = ""
    """What it was built with, where that is a repository of its own: `ethrex-replay 5a7bcf7 "Subject"`."""
    ahead: int | None = None
    """Of base: the commits that head has not. None where that is not known."""
    behind: int | None = None
    """Of base: the commits that only head has."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no commit, and for an address that nobody should follow."""
        for commit in (self.commit, self.merged or self.commit):
            if not is_commit(commit):
                raise ValueError(f"{commit[:80]!r} is no commit")
        check_url(self.url)

    @property
    def short(self) -> str:
        """The commit as people read it: of a merge that a CI made, the one that was merged."""
        return (self.merged or self.commit)[:_SHORT]


class Change(Record, frozen=True, kw_only=True):
    """A pull request of GitHub, or a merge request of GitLab."""

    name: str
    """`#1234`, `!12`."""
    title: str = ""
    """As its author wrote it."""
    into: str = ""
    """The branch that it goes into."""
    url: str | None = None
    """Where it is shown."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that nobody should follow."""
        check_url(self.url)


class Job(Record, frozen=True, kw_only=True):
    """The run of a CI that measured."""

    url: str | None = None
    """Where it is shown."""
    artifacts: str | None = None
    """Where its artifacts are listed."""
    change: Change | None = None
    """What it was started for."""
    commit: Source | None = None
    """What it checked out, whatever was measured."""

    def __post_init__(self) -> None:
        """Raise ValueError for addresses that nobody should follow."""
        check_url(self.url)
        check_url(self.artifacts)


class Origin(Record, frozen=True, kw_only=True):
    """All that is known of where a run and its programs come from."""

    builds: dict[str, Source] = {}
    """By the sha256 of a program."""
    job: Job | None = None
    """None of a run by hand."""
