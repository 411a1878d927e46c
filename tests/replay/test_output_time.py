"""What a program prints is read in time in proportion to its length, whatever it is."""

from __future__ import annotations

import time

import pytest

from pytest_ethrex_perf.host.process import Finished
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Usage
from pytest_ethrex_perf.replay import failure, output

LINES = {
    "hex": "0123456789abcdef",
    "one letter": "a",
    "spaces": " ",
    "colons": "a: ",
    "escapes": "\x1b]",
    "colours": "\x1b[0m",
    "execution errors": "Execution Error: ",
    "failed": "Execution Result: !",
    "explorers": " | https://x",
    "panics": "thread '' ",
    "numbers": "1.0ms",
    "metric": "[METRIC] BLOCK EXECUTION THROUGHPUT TIME SPENT: 1 ",
    "newlines": "x\n",
}


def seconds(text: str) -> float:
    """CPU time of reading `text` on both streams: the best of three, since others use the machine too."""
    usage = Usage(user_ns=0, system_ns=0, max_rss_kib=0, voluntary_switches=0, involuntary_switches=0)
    finished = Finished(
        returncode=1,
        timed_out=False,
        stdout=text,
        stderr=text,
        left_out=0,
        usage=usage,
        wall_ns=1,
        started="",
    )
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        read = output.parse(text)
        failure.of_measurement(finished, read, block=BlockId("hoodi", 1), repeat=2, timeout=None)
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("name", LINES)
def test_ten_times_the_output_takes_about_ten_times_as_long(name: str) -> None:
    piece = LINES[name]
    small, large = (piece * (size // len(piece)) + "\n" for size in (40_000, 400_000))
    # quadratic would be a hundred times; a few milliseconds are the floor that a ratio needs
    assert seconds(large) < 40 * max(seconds(small), 0.002)
