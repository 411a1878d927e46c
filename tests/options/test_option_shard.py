"""--ethrex-shard: parts of one run, which spend alpha as the whole does."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.cli import main

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def sides(bench: Bench) -> tuple[str, ...]:
    """Two programs, and the shortest plan there is, for five blocks."""
    bench.cache(1, 2, 3, 4, 5)
    head, base = bench.program("head"), bench.program("base")
    return (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-looks=6", "--ethrex-repeat=3")


def test_each_block_is_in_one_shard_and_every_verdict_is_the_whole_runs(
    bench: Bench, sides: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for shard in ("1/2", "2/2"):
        bench.gate(*sides, f"--ethrex-shard={shard}", f"--ethrex-json={shard[0]}.json", block="1..5")
    first, second = bench.results("1.json"), bench.results("2.json")
    assert sorted(block.block for run in (first, second) for block in run.blocks) == [
        f"mainnet/{number}" for number in range(1, 6)
    ]
    assert {run.gatings for run in (first, second)} == {5}
    assert {m.rules.gatings for run in (first, second) for block in run.blocks for m in block.metrics} == {
        5.0
    }
    assert (first.shard, second.shard) == ("1/2", "2/2")
    assert not any("shard" in block.reproduce for run in (first, second) for block in run.blocks)
    monkeypatch.chdir(bench.path)
    assert main(["merge", "1.json", "2.json", "-o", "all.json"]) == 0
    assert bench.results("all.json").blocks == (*first.blocks, *second.blocks)
    assert main(["merge", "1.json", "-o", "all.json"]) == 2


def test_the_others_are_deselected(bench: Bench, sides: tuple[str, ...]) -> None:
    result = bench.gate(*sides, "--ethrex-shard=1/5", block="1..5")
    result.assert_outcomes(passed=1, deselected=4)


def test_a_selection_is_divided_not_the_whole_list(bench: Bench, sides: tuple[str, ...]) -> None:
    for shard in ("1/2", "2/2"):
        result = bench.gate(*sides, f"--ethrex-shard={shard}", "-k", "mainnet/2 or mainnet/4", block="1..5")
        result.assert_outcomes(passed=1, deselected=4)


def test_the_dearest_blocks_are_spread(bench: Bench, sides: tuple[str, ...]) -> None:
    """By the recorded wall time, not by the number of blocks."""
    bench.record(bench.program("slow", exec_ms=60), block="3").assert_outcomes(passed=1)
    (file,) = (bench.path / "baselines").rglob("*.json")
    for number in (1, 2, 4, 5):
        bench.record(bench.program("slow", exec_ms=60), block=str(number))
    dear = bench.path / "baselines" / "mainnet" / "3" / file.name
    text = dear.read_text()
    dear.write_text(re.sub(r'"wall_ns": ?(\d+)', lambda m: f'"wall_ns": {int(m[1]) * 100}', text))
    alone = bench.gate(*sides, "--ethrex-shard=1/2", "-v", block="1..5")
    alone.assert_outcomes(passed=1, deselected=4)
    alone.stdout.fnmatch_lines(["*mainnet/3*PASSED*"])
    shutil.rmtree(bench.path / "baselines")
    bench.gate(*sides, "--ethrex-shard=1/2", block="1..5").assert_outcomes(passed=3, deselected=2)


def test_all_tests_of_a_block_are_in_its_shard(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ethrex_block(1, 2, margin="2%")
        def test_block(ethrex_block):
            ethrex_block.gate()

        def test_other():
            pass
        """
    )
    for shard in ("1/2", "2/2"):
        result = bench.gate(".", *sides, f"--ethrex-shard={shard}", "--ethrex-json=r.json", block="1..2")
        result.assert_outcomes(passed=3, deselected=2)  # tests without a block run in every shard
        assert bench.results("r.json").gatings == 4


def test_the_mean_over_blocks_needs_all_of_them(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.gate(*sides, "--ethrex-shard=1/1", block="1..5").assert_outcomes(passed=5)
    bench.gate(*sides, block="1..5").assert_outcomes(passed=6)


def test_more_shards_than_blocks_are_refused(bench: Bench, sides: tuple[str, ...]) -> None:
    result = bench.gate(*sides, "--ethrex-shard=3/3", block="1..2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ethrex-shard 3/3: only 2 blocks for 3 shards: some would be empty"])


@pytest.mark.parametrize("value", ["0/2", "3/2", "2", "a/b", "1/2/3", "", "-1/2"])
def test_a_bad_value_is_one_line_that_shows_the_form(bench: Bench, value: str) -> None:
    assert "write it as I/N with I from 1 to N, like 2/5" in bench.refuse(
        "--ethrex-block=1", f"--ethrex-shard={value}"
    )
