"""Output where the encoding is not UTF-8: what it lacks is written in letters that it has.

It is an error handler of the stream (`codecs.register_error`), so that whoever writes need not think of it.
"""

from __future__ import annotations

import codecs
import io
from typing import Final, TextIO

_NAME: Final = "ethrex-perf"
_LETTERS: Final = {
    "\ufe0f": "",  # the emoji form of the character before it
    "❌": "FAIL",
    "✅": "ok",
    "⚠": "WARN",
    "🚀": "FAST",
    "🔕": "MUTE",
    "❔": "(?)",
    "⏳": "...",
    "±": "+-",
    "−": "-",
    "–": "-",
    "—": "-",
    "≤": "<=",
    "≥": ">=",
    "×": "x",
    "²": "^2",
    "⁴": "^4",
    "→": "->",
    "←": "<-",
    "…": "...",
    "·": "|",
    "µ": "u",
    "μ": "u",
    "Δ": "delta",
    **dict(zip("▁▂▃▄▅▆▇█", "12345678", strict=True)),  # bars: their heights
}


def make(stream: TextIO) -> None:
    """Have `stream` write what its encoding lacks in other letters, or as its code, and raise nothing."""
    codecs.register_error(_NAME, _instead)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_NAME)


def _instead(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    letters = (_LETTERS.get(each, each.encode("ascii", "backslashreplace").decode()) for each in lacking)
    return "".join(letters), error.end
