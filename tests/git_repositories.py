"""Two small git repositories, as ethrex and ethrex-replay are to each other, and `[build]` for them.

The engine says in a constant how much work an execution is; the harness is a program that does it. Both are
C, and are compiled one by one, so that a build can be seen to be incremental.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_ethrex_perf.config import build_table

WHO = {
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "A. Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
COMMAND = (
    "set -e; cd {target}; for file in {source}/engine.c {harness}/main.c; do "
    "object=$(basename $file).o; "
    '[ $object -nt $file ] || { echo "compiling $(basename $file)"; cc -O1 -c -o $object $file; }; '
    "done; cc -o ethrex-replay engine.c.o main.c.o"
)
MAIN = '#include <stdio.h>\nint engine(void);\nint main(void) { return printf("%d\\n", engine()) < 0; }\n'


def need(*tools: str) -> None:
    """Skip the test where one of `tools` is not installed."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


class GitRepository:
    """A repository of a test, in which nothing of this machine's git configuration counts."""

    def __init__(self, path: Path) -> None:
        need("git")
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        """Run git in it; return what it prints."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            ["git", *words],
            cwd=self.path,
            env={**environ, **WHO},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write(self, name: str, content: str) -> None:
        """Write a file, and commit nothing."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def commit(self, subject: str, **files: str) -> str:
        """Commit `files` (`engine_c="…"` is engine.c) and whatever lies there; return the commit."""
        for name, content in files.items():
            self.write(name.replace("_", ".", 1), content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")


def engine(number: int) -> str:
    """The source of an engine."""
    return f"int engine(void) {{ return {number}; }}\n"


def table(engine_path: Path, harness_path: Path | None = None, **values: object) -> build_table.BuildTable:
    """`[build]` of an engine and a harness."""
    written: dict[str, object] = {
        "repository": str(engine_path),
        "command": COMMAND,
        "artifact": "ethrex-replay",
        **({} if harness_path is None else {"harness": {"repository": str(harness_path)}}),
        **values,
    }
    return build_table.read(written, Path("ethrex-perf.toml"))
