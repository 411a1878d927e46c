"""Finding the program and saying which one it is."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shlex
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.replay.program import resolve

if TYPE_CHECKING:
    from pathlib import Path

needs_embedded = pytest.mark.skipif(
    importlib.util.find_spec("ethereum") is None, reason="the [embedded] extra is not installed"
)


def executable(path: Path, content: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def test_one_executable_has_the_sha256_of_its_content(tmp_path: Path) -> None:
    path = executable(tmp_path / "my build" / "ethrex-replay", "content")
    got = resolve(str(path), cwd=tmp_path, environ={})
    assert got.kind == "ethrex"
    assert got.command == (str(path),)
    assert got.sha256 == sha256("content")
    assert got.label == str(path)
    assert got.prefix == ()


def test_a_relative_path_is_made_absolute(tmp_path: Path) -> None:
    path = executable(tmp_path / "bin" / "replay")
    assert resolve("bin/replay", cwd=tmp_path, environ={}).command == (str(path),)
    assert resolve("./bin/replay", cwd=tmp_path, environ={}).command == (str(path),)


def test_a_command_line_is_known_by_its_words_and_the_content_of_its_files(tmp_path: Path) -> None:
    executable(tmp_path / "wrap", "wrapper")
    executable(tmp_path / "replay", "program")
    got = resolve("./wrap -n 3 ./replay", cwd=tmp_path, environ={})
    assert got.command == (str(tmp_path / "wrap"), "-n", "3", "./replay")
    assert got.sha256 == sha256("\0".join([sha256("wrapper"), "-n", "3", sha256("program")]))
    executable(tmp_path / "replay", "another program")
    assert resolve("./wrap -n 3 ./replay", cwd=tmp_path, environ={}).sha256 != got.sha256


def test_without_a_spec_the_environment_comes_first_then_path_then_cargo(tmp_path: Path) -> None:
    built = executable(tmp_path / "target" / "release" / "ethrex-replay", "built")
    on_path = executable(tmp_path / "bin" / "ethrex-replay", "on path")
    named = executable(tmp_path / "named", "named")
    path = {"PATH": str(tmp_path / "bin")}
    assert resolve(None, cwd=tmp_path, environ={"ETHREX_REPLAY": "./named", **path}).command == (str(named),)
    assert resolve(None, cwd=tmp_path, environ=path).command == (str(on_path),)
    assert resolve(None, cwd=tmp_path, environ={"PATH": "/nowhere"}).command == (str(built),)


def test_a_bare_name_is_looked_for_on_path_and_then_here(tmp_path: Path) -> None:
    here = executable(tmp_path / "replay", "here")
    on_path = executable(tmp_path / "bin" / "replay", "on path")
    assert resolve("replay", cwd=tmp_path, environ={"PATH": str(on_path.parent)}).command == (str(on_path),)
    assert resolve("replay", cwd=tmp_path, environ={"PATH": "/nowhere"}).command == (str(here),)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            None,
            "no program to measure: ethrex-replay is neither on PATH nor at target/release",
        ),
        (
            "missing",
            "missing is neither on PATH nor a file here; give the path of an ethrex",
        ),
        ("./missing/x", "./missing/x does not exist"),
        ("./text", "text is not executable"),
        ("./folder", "folder is a directory; give the executable in it"),
        ("./checkout", "checkout is a directory; give {cwd}/checkout/target/release/ethrex-replay"),
        ("~nobody_of_that_name/replay", "~nobody_of_that_name/replay does not exist"),
        ("replay 'unbalanced", "is not a command line: no closing quotation"),
        ("", "--ethrex-replay is empty"),
        ("  ", "--ethrex-replay is empty"),
    ],
)
def test_what_cannot_be_run_is_a_usage_error_that_says_why(
    tmp_path: Path, spec: str | None, says: str
) -> None:
    (tmp_path / "text").write_text("not executable")
    (tmp_path / "folder").mkdir()
    executable(tmp_path / "checkout" / "target" / "release" / "ethrex-replay")
    with pytest.raises(UsageError) as caught:
        resolve(spec, cwd=tmp_path, environ={"PATH": "/nowhere"})
    assert says.format(cwd=tmp_path) in str(caught.value)
    assert "--ethrex-replay" in str(caught.value)


def test_the_option_that_named_the_program_is_blamed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--ethrex-base: \./x does not exist"):
        resolve("./x", cwd=tmp_path, environ={}, option="--ethrex-base")
    with pytest.raises(UsageError, match=r"ETHREX_REPLAY: \./x does not exist"):
        resolve(None, cwd=tmp_path, environ={"ETHREX_REPLAY": "./x"})


def test_an_unreadable_executable_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "replay")

    def refuse(*_: object) -> NoReturn:  # root may read everything, so permissions alone would not do
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(UsageError, match="replay can't be read: Permission denied"):
        resolve("./replay", cwd=tmp_path, environ={})


def test_a_prefix_is_split_and_must_exist_and_is_no_part_of_the_identity(tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "taskset")
    executable(tmp_path / "replay")
    environ = {"PATH": str(tmp_path / "bin")}
    plain = resolve("./replay", cwd=tmp_path, environ=environ)
    got = resolve("./replay", cwd=tmp_path, environ=environ, prefix="taskset -c '0-7'")
    assert got.prefix == ("taskset", "-c", "0-7")
    assert got.sha256 == plain.sha256
    with pytest.raises(UsageError, match="--ethrex-prefix: numactl was not found on PATH"):
        resolve("./replay", cwd=tmp_path, environ=environ, prefix="numactl -C 0")


@needs_embedded
def test_embedded_is_this_python_with_our_module(tmp_path: Path) -> None:
    got = resolve("embedded", cwd=tmp_path, environ=os.environ)
    assert got.kind == "embedded"
    assert got.command == (sys.executable, "-m", "pytest_ethrex_perf.embedded")
    assert got.label == "embedded"
    slowed = resolve("embedded --extra-work 15", cwd=tmp_path, environ=os.environ)
    assert slowed.command == (*got.command, "--extra-work", "15")
    assert slowed.sha256 != got.sha256


@needs_embedded
def test_an_explicit_command_line_of_the_embedded_program_is_the_same_program(tmp_path: Path) -> None:
    command = shlex.join([sys.executable, "-m", "pytest_ethrex_perf.embedded"])
    explicit = resolve(command, cwd=tmp_path, environ=os.environ)
    assert explicit.kind == "embedded"
    assert explicit.sha256 == resolve("embedded", cwd=tmp_path, environ=os.environ).sha256


def test_the_embedded_program_of_another_python_is_refused(tmp_path: Path) -> None:
    executable(tmp_path / "python")
    with pytest.raises(UsageError, match=r"is not the Python that runs pytest .*; write `embedded` instead"):
        resolve("./python -m pytest_ethrex_perf.embedded", cwd=tmp_path, environ={})


class TestCommit:
    OLD, NEW = "a" * 40, "b" * 40

    def resolve_in_checkout(
        self, checkout: Path, *, built: int, target: str = "target/release"
    ) -> str | None:
        path = executable(checkout / target / "ethrex-replay")
        os.utime(path, (built, built))
        log = checkout / ".git" / "logs" / "HEAD"
        log.parent.mkdir(parents=True)
        log.write_text(
            f"{'0' * 40} {self.OLD} A B <a@b.org> 1000 +0000\tclone: from x\n"
            f"{self.OLD} {self.NEW} A B <a@b.org> 2000 +0100\tcheckout: moving from main to c\n"
        )
        return resolve(str(path), cwd=checkout, environ={}).commit

    def test_a_build_younger_than_the_checkout_is_of_its_commit(self, tmp_path: Path) -> None:
        assert self.resolve_in_checkout(tmp_path, built=3000) == self.NEW

    def test_cargo_puts_a_build_for_a_triple_one_folder_deeper(self, tmp_path: Path) -> None:
        target = "target/x86_64-unknown-linux-gnu/release-with-debug"
        assert self.resolve_in_checkout(tmp_path, built=3000, target=target) == self.NEW

    def test_a_build_older_than_the_checkout_is_of_no_known_commit(self, tmp_path: Path) -> None:
        assert self.resolve_in_checkout(tmp_path, built=1500) is None

    def test_elsewhere_there_is_none(self, tmp_path: Path) -> None:
        assert resolve(str(executable(tmp_path / "replay")), cwd=tmp_path, environ={}).commit is None
