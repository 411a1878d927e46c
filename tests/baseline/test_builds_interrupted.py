"""A build that is interrupted leaves nothing running, and nothing half-built in the archive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

TABLE = """[build]
repository = "engine"
command = "echo '#!/bin/sh' > {target}/program; chmod +x {target}/program; echo $$ > {target}/pid; sleep 600"
artifact = "program"
"""
PYTEST = ["-m", "pytest", "-p", "no:cacheprovider", "--ethrex-block=24443168", "--ethrex-replay=git:HEAD"]
BUILD = "from pytest_ethrex_perf.cli import main; raise SystemExit(main(['build', 'HEAD']))"


def begun(cache: Path) -> int:
    """The process of the build, as soon as it has written its program."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for file in cache.glob("pytest-ethrex-perf/builds/*/work/target/pid"):
            if text := file.read_text().strip():
                return int(text)
        time.sleep(0.05)
    raise AssertionError("the build has not begun")


@pytest.mark.parametrize(
    ("number", "words", "code"),
    [
        (signal.SIGINT, ["-c", BUILD], 130),
        (signal.SIGTERM, PYTEST, 143),
    ],
    ids=["build", "gate"],
)
def test_nothing_runs_on_and_nothing_is_kept(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    number: signal.Signals,
    words: list[str],
    code: int,
) -> None:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    cache = tmp_path_factory.mktemp("interrupted")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    GitRepository(bench.path / "engine").commit("The engine")
    bench.configure(TABLE)
    with subprocess.Popen([sys.executable, *words], cwd=bench.path, stdout=subprocess.PIPE) as run:
        try:
            build = begun(cache)
            run.send_signal(number)
            assert run.wait(60) == code
        finally:
            run.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(build, 0)
    archive = cache / "pytest-ethrex-perf" / "programs"
    assert not archive.exists() or not list(archive.rglob("*.json"))
