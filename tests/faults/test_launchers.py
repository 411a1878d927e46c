"""Programs that run other code than the file that was hashed: launchers, links, libraries beside them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline.archive import (
    Archive,
    MissingProgramError,
    NotArchivedError,
    default_directory,
)
from pytest_ethrex_perf.replay import executable, program_kinds
from pytest_ethrex_perf.replay.program import resolve
from tests import whole_programs

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Program
    from tests.conftest import Bench

SHORT = ("--ethrex-counters=off", "--ethrex-repeat=3")
SIX = ("--ethrex-invocations=6", "--ethrex-counters=off")
WRAPPER = '#!/bin/sh\nexec "$(dirname "$0")/ethrex-replay" "$@"\n'
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler is not installed")


def launcher(bench: Bench, name: str, exec_ms: float) -> str:
    """A wrapper script, the same each time, beside a program of its own."""
    program = bench.path / bench.program(f"{name}-replay", exec_ms=exec_ms)
    wrapper = bench.path / name / "wrap"
    wrapper.parent.mkdir(exist_ok=True)
    program.replace(wrapper.with_name("ethrex-replay"))
    wrapper.write_text(WRAPPER)
    wrapper.chmod(0o755)
    return f"{name}/wrap"


def in_a_line(result: pytest.RunResult) -> str:
    return " ".join(result.stdout.str().split())


def resolved(path: Path) -> Program:
    return resolve(str(path), cwd=path.parent, environ={})


# --- equal launchers ----------------------------------------------------------------------------------------


def test_equal_launchers_of_different_programs_are_measured_and_judged(bench: Bench) -> None:
    head, base = launcher(bench, "head", 90), launcher(bench, "base", 60)
    result = bench.compare(head, base, *SHORT, "--ethrex-on-same-program=fail")
    result.assert_outcomes(failed=1)
    told = in_a_line(result)
    assert "regression: mainnet/24443168 exec is 5" in told
    assert "head is a script, which runs other code: its sha256 does not cover that" in told
    assert "note: base has the sha256 of head (" in told


def test_one_launcher_beside_itself_is_the_same_program(bench: Bench) -> None:
    wrapper = launcher(bench, "head", 60)
    bench.compare(wrapper, wrapper, *SHORT).assert_outcomes(skipped=1)


def test_links_to_a_dispatcher_are_measured(bench: Bench) -> None:
    """Each name is another program, as busybox has it."""
    for name, ms in (("quick", 60), ("slow", 90)):
        (bench.path / bench.program(name, exec_ms=ms)).rename(bench.path / "bin" / f"{name}.real")
    dispatcher = bench.path / "bin" / "dispatcher"
    dispatcher.write_text(
        f'#!/bin/sh\n{whole_programs.MARK}\nexec "{bench.path}/bin/$(basename "$0").real" "$@"\n'
    )
    dispatcher.chmod(0o755)
    for name in ("quick", "slow"):
        (bench.path / "bin" / name).symlink_to("dispatcher")
    bench.compare("bin/slow", "bin/quick", *SHORT).assert_outcomes(failed=1)


# --- launchers and stored baselines -------------------------------------------------------------------------


def test_a_launcher_is_not_kept_in_the_archive_and_that_is_said(bench: Bench) -> None:
    result = bench.record(launcher(bench, "head", 60), *SIX)
    result.assert_outcomes(passed=1)
    assert "its program is not kept in the archive: it is a script, which runs other code" in in_a_line(
        result
    )
    directory = default_directory({"XDG_CACHE_HOME": str(bench.path)})
    assert directory is not None
    assert not list(directory.parent.rglob("*"))


def test_a_recorded_launcher_whose_target_became_slower_does_not_pass(bench: Bench) -> None:
    """From the archive it would be run beside head, both at the new speed."""
    bench.record(launcher(bench, "head", 60), *SIX)
    launcher(bench, "head", 90)
    other = launcher(bench, "other", 90)
    for head in ("head/wrap", other):
        result = bench.gate(f"--ethrex-replay={head}", *SHORT, "--ethrex-json=results.json")
        result.assert_outcomes(failed=1)
        (block,) = bench.results().blocks
        assert block.mode == "stored"
        assert not any("no change is expected" in note for note in block.notes)


def test_a_base_launcher_that_is_not_what_was_recorded_is_an_error(bench: Bench) -> None:
    base = launcher(bench, "base", 60)
    bench.record(base, *SIX)
    launcher(bench, "base", 90)
    result = bench.compare(bench.program("head", exec_ms=90), base, *SHORT)
    result.assert_outcomes(errors=1)
    told = in_a_line(result)
    assert "base is not what was recorded of it: exec +" in told
    assert "; base is a script, which runs other code, and may be another program now" in told


def test_a_native_base_that_is_not_what_was_recorded_is_a_note(bench: Bench) -> None:
    """The machine may have changed: the pairs decide."""
    base = bench.program("base", drift=[1] * 6 + [1.5] * 6)
    bench.record(base, *SIX)
    result = bench.compare(bench.program("head", exec_ms=90), base, *SHORT, "--ethrex-looks=6")
    result.assert_outcomes(passed=1)
    assert "note: base is not what was recorded of it: exec +" in in_a_line(result)


def test_an_unchanged_base_contradicts_nothing(bench: Bench) -> None:
    base = launcher(bench, "base", 60)
    bench.record(base, *SIX)
    result = bench.compare(bench.program("head"), base, *SHORT)
    result.assert_outcomes(passed=1)
    assert "base is not what was recorded" not in in_a_line(result)


def test_a_script_that_lies_in_an_archive_is_not_run(tmp_path: Path) -> None:
    """One that an earlier version kept."""
    wrapper = tmp_path / "wrap"
    wrapper.write_text(WRAPPER)
    sha256 = executable.digest(wrapper, "the test")
    (tmp_path / "archive").mkdir()
    wrapper.rename(tmp_path / "archive" / sha256)
    with pytest.raises(MissingProgramError, match="cannot be run again: it is a script"):
        Archive(tmp_path / "archive", 2**20).find(sha256, cwd=tmp_path, environ={})


# --- identities ---------------------------------------------------------------------------------------------


def test_a_script_is_known_by_its_interpreter_too(tmp_path: Path) -> None:
    interpreter, script = tmp_path / "interpreter", tmp_path / "script"
    interpreter.write_bytes(b"\x7fELF one")
    script.write_text(f"#!{interpreter} -u\nwork\n")
    script.chmod(0o755)
    before = resolved(script).sha256
    assert program_kinds.files((str(script),), tmp_path) == (script, interpreter)
    interpreter.write_bytes(b"\x7fELF two")
    assert resolved(script).sha256 != before


def test_the_interpreter_that_env_finds_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    interpreter, script = tmp_path / "interpreter", tmp_path / "script"
    interpreter.write_bytes(b"\x7fELF one")
    interpreter.chmod(0o755)
    script.write_text("#!/usr/bin/env -S A=1 interpreter -u\nwork\n")
    assert executable.companions(script)[-1] == interpreter


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"#!/bin/sh\n", "is a script, which runs other code"),
        (b"", "is no native executable"),
        (b"PK\x03\x04", "is no native executable"),
        (b"\x7fELF", None),
        (b"\x7fELF\x02\x01" + b"\xff" * 90, None),
        (b"\xcf\xfa\xed\xfe", None),
    ],
)
def test_what_a_file_is_shows_in_its_first_bytes(tmp_path: Path, content: bytes, says: str | None) -> None:
    (tmp_path / "program").write_bytes(content)
    assert executable.uncovered(tmp_path / "program") == says
    assert executable.libraries(tmp_path / "program") == ()


@pytest.mark.parametrize(
    "words",
    [
        "./replay ./work",
        "./replay work",
        "./replay --with=work",
        "./replay sh",
        "./replay --script folder/work",
        "./python3.11 -m work",
        "./bash -c 'do work'",
        "./link --pages 3",
    ],
)
def test_a_command_line_that_names_files_may_run_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("replay", "work", "python3.11", "bash"):
        (tmp_path / name).write_bytes(b"\x7fELF")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "link").symlink_to("/bin/sh")
    program = resolve(words, cwd=tmp_path, environ={})
    assert program_kinds.uncovered(program) is not None
    assert program_kinds.uncovered(resolve("./replay", cwd=tmp_path, environ={})) is None
    with pytest.raises(NotArchivedError, match="it is a "):
        Archive(tmp_path / "archive", 2**20).store(program)


def test_a_native_executable_with_options_of_its_own_is_kept_as_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "replay").write_bytes(b"\x7fELF")
    (tmp_path / "replay").chmod(0o755)
    program = resolve("./replay --pages 3 -v --size=4k", cwd=tmp_path, environ={})
    archive = Archive(tmp_path / "archive", 2**20)
    archive.store(program)
    assert archive.find(program.sha256, cwd=tmp_path, environ={}) == program.command
    (tmp_path / "replay").write_bytes(b"\x7fELF, another")
    with pytest.raises(MissingProgramError, match="is another program now"):
        archive.find(program.sha256, cwd=tmp_path, environ={})


# --- native executables -------------------------------------------------------------------------------------


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """An executable that loads a library from its own folder."""
    if shutil.which("cc") is None:
        pytest.skip("a C compiler is not installed")
    (tmp_path / "main.c").write_text("int work(void); int main(void) { return work(); }\n")
    library(tmp_path, 1)
    cc = ["cc", "main.c", "-o", "replay", "./libwork.so", "-Wl,-rpath,$ORIGIN"]
    subprocess.run(cc, cwd=tmp_path, check=True)
    return tmp_path / "replay"


def library(folder: Path, result: int) -> None:
    (folder / "work.c").write_text(f"int work(void) {{ return {result}; }}\n")
    cc = ["cc", "-shared", "-fPIC", "work.c", "-o", "libwork.so", "-Wl,-soname,libwork.so"]
    subprocess.run(cc, cwd=folder, check=True)


def test_a_library_of_its_own_is_part_of_an_executable(build: Path, tmp_path: Path) -> None:
    assert executable.libraries(build) == (build.with_name("libwork.so"),)
    before = resolved(build)
    assert before.sha256 != executable.digest(build, "the test")
    library(build.parent, 2)
    assert resolved(build).sha256 != before.sha256
    with pytest.raises(
        NotArchivedError, match=r"loads libraries from outside the system's folders: libwork\.so"
    ):
        Archive(tmp_path / "archive", 2**20).store(resolved(build))


def test_a_library_that_the_environment_names_is_part_of_it(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "libwork.so").rename(tmp_path / "lib" / "libwork.so")
    assert executable.libraries(build) == ()
    monkeypatch.setenv("LD_LIBRARY_PATH", "lib")
    assert executable.libraries(build) == (tmp_path / "lib" / "libwork.so",)


@needs_cc
def test_without_libraries_of_its_own_an_executable_has_the_sha256_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["cc", "main.c", "-o", "replay"], cwd=tmp_path, check=True)
    program = resolved(tmp_path / "replay")
    assert program.sha256 == executable.digest(tmp_path / "replay", "the test")
    assert program_kinds.uncovered(program) is None
    archive = Archive(tmp_path / "archive", 2**24)
    archive.store(program)
    (command,) = archive.find(program.sha256, cwd=tmp_path, environ={})
    assert subprocess.run([command], check=True).returncode == 0


@needs_cc
def test_an_executable_with_a_linker_of_its_own_is_covered_by_nothing(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    cc = ["cc", "main.c", "-o", "replay", f"-Wl,--dynamic-linker={tmp_path / 'ld.so'}"]
    subprocess.run(cc, cwd=tmp_path, check=True)
    (tmp_path / "ld.so").write_text("#!/bin/sh\ntouch was-run\n")
    (tmp_path / "ld.so").chmod(0o755)
    assert executable.uncovered(tmp_path / "replay") == "brings a dynamic linker of its own"
    assert executable.libraries(tmp_path / "replay") == ()
    assert not (tmp_path / "was-run").exists()
