"""What is said of a cache file that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.records import workload
from pytest_ethrex_perf.records.block import BlockId, of_workload
from pytest_ethrex_perf.replay import cache, missing_cache


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


def test_the_command_that_fetches_it_puts_it_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    block = BlockId("mainnet", 7)
    assert "`ethrex-perf fetch mainnet/7`" in missing_cache.message(
        cache.path(Path("replay_cache"), block), block
    )
    elsewhere = cache.path(tmp_path / "a b", block)
    assert f"`ethrex-perf fetch mainnet/7 --cache-dir='{tmp_path}/a b'`" in missing_cache.message(
        elsewhere, block
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["blocks", "suggest", "no"], "ethrex-perf: no: there is no such directory: fetch some"),
        (
            ["fetch", "mainet:7", "--replay=/bin/true", "--rpc-url=http://127.0.0.1:1"],
            "ethrex-perf: mainet/7: there is no network mainet: did you mean mainnet:7?",
        ),
    ],
)
def test_commands_say_it_before_they_start_anything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) in {cli.EXIT_FAILED, cli.EXIT_USAGE}
    assert said in capsys.readouterr().err
