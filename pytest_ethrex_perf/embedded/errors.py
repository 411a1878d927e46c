"""Why a block could not be replayed, in the words of ethrex."""

from __future__ import annotations


class NoBlockError(Exception):
    """A cache file that holds no block at all."""


class ReplayError(Exception):
    """A block that does not execute to what its header says, or cannot be executed from its witness.

    `str()` is what follows `Execution Error: ` in the report line.
    """


class InvalidBlockError(ReplayError):
    """The block breaks a rule of its fork, or its header does not hold what execution gives."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Block: {reason}")


class MissingNodeError(ReplayError):
    """The witness lacks a trie node that execution or merkleization needs."""

    def __init__(self, node: bytes, path: bytes) -> None:
        super().__init__(
            f"Trie error: Inconsistent internal tree structure: Node with hash 0x{node.hex()} not found "
            f"using path Nibbles {{ data: {list(path)} }}",
        )


class InvalidWitnessError(ReplayError):
    """Bytes of the witness that are not what they should be."""

    def __init__(self, data: bytes, reason: str) -> None:
        super().__init__(f"Trie error: RLP decode error: 0x{data[:32].hex()}…: {reason}")


class MissingCodeError(ReplayError):
    """The witness lacks a contract's code."""

    def __init__(self, code_hash: bytes) -> None:
        super().__init__(f"EVM error: code with hash 0x{code_hash.hex()} not found in the witness")


class MissingHeaderError(ReplayError):
    """The witness lacks the header of an ancestor."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Custom error: header for block {number} not found")


class UnsupportedError(ReplayError):
    """A fork or network that this program cannot replay."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Custom error: {reason}")
