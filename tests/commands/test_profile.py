from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli

if TYPE_CHECKING:
    from pytest_ethrex_perf.profile.perf import Perf


pytestmark = pytest.mark.usefixtures("locks")  # whoever measures on this machine does not matter


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert cli.main(arguments) == code
    return capsys.readouterr().out.splitlines()


def test_profile_writes_its_files_and_says_what_changed(
    perf: Perf, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert perf
    monkeypatch.chdir(tmp_path)
    sides = ("--replay", f"{toy} --unit 100000 --slow 60", "--base", f"{toy} --unit 100000")
    lines = said(capsys, "profile", "24443168", *sides, "--invocations", "1", "--repeat", "5", "--out", "out")
    assert lines[0].startswith("mainnet/24443168, ")
    assert any(line.startswith("exec ") and "of the profiled invocations" in line for line in lines)
    assert any(line.endswith("ethrex_trie::Node::encode") for line in lines)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "base.folded",
        "firefox.json",
        "flamegraph.html",
        "head.folded",
        "speedscope.json",
    ]
    lines = said(capsys, "stacks", "out/head.folded", "--phase", "exec", "-n", "1")
    assert lines[-1].endswith("ethrex_trie::Node::encode")


def test_profile_says_how_many_stacks_were_cut_off(
    perf: Perf,
    deep: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert perf
    monkeypatch.chdir(tmp_path)
    lines = said(capsys, "profile", "1", "--replay", f"{deep} 100", "--repeat", "2")  # more than perf takes
    assert lines[0].endswith("dwarf frames of 32 KiB), 2 repeats")
    (note,) = [line for line in lines if "cut off: " in line]
    assert float(note.split()[1]) > 90


def test_profile_is_of_one_block(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile", "1..3", "--replay", "true"]) == 2
    assert "'1..3' is 3 blocks: profile one at a time" in capsys.readouterr().err
