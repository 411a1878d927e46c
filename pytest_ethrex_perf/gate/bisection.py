"""The history of a repository, and `git bisect` over a part of it, in a git directory of its own.

Nothing is checked out and nothing in the user's repository is changed: git bisect keeps its state in a
directory elsewhere, which borrows the repository's objects.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_ethrex_perf.host.git import Git, GitError, message

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.host.git import Commit, Repository
    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.search import Side

_FOUND = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit$", re.MULTILINE)
_CANDIDATE = re.compile(r"^[0-9a-f]{40,64}$", re.MULTILINE)
_ONLY_SKIPPED = 2  # git-bisect's exit code where all that is left was skipped


@dataclass(frozen=True, slots=True)
class ToTest:
    """git bisect asks for this commit next."""

    commit: str


@dataclass(frozen=True, slots=True)
class Found:
    """The first bad commit; or those that may be it, the oldest first, where skipped ones are among them."""

    candidates: tuple[str, ...]


Position: TypeAlias = ToTest | Found


class History:
    """The commits of a repository; only read."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._commits: dict[str, Commit] = {}

    def commit(self, revision: str) -> Commit:
        """Return the commit that `revision` names; raises `GitError` that says what to type."""
        if revision not in self._commits:
            self._commits[revision] = self.repository.commit(revision)
        return self._commits[revision]

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor`; a commit contains itself."""
        return self.repository.succeeds("merge-base", "--is-ancestor", ancestor, commit)

    def between(self, good: str, bad: str, *, first_parent: bool) -> list[str]:
        """Return the commits of `bad` that `good` does not have, the oldest first; raises `GitError`."""
        follow = ["--first-parent"] if first_parent else []
        words = ("rev-list", "--reverse", "--topo-order", *follow, f"{good}..{bad}", "--")
        return self.repository.output(*words).split()


class Bisection:
    """One `git bisect` between two commits, in `folder`; raises `GitError` for what git refuses."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self._git = Git(repository.directory, repository.environ)

    def start(self, good: str, bad: str, *, first_parent: bool) -> Position:
        """Begin anew between the two, of which `bad` contains `good`."""
        shutil.rmtree(self._folder, ignore_errors=True)
        form = self._repository.output("rev-parse", "--show-object-format")
        words = ("init", "--quiet", "--bare", "--template=", f"--object-format={form}")
        self._git.output(*words, str(self._folder))
        info = self._folder / "objects" / "info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "alternates").write_bytes(os.fsencode(self._repository.objects) + b"\n")
        if self._repository.is_shallow:
            shutil.copyfile(self._repository.common / "shallow", self._folder / "shallow")
        self._run("update-ref", "--no-deref", "HEAD", bad)
        follow = ["--first-parent"] if first_parent else []
        return self._position("start", *follow, "--no-checkout", bad, good, "--")

    def answer(self, commit: str, side: Side) -> Position:
        """Tell git what a commit is; return what follows."""
        return self._position(side, commit)

    def log(self) -> str:
        """Return what `git bisect replay` repeats."""
        return self._run("bisect", "log").stdout

    def _position(self, *words: str) -> Position:
        ran = self._run("bisect", *words, allowed=(0, _ONLY_SKIPPED))
        if match := _FOUND.search(ran.stdout):
            return Found((match[1],))
        if ran.returncode == _ONLY_SKIPPED:
            return Found(tuple(reversed(_CANDIDATE.findall(ran.stdout))))
        return ToTest(self._run("rev-parse", "--verify", "BISECT_HEAD").stdout.strip())

    def _run(self, *words: str, allowed: tuple[int, ...] = (0,)) -> Finished:
        ran = self._git.run(*words, extra={"GIT_DIR": str(self._folder)})
        if ran.returncode not in allowed:
            raise GitError(f"git {' '.join(words[:2])} failed: {message(ran)}")
        return ran
