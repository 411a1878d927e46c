"""A checkout of our own, beside the user's: it borrows their repository's objects and leaves it untouched.

It is moved from revision to revision: git writes the files that differ and no others, so a build in it finds
the times of the others as they were.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.host.git import Git, GitError, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.host.git import Repository

_KEPT_S = 30 * 86_400.0  # an object of a snapshot


class Checkout:
    """The files of one commit or tree of `repository` in `directory`; `snapshots` holds further objects."""

    def __init__(
        self, directory: Path, repository: Repository, snapshots: Path, environ: Mapping[str, str]
    ) -> None:
        self.directory = directory
        self._repository = repository
        self._snapshots = snapshots
        self._environ = environ

    def move(self, commit: str, tree: str) -> None:
        """Have the files of `tree`, with `commit` as HEAD; raises `GitError`.

        Files that are neither in the tree nor ignored are removed: what a build has left there.
        """
        git = self._git()
        self._check_lfs(git, tree)
        finished = git.run("read-tree", "--reset", "-u", tree, extra=self._settings())
        if finished.returncode:
            hint = ""
            if self._repository.is_partial:
                hint = "; the repository is a partial clone: git fetch --refetch --no-filter"
            raise GitError(f"{self._repository.top}: cannot be checked out: {message(finished)}{hint}")
        git.output("update-ref", "--no-deref", "HEAD", commit)
        self._move_submodules(git)
        git.output("clean", "-ffdq")

    def _git(self) -> Git:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        git = Git(self.directory, self._environ)
        own = self.directory / ".git"
        if not own.is_dir():
            form = self._repository.output("rev-parse", "--show-object-format")
            usual = form == "sha1"  # which older versions of git have no word for
            git.output("init", "--quiet", "--template=", *([] if usual else [f"--object-format={form}"]))
        (own / "index.lock").unlink(missing_ok=True)  # of a run that was killed: this folder is ours now
        self._snapshots.mkdir(parents=True, exist_ok=True, mode=0o700)
        info = own / "objects" / "info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "alternates").write_bytes(
            b"".join(os.fsencode(folder) + b"\n" for folder in (self._repository.objects, self._snapshots))
        )
        with suppress(FileNotFoundError):
            (own / "shallow").unlink()
        with suppress(FileNotFoundError):
            shutil.copy(self._repository.common / "shallow", own / "shallow")
        return git

    def _settings(self) -> dict[str, str]:
        """Settings of the user's repository that a checkout needs, as variables: in no file of ours."""
        given = int(self._environ.get("GIT_CONFIG_COUNT") or 0)
        settings = {
            "remote.origin.url": self._repository.url,
            "lfs.storage": str(self._repository.common / "lfs"),
            "submodule.alternateLocation": "superproject",
            "submodule.alternateErrorStrategy": "info",
        }
        variables = {"GIT_CONFIG_COUNT": str(given + len(settings))}
        for number, (key, value) in enumerate(settings.items(), given):
            variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return variables

    def _check_lfs(self, git: Git, tree: str) -> None:
        """Raise `GitError` where files would be pointers to what git-lfs keeps."""
        files = ("--", ".gitattributes", "*/.gitattributes")
        if not git.succeeds("grep", "--quiet", "-I", "-e", "filter=lfs", tree, *files):
            return
        if not git.succeeds("lfs", "version"):
            raise GitError(
                f"{self._repository.top} keeps files in git-lfs, which is not installed: install git-lfs, "
                "then type git lfs install && git lfs fetch"
            )
        if not git.succeeds("config", "--get-regexp", r"^filter\.lfs\.(smudge|process)$"):
            raise GitError(f"{self._repository.top} keeps files in git-lfs: type git lfs install")

    def _move_submodules(self, git: Git) -> None:
        if not (self.directory / ".gitmodules").is_file():
            return
        settings = self._settings()
        git.output("submodule", "--quiet", "sync", "--recursive", extra=settings)
        words = ("submodule", "--quiet", "update", "--init", "--recursive", "--force")
        finished = git.run(*words, extra=settings)
        if finished.returncode:
            raise GitError(
                f"{self._repository.top}: its submodules cannot be checked out: {message(finished)}; try "
                "git submodule update --init --recursive in it, and mend what that says"
            )


def snapshot(repository: Repository, objects: Path) -> str:
    """Return the tree of what lies in the worktree: changed, new and not ignored. Raises `GitError`.

    The user's index is copied, and the new objects are written to `objects`.
    """
    top = repository.worktree()
    _check_submodules(repository, top)
    objects.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_unused(objects)
    index = top / repository.output("rev-parse", "--git-path", "index")
    if not index.is_absolute():
        index = repository.directory / index
    with tempfile.TemporaryDirectory(prefix="ethrex-perf-index-") as folder:
        copy = Path(folder) / "index"
        with suppress(FileNotFoundError):
            shutil.copy2(index, copy)  # with its time: by that git knows which files it must look into
        git = Git(top, repository.environ)
        extra = {
            "GIT_INDEX_FILE": str(copy),
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(repository.objects),
        }
        git.output("add", "--all", extra=extra)
        return git.output("write-tree", extra=extra)


def _remove_unused(objects: Path) -> None:
    """Remove objects that no snapshot of late has held: git renews the time of those that it writes again."""
    for file in objects.glob("[0-9a-f][0-9a-f]/*"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _KEPT_S:
                file.unlink()


def _quoted(path: Path) -> str:
    """A path for a list of paths in git's environment (git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES)."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _check_submodules(repository: Repository, top: Path) -> None:
    if not (top / ".gitmodules").is_file():
        return
    for line in repository.output("status", "--porcelain=v2", "--ignore-submodules=none").splitlines():
        words = line.split(" ", 8)
        if words[0] == "1" and words[2].startswith("S") and ("M" in words[2] or "U" in words[2]):
            raise GitError(f"{top / words[8]}: a submodule with changes of its own: commit them there first")
