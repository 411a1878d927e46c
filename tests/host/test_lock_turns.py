"""The workers of one distributed run take turns on a host, and wait for each other as long as it takes."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_ethrex_perf.host import lock

if TYPE_CHECKING:
    from pathlib import Path

TURNS = """
import sys, time
from pytest_ethrex_perf.host.lock import measuring
sys.stdin.readline()
for _ in range(4):
    with measuring("worker", timeout=0, run="one run"):
        print(sys.argv[1], flush=True)
        time.sleep(0.3)
"""


def test_workers_of_one_run_take_turns(locks: Path, tmp_path: Path) -> None:
    log = tmp_path / "turns"
    with log.open("ab") as out:
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", TURNS, name],
                env=os.environ | {"TMPDIR": str(locks)},
                stdin=subprocess.PIPE,
                stdout=out,
                text=True,
            )
            for name in "ab"
        ]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        assert [worker.wait() for worker in workers] == [0, 0]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
    order = log.read_text().split()
    assert sorted(order) == list("aaaabbbb")
    assert all(before != after for before, after in itertools.pairwise(order[:-1]))


def test_a_worker_says_that_it_is_one_of_a_run() -> None:
    with lock.measuring("me", timeout=0, run="one run"):
        holder = lock.holder()
        assert holder is not None
        assert holder.run == "one run"
        assert (
            json.loads((lock.directory() / f"measuring-{os.getuid()}.holder").read_text())["run"] == "one run"
        )
