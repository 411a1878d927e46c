"""What a block is compared with: a program, run beside head, or the sessions of its baseline alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.archive import MissingProgramError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_ethrex_perf.baseline.archive import Archive
    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.records.result import Mode

_SHORT = 8  # hex digits of a program's sha256 that people read


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a block is compared; decided before anything is measured."""

    mode: Mode
    base: Program | None = None
    """The program that is run beside head, where the mode is interleaved."""
    archived: bool = False
    """Base is the baseline's own program, from the archive."""
    alone: str | None = None
    """Why the stored sessions decide alone, although their program was looked for."""


class BaselinePrograms:
    """The programs of baselines, had from the archive; each is looked for, and its checksum checked, once."""

    def __init__(self, archive: Archive, *, cwd: Path, environ: Mapping[str, str]) -> None:
        self._archive = archive
        self._cwd = cwd
        self._environ = environ
        self._commands: dict[str, tuple[str, ...] | MissingProgramError] = {}

    def compare(self, baseline: Baseline, head: Program) -> Comparison:
        """Return the comparison of `head` with `baseline`.

        The program of the newest session is run beside head, unless it is head or cannot be run again. It is
        run under head's prefix: both sides of a pair are run alike.
        """
        import msgspec

        newest = baseline.epoch.sessions[-1].program
        if newest.sha256 == head.sha256:
            return Comparison("stored")  # nothing to run it beside: --ethrex-aa is asked for, never guessed
        name = f"baseline's program {newest.sha256[:_SHORT]}"
        try:
            command = self._command(newest.sha256)
        except MissingProgramError as missing:
            return Comparison("stored", alone=f"the {name} {missing}")
        base = msgspec.structs.replace(newest, command=command, label=f"{name} (archive)", prefix=head.prefix)
        return Comparison("interleaved", base, archived=True)

    def _command(self, sha256: str) -> tuple[str, ...]:
        """The command that runs a program of the archive; raises `MissingProgramError`."""
        if sha256 not in self._commands:
            try:
                self._commands[sha256] = self._archive.find(sha256, cwd=self._cwd, environ=self._environ)
            except MissingProgramError as missing:
                self._commands[sha256] = missing
        command = self._commands[sha256]
        if isinstance(command, MissingProgramError):
            raise command
        return command
