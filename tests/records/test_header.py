from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ethrex_perf.records import header

# the parentHash that Hoodi's block 1265656 names
HASH = "0x5ec43aa09c9145c93f7bc57a0d4e19e6eacdfe1b4b053e48825f9c88e120c62b"
HEADER: dict[str, Any] = json.loads(Path(__file__).with_name("header_hoodi_1265655.json").read_text())


def test_the_hash_of_a_prague_header_is_the_chains() -> None:
    assert header.block_hash(HEADER) == HASH
    assert header.number(HEADER) == 1265655


def test_a_field_that_is_not_known_here_changes_nothing() -> None:
    assert header.encode(HEADER | {"hash": HASH}) == header.encode(HEADER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": None}, "the header's number is not a number"),
        ({"gasUsed": "0x"}, "the header's gasUsed is not a number"),
        ({"timestamp": -1}, "the header's timestamp is not a number"),
        ({"miner": "0x12"}, "the header's miner has 1 bytes, not 20"),
        ({"extraData": "12"}, "the header's extraData is not a string of bytes in hex"),
        ({"withdrawalsRoot": None}, "the header has requestsHash but no withdrawalsRoot"),
    ],
)
def test_a_header_that_is_none_is_refused_with_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        header.block_hash(HEADER | change)
