"""--ethrex-samples-csv: a line for each invocation."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_is_written_from_the_result(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=5", "--ethrex-samples-csv=out/file")
    result.stdout.fnmatch_lines([f"written: {bench.path}/out/file (--ethrex-samples-csv)"])
    lines = list(csv.DictReader((bench.path / "out" / "file").read_text().splitlines()))
    assert len(lines) == sum(len(bench.calls(program)) for program in (head, base))
    assert {line["side"] for line in lines} == {"base", "head"}
