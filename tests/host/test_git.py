"""Asking git: which commit a name means, where the merge base is, and what to type where it can't say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host.git import GitError, Repository
from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRON = {**os.environ, **WHO}


@pytest.fixture
def upstream(tmp_path: Path) -> GitRepository:
    """Two commits on main, one of them on `work` alone, and one on `old` that goes on from the first."""
    repository = GitRepository(tmp_path / "upstream")
    repository.commit("First", a="1")
    repository.git("branch", "old")
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit("On work", b="1")
    repository.git("checkout", "--quiet", "main")
    repository.commit("Second", a="2")
    return repository


def asked(repository: GitRepository, environ: Mapping[str, str] = ENVIRON) -> Repository:
    return Repository(repository.path, environ)


def clone(upstream: GitRepository, *options: str) -> GitRepository:
    path = upstream.path.with_name("clone")
    upstream.git("clone", "--quiet", *options, upstream.path.as_uri(), str(path))
    copy = GitRepository.__new__(GitRepository)
    copy.path = path
    return copy


def test_a_commit_says_what_it_is(upstream: GitRepository) -> None:
    commit = asked(upstream).commit("main")
    assert commit.id == upstream.git("rev-parse", "main")
    assert commit.tree == upstream.git("rev-parse", "main^{tree}")
    assert (commit.subject, commit.date) == ("Second", "2026-01-02")


@pytest.mark.parametrize("revision", ["mian", "main..work", "--all", "", "HEAD:a", "main^{tree}"])
def test_what_names_no_commit_is_refused(upstream: GitRepository, revision: str) -> None:
    with pytest.raises(GitError, match=f"names no commit of {upstream.path}: see git branch --all"):
        asked(upstream).commit(revision)


def test_the_environment_of_a_hook_does_not_count(upstream: GitRepository) -> None:
    environ = {
        **ENVIRON,
        "GIT_DIR": "/nonexistent",
        "GIT_INDEX_FILE": "/nonexistent",
        "LC_ALL": "de_DE.UTF-8",
    }
    assert asked(upstream, environ).commit("HEAD").subject == "Second"


def test_the_merge_base_is_that_of_the_default_branch(upstream: GitRepository) -> None:
    upstream.git("checkout", "--quiet", "work")
    assert asked(upstream).merge_base("HEAD").subject == "First"


def test_the_default_branch_is_the_remotes_head(upstream: GitRepository) -> None:
    upstream.git("branch", "--move", "main", "trunk")
    copy = clone(upstream)
    copy.git("checkout", "--quiet", "-b", "main", "origin/old")
    assert asked(copy).default_branch() == "origin/trunk"


@pytest.mark.parametrize("variable", ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"])
def test_on_a_pull_or_merge_request_it_is_its_target(upstream: GitRepository, variable: str) -> None:
    copy = clone(upstream)
    assert asked(copy, {**ENVIRON, variable: "old"}).default_branch() == "origin/old"
    with pytest.raises(GitError, match=rf"gone \({variable}\) is not here: git fetch origin gone"):
        asked(copy, {**ENVIRON, variable: "gone"}).merge_base("HEAD")


def test_commits_apart_are_counted(upstream: GitRepository) -> None:
    repository = asked(upstream)
    assert repository.apart("old", "main") == (1, 0)
    assert repository.apart("main", "work") == (1, 1)


def test_a_shallow_clone_says_how_to_deepen_it(upstream: GitRepository) -> None:
    copy = asked(clone(upstream, "--depth=1"))
    assert copy.commit("HEAD").subject == "Second"
    assert copy.apart("HEAD", "HEAD") is None
    for revision in ("HEAD~1", "work"):
        with pytest.raises(GitError, match=r"git fetch --unshallow \(in a GitHub .*fetch-depth: 0\)"):
            copy.commit(revision)


def test_a_shallow_checkout_of_a_pull_request_says_how_to_deepen_it(upstream: GitRepository) -> None:
    copy = asked(clone(upstream, "--depth=1", "--branch=work"), {**ENVIRON, "GITHUB_BASE_REF": "main"})
    with pytest.raises(GitError, match=r"main \(GITHUB_BASE_REF\) is not here: .*fetch-depth: 0"):
        copy.merge_base("HEAD")


def test_unrelated_histories_have_no_merge_base(upstream: GitRepository) -> None:
    upstream.git("checkout", "--quiet", "--orphan", "other")
    upstream.commit("Unrelated")
    with pytest.raises(GitError, match=r"have no commit in common in .*: name the base itself: git:REV"):
        asked(upstream).merge_base("HEAD")


def test_a_folder_without_a_repository_is_said(tmp_path: Path) -> None:
    environ = {**ENVIRON, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    with pytest.raises(GitError, match="is no git repository that can be read: fatal: not a git repository"):
        Repository(tmp_path, environ)
    with pytest.raises(GitError, match="there is no such directory"):
        Repository(tmp_path / "nowhere", environ)


def test_without_git_it_says_so(upstream: GitRepository) -> None:
    with pytest.raises(GitError, match="git is not on PATH: install it, or give the path of a built program"):
        Repository(upstream.path, {"PATH": "/nonexistent"})
