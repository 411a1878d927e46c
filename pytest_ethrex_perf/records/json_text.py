"""JSON read as plain data: one way, and one kind of error for all that can be wrong with it."""

from __future__ import annotations

from typing import TypeVar

from pytest_ethrex_perf.records import nesting

T = TypeVar("T")


def decode(content: bytes | str, kind: type[T]) -> T:
    """Return JSON as a `kind`; raises ValueError that says why it is none, or is nested too deep.

    msgspec's own errors are ValueErrors in its later versions alone.
    """
    import msgspec

    nesting.check(content)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
