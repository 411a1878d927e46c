"""What the commands print of files that an earlier version recorded.

`files/` was measured and written by the commit ba59287, before the package was divided into rooms (a baseline
with two epochs, results of every mode), and stays as it is: it stands for what users have committed.
`printed/` is what the commands printed of it then. Where something is printed otherwise on purpose,
`make golden` (`python -m tests.recorded.printed`) writes `printed/` anew: look at what has changed first.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from pytest_ethrex_perf import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
FILES = HERE / "files"
PRINTED = HERE / "printed"
BASELINES = FILES / "baselines" / "mainnet"
RESULTS = ("interleaved", "stored", "recorded", "refused", "mean", "counted")
TWO_EPOCHS = "baselines/mainnet/24443168/ethrex-bench.json"

_ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1", "PYTEST_ADDOPTS": "", "GITHUB_STEP_SUMMARY": ""}
_FLOAT = re.compile(r"\d+\.\d{7,}(e-?\d+)?")  # another scipy's last digits are other ones
_USAGE = re.compile(r"^usage: .*?\n\n", re.DOTALL)
_SHORT = re.compile(
    r"(-\w) [A-Z]+, (--\S+ [A-Z]+)"
)  # argparse repeats the metavar, since Python 3.13 no more

COMMANDS = {
    "baseline-list": "baseline list",
    "baseline-show": "baseline show 24443168 --machine bench",
    "baseline-show-prep": "baseline show 24443168 --machine bench --metric prep",
    "baseline-show-counted": "baseline show 24443170",
    "baseline-show-reference": "baseline show 24443168 --machine ethrex-office-4",
    "baseline-diff": f"baseline diff {TWO_EPOCHS}@91a7 24443168@v8 --machine bench",
    "baseline-verify": "baseline verify",
    "baseline-accept": "baseline accept refused.json --reason faster",
    "baseline-accept-contradiction": "baseline accept stored.json",
    "baseline-accept-counted": "baseline accept counted.json --baselines others",
    "baseline-prune": "baseline prune 24443168 --keep-epochs 1",
    "baseline-tag": "baseline tag 24443168 v9",
    "compare": "compare recorded.json stored.json",
    "compare-sides": "compare interleaved.json:base interleaved.json:head --metrics exec,prep,instructions",
    "plan": "plan interleaved.json",
    "plan-baseline": f"plan {TWO_EPOCHS} --effect 2%",
    "report-csv": "report interleaved.json --csv report.csv",
    **{f"explain-{name}": f"explain {name}.json" for name in (*RESULTS, "older")},
    **{f"report-{name}": f"report {name}.json" for name in RESULTS},
    **{f"report-markdown-{name}": f"report {name}.json --markdown report.md" for name in RESULTS},
}


def printed(command: str) -> str:
    """Return what `command` prints and writes in a directory with the files, and its exit code."""
    with tempfile.TemporaryDirectory() as directory, mock.patch.dict(os.environ, _ENVIRONMENT):
        root = Path(directory, "ethrex")
        shutil.copytree(FILES, root)
        output, errors = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(root),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            code = cli.main(command.split())
        parts = [f"$ ethrex-perf {command}\n", output.getvalue(), errors.getvalue(), f"exit code {code}\n"]
        parts += [f"\n=== {path}\n{text}" for path, text in _changed(root)]
    return _FLOAT.sub(lambda number: f"{float(number[0]):.6g}", "".join(parts))


def _changed(root: Path) -> Iterator[tuple[Path, str]]:
    """The files below `root` that are not as they were recorded, by their names."""
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root)
        if file.is_file() and not file.name.endswith(".lock"):
            text = file.read_text(encoding="utf-8")
            if not (FILES / path).exists() or (FILES / path).read_text(encoding="utf-8") != text:
                yield path, text


def helps() -> dict[str, str]:
    """`--help` of every command and verb, by its words, without the line that says how it is used."""
    with mock.patch.dict(os.environ, _ENVIRONMENT):
        return dict(_helps("ethrex-perf", cli.parser()))


def _helps(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    yield name, _SHORT.sub(r"\1, \2", _USAGE.sub("", parser.format_help()))
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, subparser in action.choices.items():
                yield from _helps(f"{name} {verb}", subparser)


def pytest_help() -> str:
    """Return what `pytest --help` says of our options and their ini forms."""
    with tempfile.TemporaryDirectory() as directory:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "--help", "-p", "no:cacheprovider"],
            cwd=directory,
            env=os.environ | _ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
    groups = re.findall(r"^ethrex: .*\n(?: .*\n)*", ran.stdout, re.MULTILINE)
    ini = re.findall(r"^  ethrex_.*\n(?: {3,}.*\n)*", ran.stdout, re.MULTILINE)
    return "\n".join((*groups, "".join(ini)))


def all_helps() -> str:
    """Return every help that there is, one after the other."""
    return "\n".join(
        f"=== {name} --help\n{text}" for name, text in [*helps().items(), ("pytest", pytest_help())]
    )


def main() -> None:
    """Write all of it."""
    PRINTED.mkdir(exist_ok=True)
    for old in PRINTED.iterdir():
        old.unlink()
    for name, command in COMMANDS.items():
        (PRINTED / f"{name}.txt").write_text(printed(command), encoding="utf-8")
    (PRINTED / "help.txt").write_text(all_helps(), encoding="utf-8")


if __name__ == "__main__":
    main()
