"""One block of one network."""

from __future__ import annotations

from typing import NamedTuple


class BlockId(NamedTuple):
    """One block of one network; `str()` is the form used everywhere, `mainnet/24443168`."""

    network: str
    number: int

    def __str__(self) -> str:
        return f"{self.network}/{self.number}"


class Work(NamedTuple):
    """How much executing a block is, by its header and body: what every invocation must report."""

    gas: int
    txs: int
    """Number of transactions."""
