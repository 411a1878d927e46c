"""A git repository whose commits lie in a line, made by a test."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WHO = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Line:
    """A repository of commits in a line, `ids[0]` the oldest; skips the test where there is no git."""

    def __init__(self, path: Path) -> None:
        if shutil.which("git") is None:
            pytest.skip("git is not installed")
        self.path = path
        self.ids: list[str] = []
        path.mkdir(parents=True)
        self.git("init", "--quiet")

    def commit(self, subject: str, files: Mapping[str, str] | None = None) -> str:
        """Commit these files; return the hash."""
        for name, content in (files or {}).items():
            (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        self.ids.append(self.git("rev-parse", "HEAD").strip())
        return self.ids[-1]

    def git(self, *words: str) -> str:
        """Run git there; return what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environ = {**kept, **_WHO, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(
            ["git", *words], cwd=self.path, env=environ, check=True, capture_output=True, text=True
        ).stdout
