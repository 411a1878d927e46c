"""A checkout that borrows the user's objects: moved from revision to revision, with what belongs to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host import checkout
from pytest_ethrex_perf.host.checkout import Checkout
from pytest_ethrex_perf.host.git import GitError, Repository
from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ENVIRON = {**os.environ, **WHO}
LOCAL = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    repository = GitRepository(tmp_path / "repository")
    repository.commit("First", a="1", b="1", _gitignore="*.o\n")
    return repository


def add_submodule(repository: GitRepository, library: GitRepository) -> None:
    words = ("submodule", "--quiet", "add", str(library.path), "lib")
    repository.git("-c", "protocol.file.allow=always", *words)
    repository.commit("Use it")


@pytest.fixture
def move(repository: GitRepository, tmp_path: Path) -> Callable[..., Path]:
    """Move the checkout to a revision; return its directory."""

    def moved(revision: str = "HEAD", environ: Mapping[str, str] = ENVIRON) -> Path:
        asked = Repository(repository.path, environ)
        place = Checkout(tmp_path / "checkout", asked, tmp_path / "snapshots", environ)
        commit = asked.commit(revision)
        place.move(commit.id, commit.tree)
        return place.directory

    return moved


def test_only_what_differs_is_written(repository: GitRepository, move: Callable[..., Path]) -> None:
    directory = move()
    before = (directory / "b").stat().st_mtime_ns
    repository.commit("Second", a="2")
    assert move() == directory
    assert (directory / "a").read_text() == "2"
    assert (directory / "b").stat().st_mtime_ns == before


def test_what_a_build_left_there_does_not_count(repository: GitRepository, move: Callable[..., Path]) -> None:
    directory = move()
    (directory / "a").write_text("edited by a build")
    (directory / "generated").write_text("")
    (directory / "kept.o").write_text("")
    move()
    assert (directory / "a").read_text() == "1"
    assert not (directory / "generated").exists()
    assert (directory / "kept.o").exists()
    assert repository.git("status", "--porcelain") == ""


def test_a_checkout_that_was_interrupted_goes_on(move: Callable[..., Path]) -> None:
    directory = move()
    (directory / ".git" / "index.lock").write_text("")
    move()


def test_git_in_it_says_the_commit(repository: GitRepository, move: Callable[..., Path]) -> None:
    directory = move()
    inside = Repository(directory, ENVIRON)
    assert inside.output("rev-parse", "HEAD") == repository.git("rev-parse", "HEAD")
    assert inside.output("status", "--porcelain") == ""


def test_a_shallow_clone_is_checked_out(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit("Second", a="2")
    path = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(path))
    asked = Repository(path, ENVIRON)
    place = Checkout(tmp_path / "checkout", asked, tmp_path / "snapshots", ENVIRON)
    place.move(asked.commit("HEAD").id, asked.commit("HEAD").tree)
    assert (place.directory / "a").read_text() == "2"
    assert "Second" in Repository(place.directory, ENVIRON).output("log", "--oneline")


def test_a_partial_clone_without_the_files_says_what_to_type(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.commit("Second", a="2")
    repository.commit("Third", a="3")
    repository.git("config", "uploadpack.allowFilter", "true")
    path = tmp_path / "clone"
    repository.git("clone", "--quiet", "--filter=blob:none", repository.path.as_uri(), str(path))
    asked = Repository(path, ENVIRON)
    place = Checkout(tmp_path / "checkout", asked, tmp_path / "snapshots", ENVIRON)
    second = asked.commit("HEAD~1")
    with pytest.raises(GitError, match=r"cannot be checked out: .*partial clone: git fetch --refetch --no-f"):
        place.move(second.id, second.tree)
    asked.output("fetch", "--refetch", "--no-filter")
    place.move(second.id, second.tree)
    assert (place.directory / "a").read_text() == "2"


def test_submodules_come_and_go(repository: GitRepository, move: Callable[..., Path], tmp_path: Path) -> None:
    library = GitRepository(tmp_path / "library")
    library.commit("A library", c="1")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "lib"
    )
    repository.commit("Use it")
    directory = move(environ={**ENVIRON, **LOCAL})
    assert (directory / "lib" / "c").read_text() == "1"
    move("HEAD~1", environ={**ENVIRON, **LOCAL})
    assert not (directory / "lib").exists()


def test_a_submodule_that_cannot_be_had_says_what_to_type(
    repository: GitRepository, move: Callable[..., Path], tmp_path: Path
) -> None:
    library = GitRepository(tmp_path / "library")
    library.commit("A library", c="1")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "lib"
    )
    repository.commit("Use it")
    library.path.rename(tmp_path / "gone")
    with pytest.raises(GitError, match=r"submodules cannot be checked out: .*git submodule update --init"):
        move(environ={**ENVIRON, **LOCAL})


def test_files_of_lfs_need_it(repository: GitRepository, move: Callable[..., Path]) -> None:
    repository.write("data/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    repository.commit("Keep files elsewhere")
    git = Repository(repository.path, ENVIRON)
    if git.succeeds("lfs", "version"):
        pytest.skip("git-lfs is installed")
    with pytest.raises(GitError, match="keeps files in git-lfs, which is not installed: install git-lfs, "):
        move()


def test_a_snapshot_holds_what_lies_there(repository: GitRepository, tmp_path: Path) -> None:
    asked = Repository(repository.path, ENVIRON)
    assert checkout.snapshot(asked, tmp_path / "snapshots") == asked.commit("HEAD").tree
    repository.write("a", "edited")
    repository.write("new/file", "new")
    repository.write("ignored.o", "")
    (repository.path / "b").unlink()
    repository.git("add", "new")
    index = (repository.path / ".git" / "index").read_bytes()
    objects = sorted((repository.path / ".git" / "objects").rglob("*"))
    tree = checkout.snapshot(asked, tmp_path / "snapshots")
    place = Checkout(tmp_path / "checkout", asked, tmp_path / "snapshots", ENVIRON)
    place.move(asked.commit("HEAD").id, tree)
    assert (place.directory / "a").read_text() == "edited"
    assert (place.directory / "new" / "file").read_text() == "new"
    assert not (place.directory / "ignored.o").exists()
    assert not (place.directory / "b").exists()
    assert (repository.path / ".git" / "index").read_bytes() == index
    assert sorted((repository.path / ".git" / "objects").rglob("*")) == objects
