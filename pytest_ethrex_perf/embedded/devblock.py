"""`ethrex-perf devblock`: a self-made block with its witness, in ethrex-replay's cache format.

It is a Hoodi block at a Prague time with a number of its own: ethrex-replay replays it like any other. The
same arguments give the same bytes, on every machine: all that looks random is drawn from hashes of the seed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_ethrex_perf.embedded.identity import require
from pytest_ethrex_perf.errors import MeasurementError, UsageError

if TYPE_CHECKING:
    import argparse

    from pytest_ethrex_perf.embedded.pipeline import Block
    from pytest_ethrex_perf.embedded.trie import Node

MIXES = ("transfers", "erc20", "storage", "keccak")
NETWORK = "hoodi"
TIMESTAMP = 1_750_000_000  # in Hoodi's Prague
MIN_NUMBER = 4  # three ancestors, none of them the genesis block
MAX_SEED = 2**64
SYSTEM_ADDRESS = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")


class Recipe(NamedTuple):
    """What a self-made block is made of."""

    txs: int = 100
    mix: tuple[str, ...] = MIXES
    """Kinds of transaction, taken in turn."""
    seed: int = 1
    number: int = 9_000_001
    timestamp: int = TIMESTAMP


def add_commands(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `devblock` to a command line; its `run(namespace)` returns an exit code."""
    parser = subparsers.add_parser(
        "devblock",
        help="make a block with its witness, in ethrex-replay's cache format",
        description="Make a block with its witness: byte-identical from the same arguments.",
    )
    parser.add_argument("--txs", type=int, default=100, help="number of transactions (default: %(default)s)")
    parser.add_argument(
        "--mix",
        default=",".join(MIXES),
        help="kinds of transaction, taken in turn, of %(default)s (default: all)",
    )
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--number", type=int, default=9_000_001, help="block number (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("replay_cache"),
        metavar="DIR",
        help="cache directory to write to (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the block that the arguments ask for and write its cache file. Raises as `make`."""
    from pytest_ethrex_perf.embedded.cachefile import cache_path

    mix = tuple(kind.strip() for kind in arguments.mix.split(","))
    recipe = Recipe(arguments.txs, mix, arguments.seed, arguments.number)
    text = make(recipe)
    path = cache_path(arguments.out, NETWORK, recipe.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    gas = int(json.loads(text)["blocks"][0]["header"]["gasUsed"], 16)
    sys.stdout.write(f"{path}: {recipe.txs} txs, {gas} gas, {len(text) / 1000:.0f} kB\n")
    return 0


def check(recipe: Recipe) -> None:
    """Raise `UsageError` for a recipe that no block can be made from."""
    unknown = [kind for kind in recipe.mix if kind not in MIXES]
    if unknown:
        raise UsageError(f"unknown mix {unknown[0]!r}: choose from {', '.join(MIXES)}")
    if recipe.txs < 1:
        raise UsageError(f"a block of {recipe.txs} transactions: --txs must be at least 1")
    if not MIN_NUMBER <= recipe.number < 2**63:
        raise UsageError(
            f"block number {recipe.number}: --number must be at least {MIN_NUMBER} and below 2^63"
        )
    if not 0 <= recipe.seed < MAX_SEED:
        raise UsageError(f"seed {recipe.seed}: --seed must not be negative and must be below 2^64")


def make(recipe: Recipe) -> str:
    """Make a block and return the text of its cache file.

    Raises `UsageError` for a recipe that no block can be made from, or without ethereum-execution, and
    `MeasurementError` where the block does not replay.
    """
    check(recipe)
    require()
    from pytest_ethrex_perf.embedded import cachefile, forks, pipeline
    from pytest_ethrex_perf.embedded.errors import ReplayError
    from pytest_ethrex_perf.embedded.genesis import Genesis

    content = Genesis(recipe).content()
    fork = forks.load(NETWORK, recipe.timestamp)
    _execute(pipeline.Block(cachefile.parse(json.dumps(content)), fork), content)
    text = json.dumps(content, indent=2) + "\n"
    block = pipeline.Block(cachefile.parse(text), fork)
    try:
        error = pipeline.execute(block, pipeline.Database(block)).error
    except ReplayError as failed:
        error = failed
    if error:
        raise MeasurementError(f"the block made from {recipe} does not replay: {error}")
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
