"""Every command of the tutorial, in its order: what it shows of an answer is in the answer."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests import cache_file
from tests.ci.scratch import Scratch
from tests.docs.console import Command, commands, run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tutorial.md").read_text()
BLOCK = 24443168
CARGO = """#!/bin/sh
# a cargo that compiles nothing
[ "$1" = build ] || exit 0
mkdir -p "$CARGO_TARGET_DIR/release" && cp program "$CARGO_TARGET_DIR/release/ethrex-replay"
"""


def part(start: str, end: str = "") -> list[Command]:
    """The commands from the heading `start` on, up to the heading `end`."""
    text = PAGE.split(f"\n## {start}\n")[1]
    return commands(text.split(f"\n## {end}\n")[0] if end else text)


def follow(typed: list[Command], cwd: Path, environ: dict[str, str]) -> None:
    """Type the commands, and compare."""
    answers = run(typed, cwd, environ)
    assert len(answers) == len(typed)
    for command, (code, output) in zip(typed, answers, strict=True):
        assert code == command.exit_code, f"$ {command.text}\n{output}"
        assert command.missing(output) == [], f"$ {command.text}\n{output}"


def home(path: Path) -> dict[str, str]:
    """The environment of somebody who has nothing but what was installed."""
    ours = ("ETHREX_", "PYTEST_", "GITHUB_", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    (path / "tmp").mkdir()
    return {
        **kept,
        "HOME": str(path),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTEST_ADDOPTS": "-p no:codspeed",
        "TMPDIR": str(path / "tmp"),
        "XDG_CACHE_HOME": str(path / "cache"),
        "COLUMNS": "160",
    }


def test_make_smoke_types_the_lines_that_install() -> None:
    """It takes the section's first block from the page; here it would be done once more."""
    section = PAGE.split("\n## Install\n")[1].split("\n## ")[0]
    assert section.count("```console\n") == 1
    assert commands(section)[-1].text == "pip install '.[embedded]'"
    assert '"$repository/docs/tutorial.md" >"$place/install"' in (ROOT / "tools/smoke").read_text()


@pytest.mark.skipif(importlib.util.find_spec("ethereum") is None, reason="[embedded] is not installed")
def test_the_first_red_build(tmp_path: Path) -> None:
    follow(part("The first gate", "With a real build"), tmp_path, home(tmp_path))


def test_with_a_real_build_and_in_a_ci(tmp_path: Path) -> None:
    """With programs of the tests in place of ethrex-replay's builds."""
    scratch = Scratch(tmp_path)
    environ = {**home(tmp_path), **scratch.environ, "TMPDIR": str(tmp_path / "tmp")}
    environ["PYTEST_ADDOPTS"] += " --ethrex-counters=off --ethrex-profile=off"
    tools = tmp_path / "tools"
    tools.mkdir()
    command = f'#!/bin/sh\nexec "{sys.executable}" -m tests.ci.ethrex_perf "$@"\n'
    for name, text in {"cargo": CARGO, "ethrex-perf": command}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    environ["PATH"] = f"{tools}{os.pathsep}{environ['PATH']}"

    shutil.rmtree(scratch.path / "replay_cache")
    scratch.git("rm", "-rq", "--cached", "ethrex-perf.toml", ".gitignore", "replay_cache")
    for name in ("ethrex-perf.toml", ".gitignore"):
        (scratch.path / name).unlink()
    (scratch.path / "Cargo.toml").write_text('[package]\nname = "ethrex-replay"\n')
    scratch.commit("A checkout of ethrex-replay", exec_ms=60)
    scratch.git("push", "-q", "origin", "main")
    scratch.git("switch", "-q", "-c", "branch")
    scratch.commit("Slower", exec_ms=70)
    cache_file.write(scratch.path / "replay_cache", BLOCK)
    scratch.path.rename(tmp_path / "ethrex-replay")

    follow(part("With a real build"), tmp_path, environ)
