"""How a program ended that somebody else started: a shell as its parent keeps that in a file."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# the outer shell's stderr is nobody's: it says "Segmentation fault" behind the program's own last words
_SCRIPT = """\
status=$1
shift
exec 3>&2 2>/dev/null
(exec 2>&3 3>&-; exec "$@")
code=$?
exec 3>&-
echo "$code" >"$status"
exit "$code"
"""
_CODE = re.compile(r"[0-9]{1,3}\n")
_SIGNALLED = 128  # POSIX, 2.8.2: a shell's status of what a signal killed is greater


def keeper(status: Path) -> tuple[str, ...]:
    """The words before a program that keep in `status` how it ends."""
    return ("/bin/sh", "-c", _SCRIPT, "sh", str(status))


def kept(status: Path) -> int | None:
    """The exit code, or the negative number of the signal; None where it was not kept to the end."""
    try:
        text = status.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    if _CODE.fullmatch(text) is None:
        return None
    code = int(text)
    return _SIGNALLED - code if code - _SIGNALLED in signal.valid_signals() else code
