"""A folder for what a tool writes beside one process."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_OTHERWISE = frozenset(",%")
"""perf ends the name of a fifo at a comma (perf-stat(1), --control); valgrind replaces `%p`."""
_USUAL = ("/tmp", "/var/tmp")  # noqa: S108 - a folder of our own is made there


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a new folder, gone at the end, whose path perf and valgrind take as it is.

    It is where temporary files belong, or in /tmp or /var/tmp where a tool would misread that.
    """
    places = [tempfile.gettempdir(), *_USUAL]
    fit = (place for place in places if _READ_OTHERWISE.isdisjoint(place) and os.access(place, os.W_OK))
    with tempfile.TemporaryDirectory(prefix="ethrex-perf-", dir=next(fit, places[0])) as path:
        yield Path(path)
