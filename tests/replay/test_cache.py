"""What a cache file holds: hashes against the chain itself, and files that are not what they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.embedded.bundled import BLOCK as BUNDLED
from pytest_ethrex_perf.embedded.bundled import bundled_dir
from pytest_ethrex_perf.embedded.trie import keccak256
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records import header
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import cache
from tests import beside

HERE = Path(__file__).parent
BLOCK = BlockId("hoodi", 1265655)
BUNDLED_HASH = "0x02a181f71796845c74004199979e84691c724a46aafd34ae04df1cb06391064d"
REAL_HASH = "0xac77c202b2b33da757f785a4c240333c7d148bc2558f19c483e42fe3ca1ce6db"
# the parentHash that Hoodi's block 1265656 names
HASH = "0x5ec43aa09c9145c93f7bc57a0d4e19e6eacdfe1b4b053e48825f9c88e120c62b"
HEADER: dict[str, Any] = json.loads((HERE.parent / "records/header_hoodi_1265655.json").read_text())


def block(header: dict[str, Any]) -> dict[str, Any]:
    return {"header": header, "body": {"transactions": ["0x02", "0x03"], "uncles": [], "withdrawals": []}}


def content(**changes: object) -> dict[str, Any]:
    witness = {"state": ["0xaa", "0xbb", "0xcc"], "keys": ["0x01"], "codes": [], "headers": ["0xf9"]}
    return {"blocks": [block(HEADER)], "witness": witness, "network": {"PublicNetwork": "Hoodi"}, **changes}


def write(directory: Path, content: object) -> Path:
    path = cache.path(directory, BLOCK)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_file_name_is_the_programs() -> None:
    assert cache.path(Path("replay_cache"), BLOCK) == Path("replay_cache/cache_hoodi_1265655.json")


@pytest.mark.parametrize(
    ("path", "block", "block_hash"),
    [
        (cache.path(bundled_dir(), BUNDLED), BUNDLED, BUNDLED_HASH),
        *((path, BlockId("hoodi", 1265656), REAL_HASH) for path in beside.REAL_BLOCK),
    ],
)
def test_a_block_and_its_ancestors_hash_to_each_others_parent_hashes(
    path: Path, block: BlockId, block_hash: str
) -> None:
    content = json.loads(path.read_text())
    parent = bytes.fromhex(content["witness"]["headers"][-1][2:])
    assert content["blocks"][0]["header"]["parentHash"] == f"0x{keccak256(parent).hex()}"
    assert cache.identify(path, block).block_hash == block_hash


def test_a_real_header_hashes_to_what_its_child_names() -> None:
    assert keccak256(header.encode(HEADER)).hex() == HASH.removeprefix("0x")
    for path in beside.REAL_BLOCK:
        real = json.loads(path.read_text())
        assert header.encode(HEADER) == bytes.fromhex(real["witness"]["headers"][-1][2:])
        assert real["blocks"][0]["header"]["parentHash"] == HASH


def test_the_work_is_that_of_the_blocks_own_header_and_body(tmp_path: Path) -> None:
    assert cache.read(write(tmp_path, content()), BLOCK).work == (int(HEADER["gasUsed"], 16), 2)


def test_a_file_is_identified(tmp_path: Path) -> None:
    got = cache.identify(write(tmp_path, content()), BLOCK)
    assert (got.block_id, got.block_hash) == (BLOCK, HASH)
    assert len(got.witness_sha256) == 64


@settings(deadline=None)
@given(st.permutations(["0xaa", "0xbb", "0xCC"]))
def test_the_same_state_in_another_order_is_the_same_witness(
    tmp_path_factory: pytest.TempPathFactory, state: list[str]
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    other = content(witness={**content()["witness"], "state": state})
    expected = cache.identify(write(directory, content()), BLOCK)
    assert cache.identify(write(directory, other), BLOCK) == expected


@pytest.mark.parametrize(
    "witness",
    [
        {"state": ["0xaa", "0xbb"], "keys": ["0x01"], "codes": [], "headers": ["0xf9"]},
        {"state": ["0xaa", "0xbb", "0xcc", "0x01"], "keys": [], "codes": [], "headers": ["0xf9"]},
        {"state": ["0xaa", "0xbb", "0xcc"], "keys": ["0x01"], "codes": ["0xf9"], "headers": []},
    ],
)
def test_another_state_is_another_witness(tmp_path: Path, witness: dict[str, list[str]]) -> None:
    expected = cache.identify(write(tmp_path, content()), BLOCK)
    got = cache.identify(write(tmp_path, content(witness=witness)), BLOCK)
    assert got.witness_sha256 != expected.witness_sha256
    assert got.block_hash == expected.block_hash


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a cache file: Input data was truncated"),
        ('{"blocks": [', "is not a cache file: Input data was truncated"),
        ("[]", "is not a cache file: Expected `object`, got `array`"),
        ("\xff", "is not a cache file: "),
        (content(blocks=[]), "is not a cache file: it holds 0 blocks, not one"),
        (content(network={"PublicNetwork": "Mainnet"}), "holds mainnet/1265655, not hoodi/1265655"),
        (content(network="LocalDevnet"), "holds localdevnet/1265655, not hoodi/1265655"),
        (content(blocks=[block(HEADER | {"number": "0x1"})]), "holds hoodi/1, not hoodi/1265655"),
        (content(blocks=[block({})]), "the header's number is not a number"),
        (content(blocks=[block(HEADER | {"miner": "0x12"})]), "the header's miner has 1 bytes, not 20"),
        (content(blocks=[block(HEADER | {"nonce": 0})]), "the header's nonce is not a string of bytes"),
        (
            content(blocks=[block(HEADER | {"withdrawalsRoot": None})]),
            "requestsHash but no withdrawalsRoot",
        ),
    ],
)
def test_a_file_that_is_not_the_block_is_refused_with_the_remedy(
    tmp_path: Path, text: object, says: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(MeasurementError) as caught:
        cache.identify(path, BLOCK)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("; remove it and fetch it again (`ethrex-perf fetch hoodi/1265655`)")


def test_a_missing_file_names_the_file_and_the_options(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError) as caught:
        cache.identify(cache.path(tmp_path, BLOCK), BLOCK)
    for part in ("cache_hoodi_1265655.json", "--ethrex-rpc-url", "ETHREX_RPC_URL", "--ethrex-cache-dir"):
        assert part in str(caught.value)


@settings(deadline=None)
@given(field=st.sampled_from(sorted(HEADER)), value=st.sampled_from([{}, [], "", "twelve", "0x1g", -1, 1.5]))
def test_a_header_with_any_field_that_is_none_never_hashes(field: str, value: object) -> None:
    with pytest.raises(ValueError, match="the header"):
        header.block_hash(HEADER | {field: value})


def test_older_headers_hash_without_the_later_fields() -> None:
    # Ethereum's genesis block, whose hash everybody knows
    empty = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    genesis = {
        "parentHash": "0x" + "00" * 32,
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "miner": "0x" + "00" * 20,
        "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
        "transactionsRoot": empty,
        "receiptsRoot": empty,
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x400000000",
        "number": "0x0",
        "gasLimit": "0x1388",
        "gasUsed": "0x0",
        "timestamp": "0x0",
        "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
        "mixHash": "0x" + "00" * 32,
        "nonce": "0x0000000000000042",
    }
    assert header.block_hash(genesis) == "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
