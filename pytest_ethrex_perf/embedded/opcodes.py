"""Counting executed opcodes, and stopping at a given number of them.

The specs tell a tracer of every opcode. It is in place in every repeat, so the number printed is that of the
repeats that are timed, and its cost (about 1 % of exec) is the same in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class EnoughError(Exception):
    """As many opcodes as were asked for have been executed. No error of the EVM: no call frame catches it."""


class Opcodes:
    """Counts opcodes while entered: `count` so far, `EnoughError` where more than `limit` begin."""

    def __init__(self) -> None:
        self.count = 0
        self.limit: int | None = None

    def __enter__(self) -> Self:
        from ethereum import trace

        start = trace.OpStart

        def on_event(evm: object, event: object) -> None:  # noqa: ARG001  # the specs' signature
            if type(event) is start:
                if self.count == self.limit:
                    raise EnoughError
                self.count += 1

        self._previous = trace.set_evm_trace(on_event)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        from ethereum import trace

        trace.set_evm_trace(self._previous)
