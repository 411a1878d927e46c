"""ethrex-replay's cache file: one block and its execution witness, as JSON.

Format (ethrex-replay `src/cache.rs`, ethrex `types/transaction.rs`): `blocks[] {header, body {transactions,
uncles, withdrawals}}` in camelCase with 0x-hex values, `witness {state[], keys[], codes[], headers[]}` of hex
strings, `network {"PublicNetwork": "Hoodi"}`. What is read is turned into consensus encodings (RLP) at once:
they are the same for every program.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_ethrex_perf.embedded.errors import NoBlockError
from pytest_ethrex_perf.records import header, nesting, regular_file, rlp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.workload import Workload

HEADER_FIELDS = header.FIELDS[: header.FIELDS.index("requestsHash") + 1]
"""Fields of a Prague or Osaka header, all of which it has."""

_FEES = ("maxPriorityFeePerGas", "maxFeePerGas")
_SIGNATURE = ("yParity", "r", "s")
_TRANSACTION_FIELDS = {
    0: ("nonce", "gasPrice", "gas", "to", "value", "input", "v", "r", "s"),
    1: ("chainId", "nonce", "gasPrice", "gas", "to", "value", "input", "accessList", *_SIGNATURE),
    2: ("chainId", "nonce", *_FEES, "gas", "to", "value", "input", "accessList", *_SIGNATURE),
    3: (
        *("chainId", "nonce", *_FEES, "gas", "to", "value", "input", "accessList"),
        *("maxFeePerBlobGas", "blobVersionedHashes", *_SIGNATURE),
    ),
    4: (
        *("chainId", "nonce", *_FEES, "gas", "to", "value", "input", "accessList"),
        *("authorizationList", *_SIGNATURE),
    ),
}
"""Fields of each transaction type in RLP order (EIP-155, 2930, 1559, 4844, 7702)."""


class Witness(NamedTuple):
    """What execution needs of the chain before the block."""

    state: tuple[bytes, ...]
    """RLP of trie nodes."""
    keys: tuple[bytes, ...]
    """Addresses, each followed by the storage slots of it that the block touches; none of later programs."""
    codes: tuple[bytes, ...]
    headers: tuple[bytes, ...]
    """RLP of ancestors' headers."""


class CachedBlock(NamedTuple):
    """One block with its witness."""

    network: str
    """Name as the report line shows it: `mainnet`, `hoodi`, …"""
    number: int
    timestamp: int
    gas_used: int
    header: bytes
    """RLP."""
    transactions: tuple[bytes, ...]
    """Consensus encodings (EIP-2718): RLP for type 0, the type's byte and RLP for the others."""
    withdrawals: tuple[bytes, ...]
    """RLP."""
    witness: Witness


def cache_path(directory: Path, network: str, number: int) -> Path:
    """Where ethrex-replay keeps a block of one of its named networks."""
    return directory / f"cache_{network}_{number}.json"


def workload_path(directory: Path, workload: Workload) -> Path:
    """Where ethrex-replay keeps the block of a custom workload: not every parameter is in the name."""
    return directory / f"cache_custom_{workload.name}_seed{workload.seed}_blocks1.json"


def read(path: Path) -> CachedBlock:
    """Read the first block of a cache file. Raises `OSError`, and as `parse`."""
    return parse(regular_file.content(path).decode())


def parse(text: str) -> CachedBlock:
    """Read the first block of a cache file's text.

    Raises `ValueError` where it is not a cache file (saying what is wrong) and `NoBlockError`.
    """
    nesting.check(text)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        ended = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        reason = "EOF while parsing a value" if ended else error.msg
        raise ValueError(f"{reason} at line {error.lineno} column {error.colno}") from None
    try:
        return _block(content)
    except KeyError as error:
        raise ValueError(f"missing field `{error.args[0]}`") from None
    except (TypeError, AttributeError) as error:
        raise ValueError(f"invalid type: {error}") from None


def _block(content: dict[str, Any]) -> CachedBlock:
    parts = {"keys": None, **content["witness"]}
    witness = Witness(*(tuple(map(_data, _list(parts, name))) for name in Witness._fields))
    network = content["network"]
    if not isinstance(network, str):  # `{"PublicNetwork": "Hoodi"}`, and "LocalDevnet"
        (network,) = network.values()
    if not content["blocks"]:
        raise NoBlockError
    block = content["blocks"][0]
    fields, body = block["header"], block["body"]
    missing = next((name for name in HEADER_FIELDS if name not in fields), None)
    if missing is not None:
        raise ValueError(f"missing field `{missing}`")
    unknown = {name for name, value in fields.items() if value is not None} - {*HEADER_FIELDS}
    if unknown:
        raise ValueError(f"unknown header field `{min(unknown)}`: of a fork that is not known here")
    if body["uncles"]:
        raise ValueError("the block has uncles: of a fork that is not known here")
    return CachedBlock(
        network=str(network).lower(),
        number=header.number(fields),
        timestamp=_integer(fields["timestamp"]),
        gas_used=_integer(fields["gasUsed"]),
        header=header.encode(fields),
        transactions=tuple(map(_transaction, body["transactions"])),
        withdrawals=tuple(map(_withdrawal, body["withdrawals"])),
        witness=witness,
    )


def _list(witness: dict[str, Any], name: str) -> list[str]:
    """A part of the witness; the keys alone may be left out."""
    part: list[str] | None = witness[name]
    return [] if part is None and name == "keys" else part  # type: ignore[return-value] # None: a TypeError


def to_hex(data: bytes) -> str:
    """Bytes as the cache file writes them."""
    return "0x" + data.hex()


def _transaction(fields: dict[str, Any]) -> bytes:
    kind = _integer(fields["type"])
    if kind not in _TRANSACTION_FIELDS:
        raise ValueError(f"unknown transaction type {kind:#x}")
    payload = rlp.encode([_READERS.get(name, _quantity)(fields[name]) for name in _TRANSACTION_FIELDS[kind]])
    return bytes((kind,)) + payload if kind else payload


def _withdrawal(fields: dict[str, str]) -> bytes:
    return rlp.encode(
        [
            _quantity(fields["index"]),
            _quantity(fields["validatorIndex"]),
            _data(fields["address"]),
            _quantity(fields["amount"]),
        ],
    )


def _access_list(entries: list[dict[str, Any]]) -> rlp.Item:
    return [[_data(entry["address"]), [*map(_data, entry["storageKeys"])]] for entry in entries]


def _authorizations(entries: list[dict[str, str]]) -> rlp.Item:
    return [
        [
            _quantity(entry["chainId"]),
            _data(entry["address"]),
            *(_quantity(entry[name]) for name in ("nonce", *_SIGNATURE)),
        ]
        for entry in entries
    ]


def _data(value: str | None) -> bytes:
    """Bytes; null stands for none (the `to` of a transaction that creates a contract)."""
    return bytes.fromhex((value or "").removeprefix("0x"))


def _integer(value: str) -> int:
    return int(value, 16)


def _quantity(value: str) -> bytes:
    return rlp.integer(_integer(value))


def _hashes(values: list[str]) -> rlp.Item:
    return [*map(_data, values)]


_READERS: dict[str, Callable[[Any], rlp.Item]] = {
    "to": _data,
    "input": _data,
    "accessList": _access_list,
    "authorizationList": _authorizations,
    "blobVersionedHashes": _hashes,
}
"""How a transaction's fields are read; the others are integers."""
