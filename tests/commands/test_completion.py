"""What a shell completes: bash is asked for real."""

from __future__ import annotations

import builtins
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf import cli

if TYPE_CHECKING:
    from collections.abc import Mapping

BIN = Path(sys.executable).parent
ASK = """
eval "$(ethrex-perf completion bash)"
while IFS= read -r line; do
  COMP_LINE="$line" COMP_POINT=${#line} COMP_TYPE=9 COMPREPLY=()
  _python_argcomplete "${line%% *}" 2>/dev/null
  echo "$line:${COMPREPLY[*]}"
done
"""
LINES = {
    "ethrex-perf baseline di": "diff",
    "ethrex-perf bisect --alph": "--alpha",
    "ethrex-perf bisect --counters ": "auto perf callgrind off",
    "ethrex-perf bisect --network h": "hoodi holesky",
    "ethrex-perf bisect --cache-dir a": "a_folder/",
    "ethrex-perf report a": "a_file.json a_folder/",
    "ethrex-perf plan --power ": "",
    "pytest --ethrex-ba": "--ethrex-base --ethrex-base-label --ethrex-baselines",
    "pytest --ethrex-report=a_fo": "a_folder/",
}


@pytest.fixture(scope="module")
def completed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What bash completes of each line, in a folder with a file and a folder."""
    pytest.importorskip("argcomplete")
    if shutil.which("bash") is None or not (BIN / "ethrex-perf").exists():
        pytest.skip("bash and an installed ethrex-perf: missing")
    where = tmp_path_factory.mktemp("shell")
    (where / "a_file.json").touch()
    (where / "a_folder").mkdir()
    ran = subprocess.run(
        ["bash", "--norc", "-c", ASK],
        input="\n".join([*LINES, ""]),
        cwd=where,
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split(":", 1) for line in ran.stdout.splitlines())


@pytest.mark.parametrize("line", LINES)
def test_bash_completes_verbs_options_words_and_files(line: str, completed: Mapping[str, str]) -> None:
    assert sorted(completed[line].split()) == sorted(LINES[line].split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_runs_names_both_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("argcomplete")
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "ethrex-perf" in script
    assert "pytest" in script


def test_without_argcomplete_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("argcomplete"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert cli.main(["completion", "bash"]) == cli.EXIT_USAGE
    assert "pip install argcomplete" in capsys.readouterr().err
