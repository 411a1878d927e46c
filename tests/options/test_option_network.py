"""--ethrex-network: the network of block specs that name none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_names_the_network_of_bare_numbers_only(bench: Bench) -> None:
    bench.cache(7, network="Hoodi")
    bench.cache(8, network="Sepolia")
    program = bench.program("head")
    result = bench.record(program, "--ethrex-network=Hoodi", "-v", block="7,sepolia:8")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["ethrex-block::hoodi/7::exec*", "ethrex-block::sepolia/8::exec*"])
    networks = [call["argv"][call["argv"].index("--network") + 1] for call in bench.calls(program)]
    assert sorted(networks) == ["hoodi", "hoodi", "sepolia", "sepolia"]


def test_mainnet_is_the_default(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program).assert_outcomes(passed=1)
    assert "--cached --network mainnet" in " ".join(bench.calls(program)[0]["argv"])


def test_what_is_no_name_is_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-network=main net")
    assert "'main net' is not a network's name" in told
    assert "is not a value of it: it is empty" in bench.refuse("--ethrex-block=1", "--ethrex-network=")


def test_a_mistyped_network_is_said_where_its_cache_file_is_missing(bench: Bench) -> None:
    result = bench.record(bench.program("head"), "--ethrex-network=hodi", block="7")
    result.stdout.fnmatch_lines(["*cache_hodi_7.json: did you mean hoodi:7[?] If not, give *"])
