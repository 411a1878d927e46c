"""How deep JSON may be nested: its decoders recurse, and only Python's recursion limit holds them.

A process that has raised the limit (a conftest.py, the specs of Ethereum's forks) would overflow its stack.
"""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels; no file that is read here has more than 20."""
_OTHERS = bytes({*range(256)} - {*b'[]{}"'})
_STRING = re.compile(rb'"[^"]*(?:"|\Z)')


def check(content: bytes | str) -> None:
    """Raise ValueError for JSON that is nested deeper than `DEEPEST`; all else that is wrong is not seen."""
    if isinstance(content, str):
        content = content.encode(errors="replace")
    content = content.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _OTHERS)
    brackets = _STRING.sub(b"", content.replace(b'""', b""))  # most strings hold no bracket: far faster
    for _ in range(DEEPEST):  # each round takes the innermost level away
        if len(brackets) <= DEEPEST:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if len(brackets) > DEEPEST:
        raise ValueError(f"its brackets are nested more than {DEEPEST} deep, or do not match")
