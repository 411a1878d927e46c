"""A repository to gate: two commits, of which the second may be slower, and programs that take no time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests import cache_file
from tests.faults import fake_replay

BLOCKS = (1, 2)
ROOT = Path(__file__).parents[2]
_PLUGINS = (
    "no:cacheprovider",
    "no:codspeed",
    "no:hypothesispytest",
    "tests.instant_programs",
    "tests.whole_programs",
)
_BUILD = """
blocks = [1, 2]
repeat = 3
invocations = 2
counters = "off"
profile = "off"
[build]
command = "cp program {target}/ethrex-replay"
artifact = "ethrex-replay"
"""


class Scratch:
    """A clone with a branch `main` on its remote and a head that is checked out."""

    def __init__(self, path: Path) -> None:
        self.path = path / "ethrex"
        self.remote = path / "remote.git"
        self.environ = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
            "XDG_CACHE_HOME": str(path / "cache"),
            "TMPDIR": str(path / "locks"),
            "PYTHONPATH": str(ROOT),
            "PYTEST_ADDOPTS": " ".join(f"-p {plugin}" for plugin in _PLUGINS),
            "ETHREX_RPC_URL": "",
        }  # fmt: skip
        (path / "locks").mkdir()
        self._run("git", "init", "-q", "--bare", "-b", "main", str(self.remote), cwd=path)
        self._run("git", "init", "-q", "-b", "main", str(self.path), cwd=path)
        self.git("remote", "add", "origin", str(self.remote))
        (self.path / "ethrex-perf.toml").write_text(_BUILD)
        (self.path / ".gitignore").write_text("ethrex-perf-results/\nethrex-perf-logs/\n")
        for number in BLOCKS:
            cache_file.write(self.path / "replay_cache", number)
        self.commit("the base", exec_ms=60)
        self.git("push", "-q", "origin", "main")
        self.git("remote", "set-head", "origin", "main")

    def commit(self, subject: str, *, exec_ms: float) -> str:
        """Commit a program of that speed; return the commit."""
        plan = {
            "exec_ms": exec_ms,
            "prep_ms": 30,
            "noise": 0.003,
            "seed": len(subject),
            "gas": 37_500_000,
            "txs": 442,
        }
        written = fake_replay.write(self.path.parent / "written", "program", plan)
        (self.path / "program").write_text(written.read_text())
        (self.path / "program").chmod(0o755)
        self.git("add", "--all")
        self.git("commit", "-q", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        return self._run("git", *words, cwd=self.path)

    def _run(self, *words: str, cwd: Path) -> str:
        environ = {**os.environ, **self.environ}
        ran = subprocess.run(words, cwd=cwd, env=environ, check=True, capture_output=True, text=True)
        return ran.stdout.strip()
