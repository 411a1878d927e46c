"""Texts that are much alike, each compressed so that a browser can inflate it alone.

All streams (RFC 1950) begin with the same compressed text, which is kept once: what follows refers back to
it, so that each costs about as much as in one common stream. The browser joins both, inflates them with its
`DecompressionStream`, and leaves out the beginning.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 28_000
"""Bytes of the beginning. No reference reaches further back than 32,768 (RFC 1951), and what is like it may
come a little later in another text."""


@dataclass(frozen=True)
class Packed:
    """Compressed texts, in base64."""

    beginning: str
    skip: int
    """Bytes of the inflated beginning, which are of no text."""
    parts: list[str]
    """Of each text what comes after the beginning."""


def pack(texts: Sequence[str]) -> Packed:
    """Return `texts` compressed; the first of them is the common beginning."""
    start = texts[0].encode()[:_LONGEST] if texts else b""
    common = zlib.compressobj(9)
    beginning = common.compress(start) + common.flush(zlib.Z_SYNC_FLUSH)
    return Packed(_base64(beginning), len(start), [_after(common.copy(), text) for text in texts])


def _after(common: zlib._Compress, text: str) -> str:
    return _base64(common.compress(text.encode()) + common.flush())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
