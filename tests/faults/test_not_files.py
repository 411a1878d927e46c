"""A pipe or a device in the place of a file is refused by name: not opened, waited for or replaced."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.baseline import stacks, store
from pytest_ethrex_perf.baseline.archive import Archive
from pytest_ethrex_perf.embedded import cachefile
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.profile import samply
from pytest_ethrex_perf.records import regular_file
from tests.baseline.builders import BLOCK, MACHINE, make_baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Bench

RECORDED = Path(__file__).parent.parent / "recorded" / "files"


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o777)


def device(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


@pytest.fixture(params=[(pipe, "it is a named pipe, not a file"), (device, "it is a device, not a file")])
def other(request: pytest.FixtureRequest) -> tuple[Callable[[Path], None], str]:
    """What makes something that is no file, and what is to be said of it."""
    made: tuple[Callable[[Path], None], str] = request.param
    return made


@pytest.mark.parametrize(
    "words",
    [
        "explain {0}",
        "report {0}",
        "compare {0} {0}",
        "merge {0} {0} -o all.json",
        "plan {0}",
        "baseline accept {0}",
        "baseline merge {0} {0} -o all.json",
        "baseline merge {0}",
        "stacks {0}",
        "junit summary {0}",
        "junit merge {0} -o all.xml",
    ],
)
def test_commands_refuse_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    other: tuple[Callable[[Path], None], str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make, reason = other
    make(tmp_path / "given")
    code = cli.main([word.format(tmp_path / "given") for word in words.split()])
    out, err = capsys.readouterr()
    assert code in (1, 2)
    assert reason in out + err


def test_the_readers_of_a_gate_refuse_it(bench: Bench, other: tuple[Callable[[Path], None], str]) -> None:
    make, reason = other
    head, base = bench.program("head"), bench.program("base")
    make(bench.path / "replay_cache" / "cache_mainnet_24443168.json")
    result = bench.compare(head, base)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"mainnet/24443168: *cache_mainnet_24443168.json can't be read: {reason}"])


def test_a_program_is_a_file(bench: Bench) -> None:
    bench.program("base")
    pipe(bench.path / "bin" / "head")
    result = bench.compare("bin/head", "bin/base")
    result.stdout.fnmatch_lines(
        ["*--ethrex-replay: */bin/head can't be read: it is a named pipe, not a file*"]
    )
    assert result.ret != pytest.ExitCode.OK


def test_a_baseline_is_a_file(bench: Bench, other: tuple[Callable[[Path], None], str]) -> None:
    make, reason = other
    bench.record(bench.program("head"))
    (file,) = store.files(bench.path / "baselines")
    make(file)
    result = bench.gate("--ethrex-replay=bin/head")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{file.name}: cannot be read: {reason}*"])


def test_an_entry_of_the_archive_is_a_file(tmp_path: Path, other: tuple[Callable[[Path], None], str]) -> None:
    make, _ = other
    for name in ("12" * 32, "34" * 32 + ".json"):
        make(tmp_path / name)
        assert Archive(tmp_path, 2**20).state(name[:64]) == "damaged"


def test_a_reference_and_stacks_beside_a_baseline_are_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: tuple[Callable[[Path], None], str]
) -> None:
    make, reason = other
    file = store.path(tmp_path, BLOCK, "ethrex", MACHINE.key)
    store.write(file, make_baseline())
    make(file.parent / "reference-x.json")
    make(stacks.path(file))
    assert cli.main(["baseline", "verify", f"--baselines={tmp_path}"]) == 1
    out = capsys.readouterr().out
    assert f"reference-x.json: cannot be read: {reason}" in out
    assert f"{stacks.path(file)}: can't be read: {reason}" in out


def test_other_readers_refuse_it(tmp_path: Path, other: tuple[Callable[[Path], None], str]) -> None:
    make, reason = other
    make(tmp_path / "given")
    with pytest.raises(OSError, match=reason):
        cachefile.read(tmp_path / "given")
    with pytest.raises(OSError, match=reason):
        samply._load(tmp_path / "given")


def test_nothing_is_written_in_its_place(
    tmp_path: Path, bench: Bench, other: tuple[Callable[[Path], None], str]
) -> None:
    make, reason = other
    make(tmp_path / "given")
    with pytest.raises(OSError, match=reason):
        files.replace(tmp_path / "given", b"content")
    wanted = f"--ethrex-json={tmp_path / 'given'}"
    result = bench.compare(bench.program("head"), bench.program("base"), wanted)
    result.stdout.fnmatch_lines([f"not written: */given (--ethrex-json): {reason}"])
    assert not stat.S_ISREG((tmp_path / "given").stat().st_mode)


def test_a_step_summary_that_is_a_pipe_is_a_note(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(bench.path / "summary")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "summary"))
    result = bench.compare(bench.program("head"), bench.program("base"))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["note: not written: *summary*: it is a named pipe, not a file"])


def test_links_to_files_are_files(tmp_path: Path) -> None:
    shutil.copy(RECORDED / "recorded.json", tmp_path / "results.json")
    (tmp_path / "link").symlink_to("results.json")
    assert regular_file.content(tmp_path / "link") == (RECORDED / "recorded.json").read_bytes()
