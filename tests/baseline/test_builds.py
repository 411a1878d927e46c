"""Revisions become programs: built once, incrementally, out of the user's way, and kept by what they are."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline.archive import Archive
from pytest_ethrex_perf.baseline.build_slot import Bench, BuildError
from pytest_ethrex_perf.baseline.builds import Builds
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.replay.redaction import Redactor
from tests.git_repositories import COMMAND, MAIN, WHO, GitRepository, engine, need, table

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.builds import Build
    from pytest_ethrex_perf.config.build_table import BuildTable


class Workshop:
    """An engine, a harness, and whoever builds from them."""

    def __init__(self, path: Path) -> None:
        need("git", "cc")
        self.path = path
        self.engine = GitRepository(path / "engine")
        self.first = self.engine.commit("The engine", engine_c=engine(1), _gitignore="*.o\n")
        self.harness = GitRepository(path / "replay")
        self.harness.commit("The harness", main_c=MAIN)
        self.table = table(self.engine.path, self.harness.path)
        self.environ = {**os.environ, **WHO, "XDG_CACHE_HOME": str(path / "cache")}
        self.said: list[str] = []
        self.shown: list[str] = []

    def builds(
        self,
        built: BuildTable | None = None,
        *,
        limit: int = 2**30,
        timeout: float = 600,
        lock_timeout: float = 60,
    ) -> Builds:
        """Builds of a new run."""
        self.said.clear()
        self.shown.clear()
        bench = Bench(
            environ=self.environ,
            timeout=timeout,
            lock_timeout=lock_timeout,
            log_dir=self.path / "logs",
            redact=Redactor(["https://rpc.example.org/v2/0123456789abcdef"]),
            say=self.said.append,
            show=self.shown.append,
        )
        archive = Archive(self.path / "archive", limit)
        return Builds(built or self.table, archive, bench, cwd=self.engine.path)

    def build(self, spec: str, built: BuildTable | None = None) -> Build:
        """Build one revision for head, in a new run."""
        builds = self.builds(built)
        return builds.build(builds.revision(spec, "head"), "head")

    def slot(self) -> Path:
        """Where head is built."""
        (slot,) = (self.path / "cache" / "pytest-ethrex-perf" / "builds").glob("engine-*/head")
        return slot


@pytest.fixture
def workshop(tmp_path: Path, locks: Path) -> Workshop:
    del locks
    return Workshop(tmp_path)


def prints(build: Build) -> str:
    return subprocess.run(build.program.command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_revision_is_built_named_and_run(workshop: Workshop) -> None:
    build = workshop.build("git:HEAD")
    assert prints(build) == "1"
    assert build.program.commit == workshop.first
    assert build.program.label.startswith(f'git:HEAD {workshop.first[:7]} "The engine" 2026-01-02, replay ')
    (executable,) = map(Path, build.program.command)
    assert build.program.sha256 == hashlib.sha256(executable.read_bytes()).hexdigest()
    assert workshop.shown == ["compiling engine.c", "compiling main.c"]
    assert workshop.said[0] == f"building head: {build.program.label}"
    assert workshop.said[1].startswith("built head in ")
    assert not build.from_archive


def test_the_second_build_compiles_what_differs(workshop: Workshop) -> None:
    workshop.build("git:HEAD")
    unchanged = (workshop.slot() / "target" / "main.c.o").stat().st_mtime_ns
    workshop.engine.commit("Another engine", engine_c=engine(2))
    assert prints(workshop.build("git:HEAD")) == "2"
    assert workshop.shown == ["compiling engine.c"]
    assert (workshop.slot() / "target" / "main.c.o").stat().st_mtime_ns == unchanged


def test_what_was_built_before_is_had_from_the_archive(workshop: Workshop) -> None:
    built = workshop.build("git:HEAD")
    again = workshop.build("git:main")
    assert again.from_archive
    assert again.program.command == built.program.command
    assert workshop.said == []
    assert again.program.label.startswith("git:main ")


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": {"ANYTHING": "else"}},
        {"command": "cc -O0 -o {target}/ethrex-replay {source}/engine.c {harness}/main.c"},
        {"compiler": "echo another"},
    ],
    ids=["environment", "command", "compiler"],
)
def test_what_would_build_otherwise_is_built_again(workshop: Workshop, changed: dict[str, object]) -> None:
    workshop.build("git:HEAD")
    assert not workshop.build(
        "git:HEAD", table(workshop.engine.path, workshop.harness.path, **changed)
    ).from_archive


def test_flags_of_the_users_environment_count(workshop: Workshop) -> None:
    workshop.build("git:HEAD")
    workshop.environ["RUSTFLAGS"] = "-C target-cpu=native"
    assert not workshop.build("git:HEAD").from_archive


def test_a_damaged_program_is_built_again(workshop: Workshop) -> None:
    executable = Path(workshop.build("git:HEAD").program.command[0])
    executable.chmod(0o700)
    executable.write_bytes(b"damaged")
    build = workshop.build("git:HEAD")
    assert not build.from_archive
    assert prints(build) == "1"


def test_without_an_archive_it_is_built_each_time(workshop: Workshop) -> None:
    for _ in range(2):
        builds = workshop.builds(limit=0)
        build = builds.build(builds.revision("git:HEAD", "head"), "head")
        assert prints(build) == "1"
        assert not build.from_archive


def test_a_harness_of_its_own_is_named_for_a_side(workshop: Workshop) -> None:
    workshop.harness.git("checkout", "--quiet", "-b", "api")
    workshop.harness.commit("Follow the engine", main_c=MAIN.replace("%d", "api %d"))
    workshop.harness.git("checkout", "--quiet", "main")
    assert prints(workshop.build("git:HEAD")) == "1"
    assert prints(workshop.build("git:HEAD,harness:api")) == "api 1"
    harness = workshop.table.harness
    assert harness is not None
    for_head = replace(workshop.table, harness=replace(harness, revisions={"base": "main", "head": "api"}))
    build = workshop.build("git:HEAD", for_head)
    assert build.from_archive
    assert '"Follow the engine"' in build.program.label


def test_what_lies_in_the_worktree_is_built_and_not_kept(workshop: Workshop) -> None:
    workshop.engine.write("engine.c", engine(3))
    workshop.engine.write("new.c", "")
    before = workshop.engine.git("status", "--porcelain")
    build = workshop.build("git:WORKTREE")
    assert prints(build) == "3"
    assert build.program.commit is None
    assert "with uncommitted changes" in build.program.label
    assert not workshop.build("git:WORKTREE").from_archive
    assert not list((workshop.path / "archive").glob("**/*.json"))
    assert workshop.engine.git("status", "--porcelain") == before
    workshop.engine.git("fsck", "--strict")


def test_a_clean_worktree_is_its_commit(workshop: Workshop) -> None:
    workshop.build("git:HEAD")
    build = workshop.build("git:WORKTREE")
    assert build.from_archive
    assert build.program.commit == workshop.first


def test_the_users_repository_is_left_alone(workshop: Workshop) -> None:
    hook = workshop.engine.path / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    workshop.environ["GIT_DIR"] = "/nonexistent"
    files = {path for path in workshop.engine.path.rglob("*") if path.name != "index"}
    workshop.build("git:HEAD")
    assert {path for path in workshop.engine.path.rglob("*") if path.name != "index"} == files


def test_a_build_that_fails_shows_its_last_lines_and_names_the_log(workshop: Workshop) -> None:
    broken = table(
        workshop.engine.path,
        workshop.harness.path,
        command="for line in $(seq 40); do echo line $line; done; echo no such type >&2; exit 3",
    )
    builds = workshop.builds(broken)
    revision = builds.revision("git:HEAD", "head")
    with pytest.raises(BuildError) as raised:
        builds.build(revision, "head")
    first, *lines = str(raised.value).splitlines()
    assert first.startswith(f"git:HEAD {workshop.first[:7]} ")
    assert "cannot be built: its command ended with exit code 3; the whole output is in " in first
    assert [line.strip() for line in lines] == [*(f"line {n}" for n in range(12, 41)), "no such type"]
    assert raised.value.log is not None
    assert raised.value.log.read_text().splitlines()[0] == "line 1"
    workshop.said.clear()
    with pytest.raises(BuildError):
        builds.build(revision, "head")
    assert workshop.said == []  # it is not tried again in a run


def test_a_build_without_its_artifact_has_failed(workshop: Workshop) -> None:
    nothing = table(workshop.engine.path, command="true", artifact="nothing")
    with pytest.raises(BuildError, match=r"it ended well, but \S+/target/nothing is not there: see artifact"):
        workshop.build("git:HEAD", nothing)


def test_a_build_that_takes_too_long_is_killed(workshop: Workshop) -> None:
    endless = table(workshop.engine.path, command="echo begun; sleep 60")
    builds = workshop.builds(endless, timeout=0.5)
    with pytest.raises(BuildError, match=r"it took longer than .*--ethrex-build-timeout"):
        builds.build(builds.revision("git:HEAD", "head"), "head")


def test_nothing_is_built_while_somebody_measures(workshop: Workshop) -> None:
    builds = workshop.builds(lock_timeout=0.1)
    revision = builds.revision("git:HEAD", "head")
    busy = "another run measures on this machine: pytest of somebody else .*--ethrex-lock-timeout"
    with lock.measuring("pytest of somebody else", timeout=0), pytest.raises(MeasurementError, match=busy):
        builds.build(revision, "head")
    assert workshop.said[0].startswith("waiting up to 0 s for pytest of somebody else (process ")
    assert workshop.shown == []
    assert prints(workshop.build("git:HEAD")) == "1"


def test_a_server_that_a_build_leaves_keeps_nobody_waiting(workshop: Workshop) -> None:
    need("setsid")
    server = "setsid sleep 30 & echo $! > {target}/server"
    leaves = table(workshop.engine.path, workshop.harness.path, command=f"{server}; {COMMAND}")
    workshop.build("git:HEAD", leaves)
    process = int((workshop.slot() / "target" / "server").read_text())
    try:
        opened = [str(file.readlink()) for file in Path(f"/proc/{process}/fd").glob("*")]
        assert not any("ethrex-perf-locks" in path for path in opened)
        with lock.measuring("a test", timeout=0):
            pass
    finally:
        os.kill(process, signal.SIGKILL)


def test_no_secret_reaches_the_log_the_screen_or_the_error(workshop: Workshop) -> None:
    says = "env | grep RPC_URL; echo https://rpc.example.org/v2/0123456789abcdef; exit 1"
    workshop.environ["ETHREX_RPC_URL"] = "https://rpc.example.org/v2/0123456789abcdef"
    with pytest.raises(BuildError) as raised:
        workshop.build("git:HEAD", table(workshop.engine.path, command=says))
    assert raised.value.log is not None
    for text in (str(raised.value), raised.value.log.read_text(), "\n".join(workshop.shown)):
        assert "https://rpc.example.org" in text
        assert "0123456789abcdef" not in text
    assert "ETHREX_RPC_URL" not in raised.value.log.read_text()


def test_without_a_table_there_is_nothing_to_build(workshop: Workshop) -> None:
    builds = workshop.builds()
    builds._table = None
    with pytest.raises(UsageError, match=r"--ethrex-replay git:HEAD: .* write a table \[build\] with"):
        builds.revision("git:HEAD", "head")


def test_a_command_that_is_a_list_needs_no_shell(workshop: Workshop) -> None:
    words = ["cc", "-o", "{target}/ethrex-replay", "{source}/engine.c", "{harness}/main.c"]
    build = workshop.build("git:HEAD", table(workshop.engine.path, workshop.harness.path, command=words))
    assert prints(build) == "1"


def test_the_same_sources_are_the_same_program_on_both_sides(workshop: Workshop) -> None:
    workshop.engine.commit("Say where", engine_c="int engine(void) { return sizeof __FILE__; }\n")
    builds = workshop.builds(limit=0)
    revision = builds.revision("git:HEAD", "base")
    base = builds.build(revision, "base").program
    again = workshop.builds(limit=0)
    head = again.build(revision, "head").program
    assert base.sha256 == head.sha256


def test_a_build_that_was_killed_loses_no_side(workshop: Workshop) -> None:
    workshop.build("git:HEAD")
    workshop.slot().rename(workshop.slot().with_name("work"))
    workshop.engine.commit("Another engine", engine_c=engine(2))
    builds = workshop.builds()
    builds.build(builds.revision("git:HEAD", "base"), "base")
    workshop.engine.commit("A third", engine_c=engine(3))
    assert prints(workshop.build("git:HEAD")) == "3"
    assert workshop.shown == ["compiling engine.c"]


def test_a_file_that_is_gone_is_gone_from_the_next_build(workshop: Workshop) -> None:
    workshop.engine.commit("Add a file", extra_c="int extra;\n")
    workshop.build("git:HEAD")
    workshop.build("git:HEAD~1")
    assert not (workshop.slot() / "source" / "extra.c").exists()
    assert (workshop.slot() / "source" / "engine.c").exists()
