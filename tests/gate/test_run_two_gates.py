"""Two gates started at once on one host: the second waits, says for whom, and then measures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

from tests.conftest import BLOCK
from tests.faults import fake_replay

if TYPE_CHECKING:
    from tests.conftest import Bench


def start(bench: Bench, program: str, *arguments: str) -> subprocess.Popen[str]:
    words = (
        f"--ethrex-block={BLOCK}",
        f"--ethrex-replay={program}",
        f"--ethrex-base={bench.program('base')}",
    )
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "pytest", "-p", "no:cacheprovider", *words, *arguments],
        cwd=bench.path,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        stdout=subprocess.PIPE,
        text=True,
    )


def line_with(words: str, stream: IO[str] | None) -> str:
    assert stream is not None
    return next(line for line in stream if words in line)


def test_the_second_waits_says_for_whom_and_then_measures(bench: Bench) -> None:
    hanging = bench.program("hanging", behaviour={"1": "hang"})
    second = None
    with start(bench, hanging) as first:
        try:
            while not fake_replay.children(bench.path / hanging):
                assert first.poll() is None, "it measures, and holds the machine"
                time.sleep(0.01)
            second = start(bench, bench.program("head"))
            told = line_with("waiting", second.stdout)
            assert "waiting up to 1800 s for pytest --ethrex-block" in told
            assert f"(process {first.pid}, since " in told
            assert bench.calls("bin/head") == [], "it has measured nothing yet"
        finally:
            first.send_signal(signal.SIGINT)
            first.communicate()
    with second:
        out, _ = second.communicate()
    assert second.returncode == 0, out
    assert "1 passed" in out
    assert len(bench.calls("bin/head")) >= 6
