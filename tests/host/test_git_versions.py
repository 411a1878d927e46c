from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host.git import GitError, Repository
from pytest_ethrex_perf.host.git_versions import Blobs, versions
from tests.git_repositories import GitRepository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> GitRepository:
    """`kept/a` was 1, 2, nothing, 4 and, on a branch that was merged, 5 and 6; `kept/b` was 1."""
    repository = GitRepository(tmp_path / "made")
    (repository.path / "kept").mkdir()

    def commit(name: str, text: str) -> None:
        file = repository.path / "kept" / name
        if text:
            file.write_text(text)
        else:
            file.unlink()
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message", text or "gone")

    for text in ("1\n", "2\n", "", "4\n"):
        commit("a", text)
    repository.git("switch", "--quiet", "--create", "branch")
    commit("a", "5\n")
    commit("a", "6\n")
    repository.git("switch", "--quiet", "main")
    commit("b", "1\n")
    repository.git("merge", "--quiet", "--no-edit", "branch")
    return repository


def test_versions_follow_each_other_on_the_branch_that_is_checked_out(made: GitRepository) -> None:
    repository = Repository(made.path / "kept", os.environ)
    with Blobs(repository) as blobs:
        read = {
            path: [blobs.read(blob).decode() for blob in each] for path, each in versions(repository).items()
        }
    assert read == {"a": ["1\n", "2\n", "4\n", "6\n"], "b": ["1\n"]}


def test_what_is_not_in_the_repository_is_said(made: GitRepository) -> None:
    repository = Repository(made.path, os.environ)
    with Blobs(repository) as blobs, pytest.raises(GitError, match=r"git has no file 0+: git fsck"):
        blobs.read("0" * 40)


def test_a_partial_clone_is_not_asked_for_what_it_would_have_to_fetch(made: GitRepository) -> None:
    made.git("config", "remote.origin.promisor", "true")
    with pytest.raises(GitError, match="partial clone: git fetch --refetch"):
        versions(Repository(made.path, os.environ))


def test_without_a_commit_there_is_no_version(tmp_path: Path) -> None:
    empty = GitRepository(tmp_path / "empty")
    with pytest.raises(GitError, match="git log"):
        versions(Repository(empty.path, os.environ))
