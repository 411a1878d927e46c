"""What cache files hold: how much of what each block is, counted from the file alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records import workload as workloads
from pytest_ethrex_perf.records.block import BlockId, of_workload
from pytest_ethrex_perf.replay import cache, generation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = re.compile(r"cache_(?P<network>[a-z0-9][a-z0-9-]*)_(?P<number>[0-9]{1,20})\.json")
_SLOT = 2 + 2 * 32  # characters of a storage slot among the witness's keys; an address has fewer
_PRECOMPILES = frozenset((*range(1, 0x12), 0x100))  # up to BLS12-381 (EIP-2537), and P-256 (EIP-7951)


class _Transaction(msgspec.Struct):
    to: str | None = None


class _Body(msgspec.Struct):
    transactions: list[_Transaction]


class _Block(msgspec.Struct):
    body: _Body


class _Witness(msgspec.Struct):
    state: list[str]
    codes: list[str]
    keys: list[str] | None = None


class _File(msgspec.Struct):
    blocks: list[_Block]
    witness: _Witness


@dataclass(frozen=True, slots=True)
class Contents:
    """What one cache file holds."""

    block: BlockId
    path: Path
    gas: int
    txs: int
    creations: int
    """Transactions that create a contract."""
    precompiles: int
    """Transactions that call a precompile themselves."""
    slots: int | None
    """Slots of storage that the block touches; None where the witness does not name them."""
    nodes: int
    """Of the state's and the storages' tries."""
    node_bytes: int
    code_bytes: int

    @property
    def witness_bytes(self) -> int:
        """Trie nodes and codes."""
        return self.node_bytes + self.code_bytes


def files(directory: Path) -> Iterator[tuple[BlockId, Path]]:
    """Yield the cache files in `directory` and the blocks that their names say, ordered by block.

    A workload's is in a folder of its own, and is what the record beside it says.
    """
    named = (
        (BlockId(match["network"], int(match["number"])), path)
        for path in directory.glob("cache_*.json")
        if (match := _NAME.fullmatch(path.name))
    )
    yield from sorted([*named, *_workloads(directory)])


def _workloads(directory: Path) -> Iterator[tuple[BlockId, Path]]:
    for path in directory.glob(f"{workloads.NETWORK}-*/{generation.RECORD}"):
        record = generation.record_of(path)
        if record is None:
            continue
        try:
            block = of_workload(workloads.parse(record.workload))
        except ValueError:
            continue
        if block.file_name == path.parent.name:
            yield block, path.parent / cache.workload_file(block)


def read(path: Path, block: BlockId) -> Contents:
    """Count what the cache file of `block` holds; raises `MeasurementError` as `cache.read` does."""
    content = cache.content(path, block)
    whole = cache.parse(content, path, block)
    try:
        file = msgspec.json.decode(content, type=_File)
        transactions = file.blocks[0].body.transactions
        called = [_address(transaction.to) for transaction in transactions if transaction.to]
        return Contents(
            block=block,
            path=path,
            gas=whole.work.gas,
            txs=whole.work.txs,
            creations=sum(not transaction.to for transaction in transactions),
            precompiles=sum(address in _PRECOMPILES for address in called),
            slots=sum(len(key) >= _SLOT for key in file.witness.keys) if file.witness.keys else None,
            nodes=len(file.witness.state),
            node_bytes=_bytes(file.witness.state),
            code_bytes=_bytes(file.witness.codes),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise MeasurementError(f"{block}: {path} is not a cache file: {error}") from None


def _address(text: Any) -> int:
    return int(text, 16)


def _bytes(values: list[str]) -> int:
    """Bytes of hex strings."""
    return sum((len(value) - (2 if value.startswith("0x") else 0)) // 2 for value in values)
