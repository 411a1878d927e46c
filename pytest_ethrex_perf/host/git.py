"""Asking git: which commit a revision names, what it says of itself, and how commits lie to each other.

Nothing here writes into the repository that is asked. git runs in an environment of ours: another
repository that a hook has set (`GIT_DIR`), a pager, a prompt or another language never reaches it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.host import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_ethrex_perf.host.process import Finished

TIMEOUT_S = 1800.0
"""Of one call: a first checkout, or submodules that are cloned."""
_KEPT = ("GIT_CONFIG", "GIT_SSH", "GIT_SSL", "GIT_HTTP", "GIT_ASKPASS", "GIT_EXEC_PATH", "GIT_PROXY")
"""Beginnings of the variables that say how git works, and not on which repository."""
_SET = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}
_SETTINGS = (
    "core.hooksPath=/dev/null",  # what users have set up for their own commits and checkouts
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
    "core.quotePath=false",
)
_TARGETS = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
"""Where GitHub and GitLab say into which branch a pull or merge request goes."""
_DEFAULT_BRANCHES = ("origin/main", "origin/master", "main", "master")
_DEEPEN = (
    "the repository is shallow: git fetch --unshallow (in a GitHub workflow: actions/checkout with "
    "fetch-depth: 0)"
)
_BRANCHES = ("refs/heads/", "refs/remotes/")
_LONGEST = 300  # characters of what git says


class GitError(EthrexPerfError):
    """What git could not tell or do, in one line with what to type."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit."""

    id: str
    tree: str
    subject: str
    committed: str
    """By its committer, ISO 8601."""
    authored: str
    """Of its author, ISO 8601."""
    parents: tuple[str, ...] = ()

    @property
    def date(self) -> str:
        """The day of its committer, `2026-01-31`."""
        return self.committed[:10]

    @property
    def short(self) -> str:
        """The first ten digits of its hash."""
        return self.id[:10]


class Git:
    """Runs git in one directory."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self.environ = environment(environ)
        if shutil.which("git", path=environ.get("PATH", os.defpath)) is None:
            raise GitError("git is not on PATH: install it, or give the path of a built program")

    def run(self, *words: str, extra: Mapping[str, str] | None = None) -> Finished:
        """Run `git WORDS`, with further variables of the environment; raises `MeasurementError`."""
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        return process.run(
            ["git", *settings, *words],
            environ={**self.environ, **(extra or {})},
            timeout=TIMEOUT_S,
            cwd=self.directory,
            is_measured=False,
        )

    def output(self, *words: str, extra: Mapping[str, str] | None = None) -> str:
        """Return what `git WORDS` prints, without the last newline; raises `GitError` where it fails."""
        finished = self.run(*words, extra=extra)
        if finished.returncode:
            raise GitError(f"{self.directory}: git {words[0]} failed: {message(finished)}")
        return finished.stdout.removesuffix("\n")

    def succeeds(self, *words: str) -> bool:
        """Whether `git WORDS` ends with exit code 0."""
        return self.run(*words).returncode == 0


class Repository(Git):
    """The repository that a directory lies in; raises `GitError` where there is none."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        super().__init__(directory, environ)
        if not directory.is_dir():
            raise GitError(f"{directory}: there is no such directory: give that of a git repository")
        finished = self.run("rev-parse", "--git-common-dir", "--is-bare-repository")
        if finished.returncode:
            raise GitError(f"{directory} is no git repository that can be read: {message(finished)}")
        common, bare = finished.stdout.splitlines()[:2]
        self.common = Path(os.path.realpath(directory / common))
        """The directory that its worktrees share: with the same one they are the same repository."""
        self.top = directory if bare == "true" else Path(self.output("rev-parse", "--show-toplevel"))
        self._environ = environ
        self._is_bare = bare == "true"

    @property
    def name(self) -> str:
        """What people call it."""
        return (self.common.parent if self.common.name == ".git" else self.common).name

    @property
    def objects(self) -> Path:
        """Where its objects are."""
        return self.common / "objects"

    def worktree(self) -> Path:
        """The folder of files that the directory lies in; raises `GitError` for a bare repository."""
        if self._is_bare:
            raise GitError(f"{self.directory} is a bare repository: there are no files that differ from it")
        return self.top

    @property
    def is_shallow(self) -> bool:
        """Whether its history is cut off."""
        return (self.common / "shallow").exists()

    @property
    def is_partial(self) -> bool:
        """Whether objects of its history are fetched when they are needed."""
        return self.succeeds("config", "--get-regexp", r"^remote\..*\.promisor$")

    @property
    def url(self) -> str:
        """Where relative URLs of its submodules start: its origin, or else itself."""
        finished = self.run("config", "--get", "remote.origin.url")
        return finished.stdout.strip() if finished.returncode == 0 else str(self.top)

    def commit(self, revision: str) -> Commit:
        """The commit that `revision` names; raises `GitError` that says what to type."""
        found = self._id(revision)
        if found is None:
            hint = _DEEPEN if self.is_shallow else self._hint(revision)
            raise GitError(f"{revision!r} names no commit of {self.top}: {hint}")
        line = self.output("show", "-s", "--format=%H%x00%T%x00%cI%x00%aI%x00%P%x00%s", found, "--")
        name, tree, committed, authored, parents, subject = line.split("\0", 5)
        return Commit(name, tree, " ".join(subject.split()), committed, authored, tuple(parents.split()))

    def has(self, commit: str) -> bool:
        """Whether it has the commit of this whole hash; nothing is fetched."""
        return not self.run(
            "cat-file", "-e", f"{commit}^{{commit}}", extra={"GIT_NO_LAZY_FETCH": "1"}
        ).returncode

    def branch(self, revision: str) -> str:
        """The branch that `revision` is the name of, `main` or `origin/main`; empty where it is none's.

        `HEAD` names the branch that is checked out.
        """
        if self._id(revision) is None:
            return ""
        name = self.run("rev-parse", "--symbolic-full-name", revision).stdout.strip()
        return next((name.removeprefix(kind) for kind in _BRANCHES if name.startswith(kind)), "")

    @property
    def has_changes(self) -> bool:
        """Whether files of its worktree differ from what is checked out; nothing is written."""
        return not self._is_bare and bool(self.output("status", "--porcelain", "--untracked-files=no"))

    def is_published(self, commit: str) -> bool:
        """Whether a remote had `commit` when this repository last heard of it."""
        remote = self.output("for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes")
        return self.is_shallow or bool(remote)

    def _id(self, revision: str) -> str | None:
        """The commit that `revision` names, None where it names none."""
        if not revision.strip() or revision.startswith("-"):  # no name begins like an option
            return None
        finished = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return None if finished.returncode else finished.stdout.strip()

    def _hint(self, revision: str) -> str:
        if "/" in revision:
            remote, _, branch = revision.partition("/")
            return f"git fetch {remote} {branch}, or see git branch --all"
        return "see git branch --all and git tag, or git fetch first"

    def default_branch(self) -> str:
        """The branch that pull requests go into; raises `GitError` where none is found.

        The CI of a pull or merge request says it; else the remote's HEAD, then the usual names.
        """
        variable = next((name for name in _TARGETS if self._environ.get(name)), "")
        if target := self._environ.get(variable):
            candidates: tuple[str, ...] = (f"origin/{target}", target)
        else:
            candidates = (*self._remote_heads(), *_DEFAULT_BRANCHES)
        for candidate in candidates:
            if self._id(candidate) is not None:
                return candidate
        if target:
            hint = _DEEPEN if self.is_shallow else f"git fetch origin {target}"
            raise GitError(f"the target branch {target} ({variable}) is not here: {hint}")
        raise GitError(
            f"which branch is the default one of {self.top} is not known: git remote set-head origin --auto, "
            "or name the base itself: git:REV"
        )

    def _remote_heads(self) -> Iterator[str]:
        remotes = self.output("remote").split()
        for remote in sorted(remotes, key=lambda name: name != "origin"):
            finished = self.run("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
            if finished.returncode == 0:
                yield finished.stdout.strip()

    def merge_base(self, head: str) -> Commit:
        """The newest commit that `head` and the default branch have in common; raises `GitError`."""
        branch = self.default_branch()
        finished = self.run("merge-base", branch, head)
        if finished.returncode:
            hint = _DEEPEN if self.is_shallow else "name the base itself: git:REV"
            raise GitError(f"{branch} and {head[:12]} have no commit in common in {self.top}: {hint}")
        return self.commit(finished.stdout.split()[0])

    def apart(self, base: str, head: str) -> tuple[int, int] | None:
        """How many commits only `head` has, and how many only `base`; None where history is cut off."""
        if self.is_shallow:
            return None
        counts = self.output("rev-list", "--left-right", "--count", f"{base}...{head}", "--").split()
        return int(counts[1]), int(counts[0])


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without what would point git to another repository, and without its language."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return {**kept, **_SET}


def message(finished: Finished) -> str:
    """What git says of its failure, in one line."""
    if "dubious ownership" in finished.stderr:
        return "it belongs to another user: git config --global --add safe.directory and its path"
    if finished.timed_out:
        return f"it took more than {TIMEOUT_S:.0f} s"
    lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith("fatal:")] or lines[-1:]
    return " / ".join(telling)[:_LONGEST] or f"exit code {finished.returncode}"
