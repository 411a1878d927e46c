"""`git:REV`: which commits it names, how they are called, and what it must not name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline.revisions import Revisions
from pytest_ethrex_perf.errors import UsageError
from tests.git_repositories import WHO, GitRepository, table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def engine(tmp_path: Path) -> GitRepository:
    """A branch that has left main two commits ago, and a main that has gone on."""
    repository = GitRepository(tmp_path / "engine")
    repository.commit("First", a="1")
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit("On work", b="1")
    repository.commit("More work", b="2")
    repository.git("checkout", "--quiet", "main")
    repository.commit("Second", a="2")
    return repository


@pytest.fixture
def revisions(engine: GitRepository, tmp_path: Path) -> Revisions:
    return Revisions(
        table(engine.path, command="make"),
        cwd=engine.path,
        environ={**os.environ, **WHO},
        snapshots=tmp_path / "snapshots",
    )


def test_the_merge_base_is_that_of_head_where_head_is_a_revision(
    engine: GitRepository, revisions: Revisions
) -> None:
    head = revisions.resolve("git:work", "head", "--ethrex-replay")
    base = revisions.resolve("git:merge-base", "base", "--ethrex-base", head=head)
    assert base.commit == engine.git("rev-parse", "main~1")
    alone = revisions.resolve("git:merge-base", "base", "--ethrex-base")
    assert alone.commit == engine.git("rev-parse", "main")


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        ("main~1", "work", "2 commits after base"),
        ("main", "main~1", "1 commit before base"),
        ("main", "work", "2 commits that base has not, and without 1 commit of base"),
        ("main", "main", "base's commit"),
        ("main", "WORKTREE", "base's commit with uncommitted changes"),
    ],
)
def test_how_two_revisions_lie_is_said(
    engine: GitRepository, revisions: Revisions, base: str, head: str, words: str
) -> None:
    engine.write("new", "")
    sides = (revisions.resolve(f"git:{name}", "head", "--ethrex-replay") for name in (base, head))
    assert revisions.apart(*sides) == words


def test_a_subject_is_one_plain_line(engine: GitRepository, revisions: Revisions) -> None:
    engine.commit("\x1b[31mred\u202e " + "long " * 40)
    label = revisions.resolve("git:HEAD", "head", "--ethrex-replay").label
    assert label.isprintable()
    assert '"?[31mred? long' in label
    assert len(label) < 110


def test_what_names_the_commit_tomorrow(engine: GitRepository, revisions: Revisions) -> None:
    pinned = revisions.resolve("git:HEAD", "head", "--ethrex-replay").pinned
    assert pinned == f"git:{engine.git('rev-parse', 'HEAD')[:12]}"
    engine.write("new", "")
    assert revisions.resolve("git:WORKTREE", "head", "--ethrex-replay").pinned == "git:WORKTREE"


def test_a_harness_that_there_is_not_cannot_be_named(revisions: Revisions) -> None:
    told = r"^--ethrex-base git:main,harness:x: it names a harness, and .*\[build\] has no harness$"
    with pytest.raises(UsageError, match=told):
        revisions.resolve("git:main,harness:x", "base", "--ethrex-base")


def test_a_submodule_with_changes_of_its_own_is_refused(
    engine: GitRepository, revisions: Revisions, tmp_path: Path
) -> None:
    library = GitRepository(tmp_path / "library")
    library.commit("A library", c="1")
    words = ("submodule", "--quiet", "add", str(library.path), "lib")
    engine.git("-c", "protocol.file.allow=always", *words)
    engine.commit("Use it")
    engine.write("lib/c", "edited")
    with pytest.raises(UsageError, match="lib: a submodule with changes of its own: commit them there first"):
        revisions.resolve("git:WORKTREE", "head", "--ethrex-replay")
