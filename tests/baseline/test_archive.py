"""The program archive: what is kept, what is checked before it is run, and what makes room."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline import archive as module
from pytest_ethrex_perf.baseline.archive import (
    Archive,
    CommandLine,
    MissingProgramError,
    NotArchivedError,
    default_directory,
)
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.replay.program import resolve
from tests.leftovers import leave_half
from tests.whole_programs import MARK

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Program

MIB = 2**20
needs_embedded = pytest.mark.skipif(
    importlib.util.find_spec("ethereum") is None, reason="the [embedded] extra is not installed"
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def build(path: Path, says: str = "v1", size: int = 0) -> Program:
    """An executable that prints `says`, of at least `size` bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{MARK}\necho {says}\nexit\n".ljust(size, "#"))
    path.chmod(0o755)
    return resolve(str(path), cwd=path.parent, environ={})


def find(archive: Archive, program: Program, cwd: Path = Path("/")) -> tuple[str, ...]:
    return archive.find(program.sha256, cwd=cwd, environ={"PATH": os.defpath})


def aged(directory: Path, program: Program, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(directory / program.sha256, (then, then))


def kept(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_program_is_kept_under_its_sha256_and_outlives_the_build(tmp_path: Path, directory: Path) -> None:
    path = tmp_path / "target" / "release" / "ethrex-replay"
    program = build(path)
    archive = Archive(directory, MIB)
    archive.store(program)
    build(path, says="v2")
    (command,) = find(archive, program)
    assert Path(command) == directory / program.sha256
    assert hashlib.sha256(Path(command).read_bytes()).hexdigest() == program.sha256
    assert subprocess.run([command], capture_output=True, text=True, check=True).stdout == "v1\n"


def test_it_is_a_copy_and_no_link(tmp_path: Path, directory: Path) -> None:
    program = build(tmp_path / "replay")
    Archive(directory, MIB).store(program)
    copy = directory / program.sha256
    assert not copy.is_symlink()
    assert copy.stat().st_ino != (tmp_path / "replay").stat().st_ino
    assert copy.stat().st_nlink == 1


def test_a_reflink_is_asked_for_first(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = build(tmp_path / "replay")
    content = (tmp_path / "replay").read_bytes()

    def clone(source: int, target: int) -> bool:
        assert os.fstat(source).st_size == len(content)
        files.write(target, content)
        return True

    monkeypatch.setattr(module, "_clone", clone)
    Archive(directory, MIB).store(program)
    assert (directory / program.sha256).read_bytes() == content


def test_storing_twice_changes_nothing(tmp_path: Path, directory: Path) -> None:
    program, archive = build(tmp_path / "replay"), Archive(directory, MIB)
    archive.store(program)
    before = (directory / program.sha256).stat().st_ino
    archive.store(program)
    assert (directory / program.sha256).stat().st_ino == before
    assert kept(directory) == {program.sha256}


def test_a_program_that_changed_since_it_was_measured_is_not_kept(tmp_path: Path, directory: Path) -> None:
    program = build(tmp_path / "replay")
    build(tmp_path / "replay", says="v2")
    with pytest.raises(NotArchivedError) as refusal:
        Archive(directory, MIB).store(program)
    assert str(refusal.value) == f"{tmp_path / 'replay'} has changed since it was measured"
    assert kept(directory) == set()


def test_a_damaged_copy_is_removed_and_said_to_be(tmp_path: Path, directory: Path) -> None:
    program, archive = build(tmp_path / "replay"), Archive(directory, MIB)
    archive.store(program)
    copy = directory / program.sha256
    copy.chmod(0o755)
    copy.write_text("#!/bin/sh\necho something else\n")
    assert archive.state(program.sha256) == "damaged"
    with pytest.raises(MissingProgramError, match="was damaged in the archive and is removed"):
        find(archive, program)
    assert not copy.exists()
    with pytest.raises(MissingProgramError, match=f"is not in the archive {directory}"):
        find(archive, program)
    archive.store(program)
    assert find(archive, program) == (str(copy),)


def test_the_least_recently_used_program_makes_room(tmp_path: Path, directory: Path) -> None:
    archive = Archive(directory, 3500)
    programs = [build(tmp_path / name, name, 1000) for name in "abc"]
    for days, program in enumerate(programs, 1):
        archive.store(program)
        aged(directory, program, 10 - days)
    find(archive, programs[0])  # the oldest is used again
    newest = build(tmp_path / "d", "d", 1000)
    archive.store(newest)
    assert kept(directory) == {programs[0].sha256, programs[2].sha256, newest.sha256}


def test_what_was_just_stored_stays_though_nothing_else_does(tmp_path: Path, directory: Path) -> None:
    archive = Archive(directory, 1500)
    archive.store(build(tmp_path / "a", "a", 1000))
    newest = build(tmp_path / "b", "b", 1400)
    archive.store(newest)
    assert kept(directory) == {newest.sha256}


def test_one_too_large_is_refused_and_nothing_makes_room_for_it(tmp_path: Path, directory: Path) -> None:
    archive = Archive(directory, 2048)
    small = build(tmp_path / "a", "a")
    archive.store(small)
    with pytest.raises(NotArchivedError) as refusal:
        archive.store(build(tmp_path / "b", "b", 4096))
    assert str(refusal.value) == "it has 4.0 KiB, and the archive may hold 2.0 KiB (--ethrex-archive-size)"
    assert kept(directory) == {small.sha256}


def test_size_0_switches_it_off(tmp_path: Path, directory: Path) -> None:
    program, archive = build(tmp_path / "a"), Archive(directory, 0)
    archive.store(program)
    assert not directory.exists()
    with pytest.raises(MissingProgramError, match="the archive is off"):
        find(archive, program)


def test_a_directory_that_cannot_be_written_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        NotArchivedError, match=r"cannot be written: Not a directory \(--ethrex-archive DIR\)$"
    ):
        Archive(tmp_path / "file" / "archive", MIB).store(build(tmp_path / "a"))


def test_a_command_line_is_neither_kept_nor_run_again(tmp_path: Path, directory: Path) -> None:
    """The words of one may lie there, written by an earlier version."""
    build(tmp_path / "wrap")
    build(tmp_path / "replay")
    program = resolve("./wrap -n 3 ./replay", cwd=tmp_path, environ={})
    archive = Archive(directory, MIB)
    with pytest.raises(NotArchivedError, match="it is a command line, which may run other code"):
        archive.store(program)
    assert kept(directory) == set()
    words = CommandLine(command=("./wrap", "-n", "3", "./replay"))
    (directory / f"{program.sha256}.json").write_bytes(msgspec.json.encode(words))
    with pytest.raises(MissingProgramError, match=r"cannot be run again: `\./wrap .*` is a command"):
        find(archive, program, tmp_path)
    build(tmp_path / "replay", says="v2")
    with pytest.raises(MissingProgramError, match="is another program now"):
        find(archive, program, tmp_path)
    (tmp_path / "wrap").unlink()
    with pytest.raises(MissingProgramError, match="cannot be run any more"):
        find(archive, program, tmp_path)


@needs_embedded
def test_the_embedded_program_is_kept_as_words_and_used_while_it_is_the_same(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = resolve("embedded --extra-work 15", cwd=tmp_path, environ={})
    archive = Archive(directory, MIB)
    archive.store(program)
    assert find(archive, program) == program.command
    assert program.command[0] == sys.executable
    assert sys.executable not in (directory / f"{program.sha256}.json").read_text()
    monkeypatch.setattr("pytest_ethrex_perf.embedded.identity.identity", lambda _: "0" * 64)
    with pytest.raises(MissingProgramError, match="`embedded --extra-work 15` is another program now"):
        find(archive, program)


def test_an_executable_whose_name_holds_a_space_is_one_word(tmp_path: Path, directory: Path) -> None:
    program = build(tmp_path / "my build" / "replay")
    archive = Archive(directory, MIB)
    archive.store(program)
    assert shlex.join(find(archive, program)) == str(directory / program.sha256)


def test_leftovers_of_a_killed_run_are_cleared_up(tmp_path: Path, directory: Path) -> None:
    directory.mkdir()
    leave_half(directory / ("0" * 64))
    program = build(tmp_path / "a")
    Archive(directory, MIB).store(program)
    assert kept(directory) == {program.sha256}


def test_what_somebody_else_put_there_is_left_alone(tmp_path: Path, directory: Path) -> None:
    directory.mkdir()
    (directory / "README").write_text("x" * 5000)
    archive = Archive(directory, 1000)
    archive.store(build(tmp_path / "a"))
    assert "README" in kept(directory)
    assert archive.unused(-1) != []
    assert all(entry.path.name != "README" for entry in archive.unused(-1))


def test_only_what_is_still_unused_is_removed(tmp_path: Path, directory: Path) -> None:
    archive = Archive(directory, MIB)
    programs = [build(tmp_path / name, name) for name in "abc"]
    for program in programs:
        archive.store(program)
    aged(directory, programs[0], 40)
    aged(directory, programs[1], 50)
    unused = archive.unused(30)
    assert [entry.sha256 for entry in unused] == [programs[1].sha256, programs[0].sha256]
    find(archive, programs[0])
    archive.remove(unused)
    assert kept(directory) == {programs[0].sha256, programs[2].sha256}


def test_the_default_is_in_the_users_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_directory({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/pytest-ethrex-perf/programs")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setattr(sys, "platform", "linux")
    home = Path("/home/somebody")
    for environ in ({}, {"XDG_CACHE_HOME": "relative"}):
        assert default_directory(environ) == home / ".cache/pytest-ethrex-perf/programs"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_directory({}) == home / "Library/Caches/pytest-ethrex-perf/programs"
