"""The same with opcodes, counted by the embedded program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.embedded.bundled import bundled_dir
from pytest_ethrex_perf.embedded.cachefile import cache_path
from pytest_ethrex_perf.embedded.devblock import make
from pytest_ethrex_perf.embedded.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_reads_writes_and_opcodes_are_those_that_are_executed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, mix in enumerate(("transfers", "storage"), 10):
        recipe = Recipe(txs=2, mix=(mix,), number=number)
        cache_path(tmp_path, "hoodi", number).write_text(make(recipe))
    assert cli.main(["blocks", "suggest", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split() == [
        *("block", "gas", "txs", "reads", "writes", "creates", "precomp.", "opcodes", "witness")
    ]
    assert lines[4].startswith("hoodi/11 ")
    reads, writes = (int(word) for word in lines[4].split()[3:5])
    assert reads > writes > 10
    assert "hoodi/11: most gas, most reads, most writes, most opcodes, most witness" in lines


def test_more_gas_than_may_be_executed_is_counted_from_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["blocks", "suggest", "bundled", "--execute", "1"]) == 0
    text = capsys.readouterr().out
    assert "note: opcodes are not counted: the blocks have 3.1 M gas together: --execute 4" in text
    assert f"1 of 1 block in {bundled_dir()}" in text
