"""A pytest plugin: the scripts that stand for native executables in tests are taken for such.

They run nothing that does not stand in them, and say so by `MARK`; any other script is what it is.
`bench` takes them for executables in this process, and loads this file as a plugin of the runs in others
(PYTEST_DONT_REWRITE: it asserts nothing, and is there before them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.replay import executable

if TYPE_CHECKING:
    from pathlib import Path

MARK = "# all that this runs stands here"
_REAL = executable._start
_ELF = b"\x7fELF"


def believe(patch: pytest.MonkeyPatch) -> None:
    """Take what bears the mark for a native executable without libraries of its own."""

    def start(path: Path) -> bytes:
        return _ELF if path.is_file() and MARK.encode() in path.read_bytes() else _REAL(path)

    patch.setattr(executable, "_start", start)


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin of a run: what it patches is undone after it."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    believe(patch)
