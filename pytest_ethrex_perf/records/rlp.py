"""RLP, Recursive Length Prefix (Ethereum Yellow Paper, appendix B): the little of it that is needed here.

`ethereum_rlp` is general, typed and slow; a witness has thousands of nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsInt, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Item: TypeAlias = "bytes | list[Item]"

STRING, LIST = 0x80, 0xC0  # where the first bytes of strings and lists begin
_SHORT = 56  # payloads below this have a one-byte header


def encode(item: bytes | Sequence[Item]) -> bytes:
    """Encode a byte string or a nested list of byte strings."""
    if not isinstance(item, bytes):
        return wrap(b"".join(map(encode, item)))
    if len(item) == 1 and item[0] < STRING:
        return item
    return _header(STRING, len(item)) + item


def integer(number: SupportsInt) -> bytes:
    """A non-negative integer as the byte string that RLP makes of it: big endian, no leading zeros.

    Raises ValueError for a negative one.
    """
    number = int(number)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def wrap(payload: bytes) -> bytes:
    """Make a list of items that are encoded already."""
    return _header(LIST, len(payload)) + payload


def decode(data: bytes) -> Item:
    """Decode one item; raises `ValueError` where `data` is not exactly one item."""
    try:
        item, end = _decode(data, 0)
    except IndexError:
        end = -1
    if end != len(data):
        raise ValueError("not one RLP item")
    return item


def _header(offset: int, length: int) -> bytes:
    if length < _SHORT:
        return bytes((offset + length,))
    size = integer(length)
    return bytes((offset + _SHORT - 1 + len(size),)) + size


def _decode(data: bytes, start: int) -> tuple[Item, int]:
    first = data[start]
    if first < STRING:
        return data[start : start + 1], start + 1
    offset = LIST if first >= LIST else STRING
    length = first - offset
    start += 1
    if length >= _SHORT:
        size = length - _SHORT + 1
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    end = start + length
    if end > len(data):
        raise IndexError
    if offset == STRING:
        return data[start:end], end
    items: list[Item] = []
    while start < end:
        item, start = _decode(data, start)
        items.append(item)
    return items, start
