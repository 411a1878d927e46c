"""What looks random in self-made blocks: drawn from hashes of a seed, the same on every machine."""

from __future__ import annotations

from typing import NamedTuple

from pytest_ethrex_perf.embedded.trie import keccak256


class Draw(NamedTuple):
    """Draws by labels: the same seed and labels give the same."""

    seed: int

    def digest(self, *labels: object) -> bytes:
        """Return 32 bytes."""
        return keccak256("/".join(map(str, (self.seed, *labels))).encode())

    def number(self, below: int, *labels: object) -> int:
        """Return a number from 0 to `below` - 1."""
        return int.from_bytes(self.digest(*labels), "big") % below

    def address(self, *labels: object) -> bytes:
        """Return an address of 20 bytes."""
        return self.digest(*labels)[12:]
