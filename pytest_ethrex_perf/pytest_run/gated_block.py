"""What the `ethrex_block` fixture gives a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.result import BlockResult


class GatedBlock:
    """A block that was measured: what the `ethrex_block` fixture gives a test.

    `required` says whether it is judged after the test where the test itself has not.
    """

    def __init__(
        self, result: BlockResult, gate: Callable[[], BlockResult], *, required: bool = True
    ) -> None:
        self._result = result
        self._gate = gate
        self._required = required
        self._judged = False

    @property
    def required(self) -> bool:
        """Whether somebody has to judge it."""
        return self._required

    @property
    def result(self) -> BlockResult:
        """What was measured and decided, whatever it is."""
        return self._result

    def gate(self) -> BlockResult:
        """Judge: fails the test on a regression, else returns the result."""
        self._judged = True
        return self._gate()

    def settle(self) -> None:
        """Judge if nobody has, unless the test's marker says `gate=False`."""
        if self._required and not self._judged:
            self.gate()
