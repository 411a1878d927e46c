"""--ethrex-csv: a line for each block and metric."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_is_written_from_the_result(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=5", "--ethrex-csv=out/file")
    result.stdout.fnmatch_lines([f"written: {bench.path}/out/file (--ethrex-csv)"])
    (line,) = csv.DictReader((bench.path / "out" / "file").read_text().splitlines())
    assert (line["block"], line["metric"], line["verdict"]) == ("mainnet/24443168", "exec", "regression")
    assert float(line["change"]) > 0.03
