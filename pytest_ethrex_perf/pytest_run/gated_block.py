"""What the `ethrex_block` fixture gives a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.result import BlockResult


class GatedBlock:
    """A block that was measured: what the `ethrex_block` fixture gives a test."""

    def __init__(self, result: BlockResult, gate: Callable[[], BlockResult]) -> None:
        self._result = result
        self._gate = gate

    @property
    def result(self) -> BlockResult:
        """What was measured and decided, whatever it is."""
        return self._result

    def gate(self) -> BlockResult:
        """Judge: fails the test on a regression, else returns the result."""
        return self._gate()
