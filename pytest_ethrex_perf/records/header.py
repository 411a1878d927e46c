"""A block's header, from the JSON fields of a cache file: its RLP encoding and its hash.

Field order: Yellow Paper 4.3, then EIP-1559, 4895, 4844 (two), 4788, 7685, 7928, 7843.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import rlp

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = None
_ANY_LENGTH = -1
# name in JSON -> length in bytes of what is a string of bytes
_FIRST: dict[str, int | None] = {
    "parentHash": 32,
    "sha3Uncles": 32,
    "miner": 20,
    "stateRoot": 32,
    "transactionsRoot": 32,
    "receiptsRoot": 32,
    "logsBloom": 256,
    "difficulty": _NUMBER,
    "number": _NUMBER,
    "gasLimit": _NUMBER,
    "gasUsed": _NUMBER,
    "timestamp": _NUMBER,
    "extraData": _ANY_LENGTH,
    "mixHash": 32,
    "nonce": 8,
}
# each fork appends: a header has some of these from the first on, and no holes
_LATER: dict[str, int | None] = {
    "baseFeePerGas": _NUMBER,
    "withdrawalsRoot": 32,
    "blobGasUsed": _NUMBER,
    "excessBlobGas": _NUMBER,
    "parentBeaconBlockRoot": 32,
    "requestsHash": 32,
    "blockAccessListHash": 32,
    "slotNumber": _NUMBER,
}
FIELDS = (*_FIRST, *_LATER)
"""Names of all fields, in RLP order."""
_HEX = re.compile(r"0x[0-9a-fA-F]*")


def number(header: Mapping[str, object]) -> int:
    """The block's number; raises `ValueError` where there is none."""
    return _integer("number", header.get("number"))


def gas_used(header: Mapping[str, object]) -> int:
    """The gas that the block's execution took; raises `ValueError` where there is none."""
    return _integer("gasUsed", header.get("gasUsed"))


def block_hash(header: Mapping[str, object]) -> str:
    """The block's hash, `0x…`; raises `ValueError`, naming the field, for a header that is none."""
    from Crypto.Hash import keccak

    return "0x" + keccak.new(digest_bits=256, data=encode(header)).hexdigest()


def encode(header: Mapping[str, object]) -> bytes:
    """The header's RLP, fields unknown here ignored; raises `ValueError` as `block_hash` does."""
    later = [name for name in _LATER if header.get(name) is not None]
    if later != list(_LATER)[: len(later)]:
        missing = next(name for name in _LATER if name not in later)
        raise ValueError(f"the header has {later[-1]} but no {missing}")
    fields = _FIRST | {name: _LATER[name] for name in later}
    return rlp.encode([_value(name, header.get(name), length) for name, length in fields.items()])


def _value(name: str, value: object, length: int | None) -> bytes:
    if length is None:
        return rlp.integer(_integer(name, value))
    if not isinstance(value, str) or not _HEX.fullmatch(value) or len(value) % 2:
        raise ValueError(f"the header's {name} is not a string of bytes in hex")
    content = bytes.fromhex(value[2:])
    if length not in {_ANY_LENGTH, len(content)}:
        raise ValueError(f"the header's {name} has {len(content)} bytes, not {length}")
    return content


def _integer(name: str, value: object) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    if isinstance(value, str) and _HEX.fullmatch(value) and len(value) > len("0x"):
        return int(value, 16)
    raise ValueError(f"the header's {name} is not a number")
