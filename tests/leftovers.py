"""What a killed run leaves of a file that it was replacing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from pytest_ethrex_perf.host import files
with files.replacing(Path(sys.argv[1])) as descriptor:
    files.write(descriptor, b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_half(file: Path) -> Path:
    """Have a run killed while it replaces `file`; return the temporary file that it left."""
    before = set(file.parent.glob(".*.tmp"))
    subprocess.run([sys.executable, "-c", KILLED, file], check=False)
    (left,) = set(file.parent.glob(".*.tmp")) - before
    return left
