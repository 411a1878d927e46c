"""`git bisect` in a directory of its own, over histories of every shape."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.gate.bisection import Bisection, Found, History, ToTest
from pytest_ethrex_perf.host.git import GitError, Repository
from tests.gate.line import Line

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.search import Side


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """Three commits, a branch of two that is merged, and one after it."""
    line = Line(tmp_path / "repository")
    for number in range(3):
        line.commit(f"Main {number}")
    line.git("branch", "-M", "main")
    line.git("switch", "--quiet", "--create", "side", "HEAD~1")
    line.commit("Side 3")
    line.commit("Side 4")
    line.git("switch", "--quiet", "main")
    line.git("merge", "--quiet", "--no-ff", "--no-edit", "side")
    line.ids.append(line.git("rev-parse", "HEAD").strip())
    line.commit("Main 6")
    return line


def search(repository: Path, folder: Path, good: str, slow: str, *, first_parent: bool = True) -> Found:
    """Search for `slow`; what contains it is bad."""
    history = History(Repository(repository, os.environ))
    bisection = Bisection(history.repository, folder)
    bad = history.commit("HEAD").id
    position = bisection.start(good, bad, first_parent=first_parent)
    while isinstance(position, ToTest):
        side: Side = "bad" if history.is_ancestor(slow, position.commit) else "good"
        position = bisection.answer(position.commit, side)
    return position


def test_first_parents_find_the_merge_and_all_parents_the_commit_in_it(line: Line, tmp_path: Path) -> None:
    good, slow, merge = line.ids[0], line.ids[3], line.ids[5]
    assert search(line.path, tmp_path / "git", good, slow) == Found((merge,))
    assert search(line.path, tmp_path / "git", good, slow, first_parent=False) == Found((slow,))


def test_history_knows_what_lies_between(line: Line) -> None:
    history = History(Repository(line.path, os.environ))
    good, bad = line.ids[0], line.ids[6]
    merge = line.ids[5]
    assert history.between(good, bad, first_parent=True) == [*line.ids[1:3], merge, bad]
    assert set(history.between(good, bad, first_parent=False)) == set(line.ids[1:])
    assert history.commit(merge).parents == (line.ids[2], line.ids[4])
    assert history.commit("side").subject == "Side 4"
    with pytest.raises(GitError, match="names no commit"):
        history.commit("--all")


@pytest.mark.parametrize("kind", ["shallow", "worktree", "bare"])
def test_every_kind_of_repository_is_searched(line: Line, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other"
    words = {
        "shallow": ("clone", "--quiet", "--depth=4", f"file://{line.path}", str(other)),
        "worktree": ("worktree", "add", "--quiet", "--detach", str(other), "main"),
        "bare": ("clone", "--quiet", "--bare", str(line.path), str(other)),
    }
    line.git(*words[kind])
    assert search(other, tmp_path / "git", line.ids[1], line.ids[2]) == Found((line.ids[2],))
