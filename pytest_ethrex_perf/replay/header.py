"""A block header's hash: keccak-256 over its RLP encoding, from the JSON fields of a cache file.

Field order: Yellow Paper 4.3, then EIP-1559, 4895, 4844 (two), 4788, 7685, 7928, 7843.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
_HEX = re.compile(r"0x[0-9a-fA-F]*")
_SHORT = 56  # RLP: longer strings and lists have the length of their length in the prefix


def number(header: Mapping[str, object]) -> int:
    """Return the block's number; raises `ValueError` where there is none."""
    return _integer("number", header.get("number"))


def block_hash(header: Mapping[str, object]) -> str:
    """Return the block's hash, `0x…`; raises `ValueError`, naming the field, for a header that is none."""
    from Crypto.Hash import keccak

    return "0x" + keccak.new(digest_bits=256, data=encode(header)).hexdigest()


def encode(header: Mapping[str, object]) -> bytes:
    """Encode a header by RLP, fields unknown here ignored; raises `ValueError` as `block_hash` does."""
    later = [name for name in _LATER if header.get(name) is not None]
    if later != list(_LATER)[: len(later)]:
        missing = next(name for name in _LATER if name not in later)
        raise ValueError(f"the header has {later[-1]} but no {missing}")
    fields = _FIRST | {name: _LATER[name] for name in later}
    payload = b"".join(_rlp_string(_value(name, header.get(name), length)) for name, length in fields.items())
    return _rlp_prefix(0xC0, len(payload)) + payload


def _value(name: str, value: object, length: int | None) -> bytes:
    if length is None:
        integer = _integer(name, value)
        return integer.to_bytes((integer.bit_length() + 7) // 8, "big")
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


def _rlp_string(content: bytes) -> bytes:
    if len(content) == 1 and content[0] < 0x80:  # noqa: PLR2004 (RLP: a byte below 0x80 is its own encoding)
        return content
    return _rlp_prefix(0x80, len(content)) + content


def _rlp_prefix(offset: int, length: int) -> bytes:
    if length < _SHORT:
        return bytes([offset + length])
    big_endian = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + _SHORT - 1 + len(big_endian)]) + big_endian
