"""--ethrex-smaller-is-better: what github-action-benchmark reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_is_written_from_the_result(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=5", "--ethrex-smaller-is-better=out/file")
    result.stdout.fnmatch_lines([f"written: {bench.path}/out/file (--ethrex-smaller-is-better)"])
    entries = {entry["name"]: entry for entry in bench.json("out/file")}
    assert entries["mainnet/24443168 exec"]["unit"] == "ms"
    assert 60 < entries["mainnet/24443168 exec"]["value"] < 70
