"""A folder for what a tool writes beside one process.

It is named after our process, so that the next run removes what a killed one has left: nobody else can.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.host import proc

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"ethrex-perf-(?P<system>[0-9a-f]{8})-(?P<pid>[0-9]{1,9})-(?P<started>[0-9]+)-.+")
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
    place = Path(next(fit, places[0]))
    _remove_leftovers(place)
    mark = f"{_system()}-{os.getpid()}-{_started(os.getpid())}"
    with tempfile.TemporaryDirectory(prefix=f"ethrex-perf-{mark}-", dir=place) as path:
        yield Path(path)


@cache
def _remove_leftovers(place: Path) -> None:
    """Remove the folders of ours in `place` whose process is no more; looked for once in a process.

    Those of other users, of other hosts or containers, and of an earlier boot are not ours to judge.
    """
    with contextlib.suppress(OSError):
        for entry in os.scandir(place):
            match = _NAME.fullmatch(entry.name)
            if match is None or match["system"] != _system() or not entry.is_dir(follow_symlinks=False):
                continue
            is_ours = entry.stat(follow_symlinks=False).st_uid == os.getuid()
            if is_ours and _started(int(match["pid"])) != match["started"]:
                shutil.rmtree(entry.path, ignore_errors=True)


@cache
def _system() -> str:
    """8 hex digits of where a process id means a process: this host since it was booted, its namespace."""
    boot = proc.read(Path("/proc/sys/kernel/random/boot_id"))
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - a text, no path
    except OSError:
        namespace = ""
    parts = (os.uname().nodename, boot or "", namespace)
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:8]


def _started(pid: int) -> str | None:
    """When a process was started (proc(5), stat, field 22); None where it is no more.

    A process id is given again, but not with the same time. It is `0` where there is no /proc.
    """
    if (stat := proc.read(Path(f"/proc/{pid}/stat"))) is not None:
        return stat.rpartition(")")[2].split()[19]
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:  # somebody else's
        return "0"
    return "0"
