"""--ethrex-cache-dir: where the cache files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.embedded.bundled import BLOCK, bundled_dir
from pytest_ethrex_perf.replay import cache

if TYPE_CHECKING:
    from tests.conftest import Bench


def cache_dir(call: dict[str, list[str]]) -> str:
    return call["argv"][call["argv"].index("--cache-dir") + 1]


def test_it_is_given_to_the_program(bench: Bench) -> None:
    bench.cache(7, directory="elsewhere/caches")
    program = bench.program("head")
    bench.record(program, "--ethrex-cache-dir=elsewhere/caches", block="7").assert_outcomes(passed=1)
    assert cache_dir(bench.calls(program)[0]) == str(bench.path / "elsewhere" / "caches")


def test_replay_cache_is_the_default(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program)
    assert cache_dir(bench.calls(program)[0]) == str(bench.path / "replay_cache")


def test_a_missing_file_names_itself_and_the_ways_to_get_it_and_nothing_runs(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.record(program, "--ethrex-cache-dir=empty")
    result.assert_outcomes(errors=1)
    file = bench.path / "empty" / "cache_mainnet_24443168.json"
    told = (
        f"mainnet/24443168: no cache file {file}: there is no directory {file.parent}; "
        "give --ethrex-rpc-url (or ETHREX_RPC_URL)*"
        "`ethrex-perf fetch mainnet/24443168 --cache-dir=*empty`*--ethrex-cache-dir"
    )
    result.stdout.fnmatch_lines([told])
    assert bench.calls(program) == []


def test_a_missing_file_of_one_network_names_the_other_that_has_the_number(bench: Bench) -> None:
    bench.cache(1265656, network="Hoodi")
    result = bench.record(bench.program("head"), block="1265656")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*1265656.json, but 1265656 of hoodi is cached here: did you mean hoodi:1265656[?] If not, give *"]
    )


def test_a_file_of_another_block_is_refused_before_anything_runs(bench: Bench) -> None:
    folder = bench.path / "replay_cache"
    (folder / "cache_mainnet_24443168.json").rename(folder / "cache_mainnet_7.json")
    program = bench.program("head")
    result = bench.record(program, block="7")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mainnet/7: *cache_mainnet_7.json holds mainnet/24443168, not mainnet/7;*"])
    assert bench.calls(program) == []


def test_bundled_is_the_block_of_the_package(bench: Bench) -> None:
    work = cache.read(cache.path(bundled_dir(), BLOCK), BLOCK).work
    program = bench.program("head", gas=work.gas, txs=work.txs)
    bench.record(program, "--ethrex-cache-dir=bundled", block=str(BLOCK)).assert_outcomes(passed=1)
    assert cache_dir(bench.calls(program)[0]) == str(bundled_dir())
