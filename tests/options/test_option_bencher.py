"""--ethrex-bencher: Bencher Metric Format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_is_written_from_the_result(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=5", "--ethrex-bencher=out/file")
    result.stdout.fnmatch_lines([f"written: {bench.path}/out/file (--ethrex-bencher)"])
    measures = bench.json("out/file")["mainnet/24443168"]
    assert 60e6 < measures["latency"]["value"] < 70e6
    assert 0.5 < measures["ggas-per-second"]["value"] < 0.7
