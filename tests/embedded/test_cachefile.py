from __future__ import annotations

import json
from typing import Any

import pytest
from ethereum.forks.prague import transactions as spec
from ethereum.forks.prague.fork_types import Address, Authorization
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes, Bytes0, Bytes32
from ethereum_types.numeric import U8, U64, U256, Uint

from pytest_ethrex_perf.embedded import cachefile, forks
from pytest_ethrex_perf.embedded.errors import UnsupportedError
from tests.embedded.embedded_runs import tiny_content

TO = Address(b"\x22" * 20)
KEY = Bytes32(b"\x33" * 32)
COMMON: dict[str, Any] = {
    "nonce": "0x1",
    "gas": "0x5208",
    "value": "0x64",
    "input": "0xaabb",
    "r": "0x7",
    "s": "0x8",
}
TYPED: dict[str, Any] = {
    **COMMON,
    "to": "0x" + "22" * 20,
    "chainId": "0x88bb0",
    "yParity": "0x1",
    "v": "0x1",
    "accessList": [{"address": "0x" + "22" * 20, "storageKeys": ["0x" + "33" * 32]}],
}
FEES = {"maxPriorityFeePerGas": "0x2", "maxFeePerGas": "0x3", "gasPrice": "0x3"}
CHAIN, SIGNED = U64(560048), (U256(1), U256(7), U256(8))
CALL = (Uint(21000), TO, U256(100), Bytes(b"\xaa\xbb"))
ACCESS = (spec.Access(TO, (KEY,)),)
AUTHORIZATION = Authorization(U256(560048), TO, U64(5), U8(0), U256(9), U256(10))


@pytest.fixture
def tiny() -> Any:
    return tiny_content()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"type": "0x0", "gasPrice": "0x3", "to": None, "v": "0x1b", **COMMON},
            rlp.encode(
                spec.LegacyTransaction(
                    U256(1),
                    Uint(3),
                    Uint(21000),
                    Bytes0(),
                    U256(100),
                    Bytes(b"\xaa\xbb"),
                    U256(27),
                    *SIGNED[1:],
                )
            ),
        ),
        (
            {"type": "0x1", "gasPrice": "0x3", **TYPED},
            spec.encode_transaction(
                spec.AccessListTransaction(CHAIN, U256(1), Uint(3), *CALL, ACCESS, *SIGNED)
            ),
        ),
        (
            {"type": "0x2", **FEES, **TYPED},
            spec.encode_transaction(
                spec.FeeMarketTransaction(CHAIN, U256(1), Uint(2), Uint(3), *CALL, ACCESS, *SIGNED)
            ),
        ),
        (
            {
                "type": "0x3",
                "maxFeePerBlobGas": "0x6",
                "blobVersionedHashes": ["0x" + "33" * 32],
                **FEES,
                **TYPED,
            },
            spec.encode_transaction(
                spec.BlobTransaction(
                    CHAIN, U256(1), Uint(2), Uint(3), *CALL, ACCESS, U256(6), (KEY,), *SIGNED
                )
            ),
        ),
        (
            {
                "type": "0x4",
                "authorizationList": [
                    {
                        "chainId": "0x88bb0",
                        "address": "0x" + "22" * 20,
                        "nonce": "0x5",
                        "yParity": "0x0",
                        "r": "0x9",
                        "s": "0xa",
                    }
                ],
                **FEES,
                **TYPED,
            },
            spec.encode_transaction(
                spec.SetCodeTransaction(
                    CHAIN, U64(1), Uint(2), Uint(3), *CALL, ACCESS, (AUTHORIZATION,), *SIGNED
                )
            ),
        ),
    ],
    ids=["legacy", "access-list", "fee-market", "blob", "set-code"],
)
def test_every_type_of_transaction_gets_its_consensus_encoding(
    tiny: Any, fields: dict[str, Any], expected: bytes
) -> None:
    tiny["blocks"][0]["body"]["transactions"] = [fields]
    assert cachefile.parse(json.dumps(tiny)).transactions == (expected,)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file["blocks"][0]["body"]["transactions"][0].update(type="0x7e"), "type 0x7e"),
        (lambda file: file["blocks"][0]["body"]["transactions"][0].pop("gas"), "missing field `gas`"),
        (lambda file: file["blocks"][0]["header"].update(stateRoot="0x11"), "stateRoot has 1 bytes, not 32"),
        (lambda file: file["blocks"][0]["header"].pop("requestsHash"), "missing field `requestsHash`"),
        (lambda file: file["blocks"][0]["body"].update(uncles=[{}]), "uncles"),
        (lambda file: file["witness"].pop("headers"), "missing field `headers`"),
    ],
)
def test_what_is_not_a_cache_file_is_refused_with_the_reason(tiny: Any, spoil: Any, message: str) -> None:
    spoil(tiny)
    with pytest.raises(ValueError, match=message):
        cachefile.parse(json.dumps(tiny))


@pytest.mark.parametrize(
    ("network", "timestamp", "fork"),
    [
        ("mainnet", 1_746_612_311, "prague"),
        ("mainnet", 1_764_798_550, "prague"),
        ("mainnet", 1_764_798_551, "osaka"),
        ("mainnet", 1_765_290_071, "bpo1"),
        ("mainnet", 1_767_747_671, "bpo2"),
        ("sepolia", 1_760_427_360, "osaka"),
        ("hoodi", 1_742_999_832, "prague"),
        ("hoodi", 1_761_677_591, "prague"),
        ("hoodi", 1_761_677_592, "osaka"),
    ],
)
def test_network_and_time_decide_the_fork(network: str, timestamp: int, fork: str) -> None:
    assert forks.fork_name(network, timestamp) == fork


def test_networks_and_times_that_are_not_known_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="unknown network 'foo': the embedded program knows mainnet"):
        forks.fork_name("foo", 1_800_000_000)
    with pytest.raises(UnsupportedError, match="older than Prague on mainnet"):
        forks.fork_name("mainnet", 1_746_612_310)


def test_schedules_are_those_of_the_installed_specs() -> None:
    for fork, since in forks.NETWORKS["mainnet"].schedule.items():
        module = __import__(f"ethereum.forks.{fork}", fromlist=["FORK_CRITERIA"])
        assert module.FORK_CRITERIA.timestamp == since
        for network in ("sepolia", "holesky", "hoodi"):
            row = next(
                line for line in str(module.__doc__).splitlines() if f"| {network.capitalize()} " in line
            )
            assert f"`{forks.NETWORKS[network].schedule[fork]}`" in row
