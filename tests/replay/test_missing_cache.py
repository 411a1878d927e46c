"""What is said of a cache file that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import workload
from pytest_ethrex_perf.records.block import BlockId, of_workload
from pytest_ethrex_perf.replay import cache, missing_cache

if TYPE_CHECKING:
    from pathlib import Path


def reason(directory: Path, block: BlockId) -> str:
    return missing_cache.reason(cache.path(directory, block), block)


def test_of_a_block_that_is_cached_nowhere_nothing_is_known(tmp_path: Path) -> None:
    assert reason(tmp_path, BlockId("mainnet", 7)) == ""
    assert reason(tmp_path, of_workload(workload.parse("keccak"))) == ""


def test_a_network_of_ones_own_is_not_taken_for_a_slip(tmp_path: Path) -> None:
    assert reason(tmp_path, BlockId("devnet-3", 7)) == ""


def test_the_network_that_has_the_number_is_named_before_one_of_a_like_name(tmp_path: Path) -> None:
    (tmp_path / "cache_sepolia_7.json").touch()
    assert "did you mean sepolia:7?" in reason(tmp_path, BlockId("hodi", 7))
    assert reason(tmp_path, BlockId("hodi", 77)) == ": did you mean hoodi:77?"


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no"
    for block in (BlockId("mainnet", 7), of_workload(workload.parse("keccak"))):
        assert reason(missing, block) == f": there is no directory {missing}"
