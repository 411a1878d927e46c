"""A program as an argument of a command: what pytest's options take, revisions included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.commands import programs
from pytest_ethrex_perf.errors import UsageError
from tests import whole_programs
from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def repository(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A repository in which a command runs, with a program on main and another one on `work`."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    repository = GitRepository(bench.path / "checkout")
    repository.write(
        "ethrex-perf.toml",
        '[build]\ncommand = "cp {source}/program {target}/ethrex-replay"\nartifact = "ethrex-replay"\n',
    )
    for number, branch in enumerate(("main", "work"), 1):
        if branch != "main":
            repository.git("checkout", "--quiet", "-b", branch)
        repository.write("program", f"#!/bin/sh\n{whole_programs.MARK}\necho {number}\n")
        (repository.path / "program").chmod(0o755)
        repository.commit(f"On {branch}")
    monkeypatch.chdir(repository.path)
    return repository


def test_revisions_are_built_for_both_sides(repository: GitRepository) -> None:
    sides = programs.sides("git:HEAD", "git:merge-base", prefix="nice -n 1")
    assert sides["head"].commit == repository.git("rev-parse", "work")
    assert sides["base"].commit == repository.git("rev-parse", "main")
    assert {side.prefix for side in sides.values()} == {("nice", "-n", "1")}


def test_a_revision_and_a_path_stand_side_by_side(repository: GitRepository) -> None:
    sides = programs.sides("./program", "git:main")
    assert sides["head"].command == (str(repository.path / "program"),)
    assert sides["base"].label.endswith('"On main" 2026-01-02')


@pytest.mark.usefixtures("repository")
def test_the_variable_may_name_a_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHREX_REPLAY", "git:main")
    assert programs.resolve(None, "--replay").label.startswith("git:main ")


@pytest.mark.usefixtures("repository")
def test_a_revision_that_there_is_not_is_said_of_the_commands_option() -> None:
    with pytest.raises(UsageError, match=r"^--base git:mian: 'mian' names no commit of "):
        programs.sides(None, "git:mian")
    with pytest.raises(UsageError, match=r"^--replay: nowhere is neither on PATH nor a file here"):
        programs.resolve("nowhere", "--replay")
