"""`ethrex-perf build`: revisions built by hand, as the gate builds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from tests import whole_programs
from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from tests.conftest import Bench

TABLE = """[build]
command = "cp {source}/program {target}/ethrex-replay"
artifact = "ethrex-replay"
"""
PROGRAM = f"#!/bin/sh\n{whole_programs.MARK}\n"


@pytest.fixture
def repository(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A repository in which pytest runs: two commits of a program, and one without it."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    repository = GitRepository(bench.path / "checkout")
    repository.write("program", f"{PROGRAM}echo 1\n")
    (repository.path / "program").chmod(0o755)
    repository.write("ethrex-perf.toml", TABLE)
    repository.commit("One")
    repository.write("program", f"{PROGRAM}echo 2\n")
    repository.commit("Two")
    (repository.path / "program").unlink()
    repository.commit("Lose it")
    monkeypatch.chdir(repository.path)
    return repository


@pytest.mark.usefixtures("repository")
def test_it_says_what_was_built_and_what_was_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["build", "HEAD~1", "git:HEAD~2"]) == 0
    two, path, identity, one, *_ = capsys.readouterr().out.splitlines()
    assert two.startswith("git:HEAD~1 ")
    assert two.endswith(' "Two" 2026-01-02')
    assert Path(path.strip()).read_text().endswith("echo 2\n")
    assert identity.strip().startswith(f"sha256 {Path(path).name}, built in ")
    assert '"One"' in one
    assert cli.main(["build", "HEAD~1"]) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith(", from the archive")
    assert cli.main(["build", "--path", "HEAD~1"]) == 0
    assert capsys.readouterr().out == f"{path.strip()}\n"


@pytest.mark.usefixtures("repository")
def test_what_cannot_be_built_is_said_and_the_others_are_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["build", "HEAD", "HEAD~1"]) == 1
    output = capsys.readouterr()
    assert '"Two"' in output.out
    assert '"Lose it" 2026-01-02 cannot be built: its command ended with exit code 1; ' in output.err
    log = next(Path("ethrex-perf-logs").iterdir())
    assert log.name.startswith("build-head-")
    assert str(log) in output.err
    assert "No such file" in log.read_text()


def test_what_is_no_revision_is_wrong_usage(
    repository: GitRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["build", "HEAD~1", "mian"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"ethrex-perf: build git:mian: 'mian' names no commit of {repository.path}: see git branch --all and "
        "git tag, or git fetch first\n"
    )


def test_without_a_table_it_says_what_to_write(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bench.path)
    assert cli.main(["build", "HEAD"]) == 2
    assert capsys.readouterr().err == (
        "ethrex-perf: build git:HEAD: how to build a revision is not said: write a table [build] with "
        'command = "cargo build --release --bin ethrex-replay" and artifact = "release/ethrex-replay" in '
        "ethrex-perf.toml\n"
    )
