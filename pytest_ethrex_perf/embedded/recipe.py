"""What a self-made block is made of, and which recipes there is no block of."""

from __future__ import annotations

from typing import NamedTuple

from pytest_ethrex_perf.errors import UsageError

MIXES = ("transfers", "erc20", "storage", "keccak")
NETWORK = "hoodi"
TIMESTAMP = 1_750_000_000  # in Hoodi's Prague
MIN_NUMBER = 4  # three ancestors, none of them the genesis block
MAX_SEED = 2**64


class Recipe(NamedTuple):
    """What a self-made block is made of."""

    txs: int = 100
    mix: tuple[str, ...] = MIXES
    """Kinds of transaction, taken in turn."""
    seed: int = 1
    number: int = 9_000_001
    timestamp: int = TIMESTAMP


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
