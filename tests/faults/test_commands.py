"""Whatever a command is given, and whatever happens to it: one line and an exit code, never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.baseline import stacks, store
from pytest_ethrex_perf.errors import unexpected
from pytest_ethrex_perf.records import results_file
from tests.baseline.builders import BLOCK, MACHINE, make_baseline

if TYPE_CHECKING:
    from argparse import Namespace

COMMAND = "import sys; from pytest_ethrex_perf.cli import main; sys.exit(main())"
RECORDED = Path(__file__).parent.parent / "recorded" / "files"
FULL = Path("/dev/full")
DEEP = b"[" * 100_000 + b"]" * 100_000
LONG = b"9" * 5_000
DAMAGED = {
    "empty": b"",
    "bytes": b"\xff\xfe",
    "deep": DEEP,
    "long": b'{"schema":' + LONG + b"}",
    "deep blocks": b'{"blocks":' + DEEP + b"}",
    "deep epochs": b'{"epochs":' + DEEP + b"}",
    "half": b'{"schema":1}',
    "list": b"[]",
}


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def replace_doctor(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def add_commands(subparsers: cli.Subparsers) -> None:
        def fail(_: Namespace) -> int:
            raise error

        subparsers.add_parser("break").set_defaults(run=fail)

    monkeypatch.setattr(cli, "COMMANDS", (add_commands,))


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "ethrex-perf: interrupted"),
        (
            ZeroDivisionError("by\n\x1b[2J0"),
            2,
            "ethrex-perf: unexpected ZeroDivisionError: by ?[2J0 (at test_",
        ),
        (RecursionError(), 2, "ethrex-perf: unexpected RecursionError: no message (at test_"),
        (PermissionError(13, "Permission denied", "/x"), 2, "ethrex-perf: /x: Permission denied"),
        (OSError(28, "No space left on device"), 2, "ethrex-perf: standard output: No space left on device"),
    ],
)
def test_what_nobody_foresaw_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    replace_doctor(monkeypatch, error)
    assert cli.main(["break"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_long_message_is_cut() -> None:
    assert len(unexpected(ValueError("x" * 10_000))) < 500


def test_what_stdout_cannot_encode_is_written_in_letters() -> None:
    ran = run("explain", str(RECORDED / "interleaved.json"), PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.isascii()
    assert "->" in ran.stdout
    assert "\\u" not in ran.stdout


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_full_stdout_is_said() -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", COMMAND, "baseline", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (2, "ethrex-perf: standard output: No space left on device\n")


@pytest.mark.parametrize("words", [["compare", "{}", "{}"], ["explain", "{}"], ["report", "{}"]])
@pytest.mark.parametrize(
    "content",
    DAMAGED.values(),
    ids=DAMAGED,
)
def test_a_file_that_is_no_results_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], content: bytes
) -> None:
    file = tmp_path / 'it\'s "quoted".json'
    file.write_bytes(content)
    assert cli.main([word.format(file) for word in words]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"ethrex-perf: {file}: not a results file ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    DAMAGED.values(),
    ids=DAMAGED,
)
def test_a_file_that_is_no_baseline_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = store.path(tmp_path, BLOCK, "ethrex", MACHINE.key)
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert cli.main(["baseline", "show", str(BLOCK), f"--baselines={tmp_path}"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"ethrex-perf: {file}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1f\x8b",
        gzip.compress(b"[]" * 100)[:-9],
        gzip.compress(b"[]" * 100)[:-4] + b"abcd",
        b"\x1f\x8b\x08\x00" + b"\xff" * 40,
        gzip.compress(DEEP),
        gzip.compress(b'{"names":["\xff"]}'),
        b"\xff\xfe\xff",
        b"a;b " + LONG,
    ],
    ids=["empty", "magic", "cut", "checksum", "damaged", "deep", "utf-8", "bytes", "long"],
)
@pytest.mark.parametrize("name", ["base.stacks.json.gz", "stacks.folded"])
def test_a_file_that_holds_no_stacks_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert cli.main(["stacks", str(file)]) in (1, 2)
    err = capsys.readouterr().err
    assert err.startswith(f"ethrex-perf: {file}: ")
    assert err.count("\n") == 1


def test_stacks_beside_a_baseline_that_are_damaged_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = store.path(tmp_path, BLOCK, "ethrex", MACHINE.key)
    file.parent.mkdir(parents=True)
    store.write(file, make_baseline())
    stacks.path(file).write_bytes(b"\x1f\x8b\x08\x00" + b"\xff" * 40)
    assert cli.main(["baseline", "verify", f"--baselines={tmp_path}"]) == 1
    assert f"{stacks.path(file)}: " in capsys.readouterr().out


def forged(tmp_path: Path, field: str, text: str) -> Path:
    """A results file with another network in its cache's identity, or another key of its machine."""
    content = (RECORDED / "recorded.json").read_text()
    content = re.sub(rf'("{field}": )"[^"]*"', lambda match: match[1] + json.dumps(text), content)
    file = tmp_path / "work" / "forged.json"
    file.parent.mkdir()
    file.write_text(content)
    return file


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a/b", "..", "", "a\nb", "x" * 300])
@pytest.mark.parametrize("field", ["network", "key"])
def test_accepting_a_forged_file_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, name: str
) -> None:
    file = forged(tmp_path, field, name)
    before = sorted(tmp_path.rglob("*"))
    code = cli.main(["baseline", "accept", str(file), f"--baselines={tmp_path / 'work' / 'baselines'}"])
    out, err = capsys.readouterr()
    assert code in (1, 2), out
    assert err.startswith(f"ethrex-perf: {file}: ")
    assert sorted(tmp_path.rglob("*")) == before


def test_accepting_a_run_without_blocks_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = msgspec.structs.replace(results_file.load(RECORDED / "recorded.json"), blocks=())
    file = tmp_path / "empty.json"
    file.write_text(results_file.dump(run))
    assert cli.main(["baseline", "accept", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"ethrex-perf: {file}: the run measured no block: ")
