"""A self-made block with its witness, in ethrex-replay's cache format.

It is a Hoodi block at a Prague time with a number of its own: ethrex-replay replays it like any other. The
same recipe gives the same bytes, on every machine: all that looks random is drawn from hashes of the seed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.embedded.identity import require
from pytest_ethrex_perf.embedded.recipe import check
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records import rlp

if TYPE_CHECKING:
    from pytest_ethrex_perf.embedded.genesis import World
    from pytest_ethrex_perf.embedded.pipeline import Block
    from pytest_ethrex_perf.embedded.recipe import Recipe
    from pytest_ethrex_perf.embedded.trie import Node

SYSTEM_ADDRESS = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")


def make(recipe: Recipe) -> str:
    """Make a block and return the text of its cache file.

    Raises `UsageError` for a recipe that no block can be made from, or without ethereum-execution, and
    `MeasurementError` where the block does not replay.
    """
    check(recipe)
    require()
    from pytest_ethrex_perf.embedded.mixture import Mixture

    try:
        return build(Mixture(recipe).world())
    except NotReplayedError as error:
        raise MeasurementError(f"the block made from {recipe} does not replay: {error}") from None


class NotReplayedError(Exception):
    """A block that was made and does not replay; the reason follows."""


def build(world: World, *, keys: bool = True) -> str:
    """Execute a world's transactions as one block and return the text of its cache file, replayed once.

    Without `keys` the witness names no accounts and slots, as later versions of ethrex-replay write it.
    Raises `NotReplayedError`, also for a transaction that is reverted: something else would be measured.
    """
    from pytest_ethrex_perf.embedded import cachefile, forks, pipeline
    from pytest_ethrex_perf.embedded.errors import ReplayError

    content = world.content()
    fork = forks.load(world.network, world.timestamp)
    try:
        _execute(pipeline.Block(cachefile.parse(json.dumps(content)), fork), content)
        if not keys:
            del content["witness"]["keys"]
        text = json.dumps(content, indent=2) + "\n"
        block = pipeline.Block(cachefile.parse(text), fork)
        error = pipeline.execute(block, pipeline.Database(block)).error
    except ReplayError as failed:
        error = failed
    if error:
        raise NotReplayedError(str(error))
    return text


class _RecordedNodes(dict[bytes, "Node"]):
    """Trie nodes that remember which of them were needed."""

    def __init__(self, nodes: dict[bytes, Node]) -> None:
        super().__init__(nodes)
        self.needed: set[bytes] = set()

    def __getitem__(self, node: bytes) -> Node:
        self.needed.add(node)
        return super().__getitem__(node)


def _execute(block: Block, content: dict[str, Any]) -> None:
    """Execute a draft: fill in the header's results, and reduce the witness to what was needed."""
    from pytest_ethrex_perf.embedded import pipeline
    from pytest_ethrex_perf.embedded.cachefile import to_hex
    from pytest_ethrex_perf.embedded.trie import keccak256

    database = pipeline.Database(block)
    database.nodes = recorded = _RecordedNodes(database.nodes)
    state = database.state()
    state.accounts[SYSTEM_ADDRESS]  # the specs do not look at the caller of a system call, others do
    output = pipeline.apply(block, database, state)
    for index, key in enumerate(output.receipt_keys):
        succeeded, *_ = rlp.decode(block.fork.trie.trie_get(output.receipts_trie, key)[1:])  # all of type 2
        if not succeeded:
            raise NotReplayedError(f"transaction {index} in produced block {block.cached.number} reverted")
    fields = pipeline.header_fields(block, output)
    header, witness = content["blocks"][0]["header"], content["witness"]
    for name, field in (
        *(("gasUsed", "gas_used"), ("blobGasUsed", "blob_gas_used"), ("logsBloom", "bloom")),
        *(("transactionsRoot", "transactions_root"), ("receiptsRoot", "receipt_root")),
        *(("withdrawalsRoot", "withdrawals_root"), ("requestsHash", "requests_hash")),
    ):
        value: Any = fields[field]
        header[name] = to_hex(value) if isinstance(value, bytes) else hex(value)
    header["stateRoot"] = to_hex(state.commit().root)
    touched = sorted(state.accounts)
    codes = {state.accounts[address].code for address in touched if state.accounts[address]}
    # sorted: sets have another order in every process
    witness["state"] = sorted(
        to_hex(raw) for raw in block.cached.witness.state if keccak256(raw) in recorded.needed
    )
    witness["codes"] = sorted(to_hex(code) for code in codes if code)
    witness["keys"] = [
        to_hex(key)
        for address in touched
        for key in (address, *(sorted(state.storages[address]) if address in state.storages else ()))
    ]
