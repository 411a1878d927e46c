"""Nothing that is measured outlives us, not even where no handler of ours runs: SIGKILL, SIGQUIT, `os._exit`.

Linux's parent-death signal reaches the child alone and not what it starts (perf, and so not the program), and
needs code between fork and exec. A shell that waits for the end of our pipe needs neither: it blocks in one
read while the program runs, and kills the whole group once nobody is left who could write.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_SCRIPT = 'read -r group || exit 0; read -r over || kill -s KILL -- "-$group"'


class Guard:
    """A process that kills the group it is told of when we are gone; without an `sh` it does nothing."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it: before what it guards, so that it takes no time of that."""
        with contextlib.suppress(OSError):
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,  # what kills our group must not kill it
            )
        return self

    def watch(self, group: int) -> None:
        """From now on `group` dies with us."""
        self._write(b"%d\n" % group)

    def release(self) -> None:
        """The group is gone: its number may be somebody else's from now on."""
        self._write(b"over\n")

    def __exit__(self, *_: object) -> None:
        """Wait until it has ended, which takes no time."""
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            self._shell.wait()

    def _write(self, message: bytes) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(OSError):  # somebody has killed it
                self._shell.stdin.write(message)
