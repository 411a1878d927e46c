"""The block that ships with the package, made by `ethrex-perf devblock`: nobody needs a node to begin."""

from __future__ import annotations

from pathlib import Path

from pytest_ethrex_perf.records.block import BlockId

BLOCK = BlockId("hoodi", 9_000_001)
ARGUMENTS = ("--txs", "80", "--mix", "transfers,erc20,storage,keccak", "--seed", "1", "--number", "9000001")
"""Arguments of `ethrex-perf devblock` that made it; a test makes it again and compares the bytes."""


def bundled_dir() -> Path:
    """Cache directory of the bundled block."""
    return Path(__file__).parent / "blocks"
