"""--ethrex-openmetrics: OpenMetrics text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_is_written_from_the_result(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=5", "--ethrex-openmetrics=out/file")
    result.stdout.fnmatch_lines([f"written: {bench.path}/out/file (--ethrex-openmetrics)"])
    text = (bench.path / "out" / "file").read_text(encoding="utf-8")
    assert (
        'ethrex_perf_verdict{block="mainnet/24443168",metric="exec",ethrex_perf_verdict="regression"} 1'
        in text
    )
    assert text.endswith("\n# EOF\n")
