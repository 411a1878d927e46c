"""The embedded program under callgrind, end to end, for real."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_ethrex_perf.blocks import BlockId
from pytest_ethrex_perf.counters.callgrind import Callgrind
from pytest_ethrex_perf.embedded.devblock import Recipe, make
from pytest_ethrex_perf.replay.invocation import invoke
from pytest_ethrex_perf.replay.program import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.counters import callgrind


def test_instructions_of_a_repeat_are_counted(valgrind: callgrind.Tool, tmp_path: Path) -> None:
    recipe = Recipe(txs=1, mix=("transfers",), seed=7, number=9_000_100)
    (tmp_path / f"cache_hoodi_{recipe.number}.json").write_text(make(recipe))
    found = invoke(
        resolve("embedded", cwd=tmp_path, environ=os.environ),
        BlockId("hoodi", recipe.number),
        cache_dir=tmp_path,
        repeat=2,
        timeout=3600,
        environ=os.environ,
        log_dir=tmp_path,
        label="head-001",
        instrument=Callgrind(valgrind, repeats=2),
    )
    count = found.counts["instructions"]
    assert count.identity == "instructions:u by callgrind (difference, repeat)"
    assert found.opcodes is not None
    # Python takes thousands of instructions for an opcode, and loading (4,400 million of them) is not in it
    assert 1_000 * found.opcodes < (count.value or 0) < 1_000_000_000
