"""A machine whose root directory and PATH are made up, and whose perf is a few lines of sh."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Machine:
    """A root directory and a PATH of its own."""

    def __init__(self, path: Path) -> None:
        self.root = path / "root"
        self.bin = path / "bin"
        self.bin.mkdir()
        self.environ = {"PATH": f"{self.bin}:/usr/bin:/bin"}
        self.file("etc/os-release", "PRETTY_NAME=x\nID=debian\n")
        self.file("proc/sys/kernel/perf_event_paranoid", "2\n")

    def file(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def perf(self, record: str, version: str = "echo perf version 6.1.187") -> None:
        """Install a perf that runs these lines of sh."""
        program = self.bin / "perf"
        program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then {version}; exit; fi\n{record}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
