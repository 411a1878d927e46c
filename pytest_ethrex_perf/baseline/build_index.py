"""Which program of the archive was built from what: `builds/KEY.json` in the archive's directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.records import json_text, regular_file
from pytest_ethrex_perf.records.measurement import Record

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.baseline.archive import Archive


class BuildRecord(Record, frozen=True, kw_only=True):
    """What was built: the content of a file of the index."""

    sha256: str
    """Of the program, which is in the archive unless it had to make room."""
    commit: str
    harness: str | None
    """The commit of `[build.harness]`."""
    compiler: str
    seconds: float
    """How long the build took."""
    built: str
    """When, UTC, ISO 8601."""


class BuildIndex:
    """The builds that `archive` holds; empty where the archive is off."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def find(self, key: str) -> BuildRecord | None:
        """Return what was built under `key`; None where nothing was, or what is there cannot be read."""
        path = self._path(key)
        if path is None:
            return None
        try:
            return json_text.decode(regular_file.content(path), BuildRecord)
        except (OSError, ValueError):
            return None

    def note(self, key: str, record: BuildRecord) -> None:
        """Write it down, and forget builds whose program is no more; raises OSError."""
        import msgspec

        path = self._path(key)
        if path is None:
            return
        files.replace(path, msgspec.json.encode(record) + b"\n")
        for other in path.parent.glob("*.json"):
            kept = self.find(other.stem)
            if kept is None or self._archive.path(kept.sha256) is None:
                other.unlink(missing_ok=True)

    def _path(self, key: str) -> Path | None:
        directory = self._archive.directory
        return None if directory is None else directory / "builds" / f"{key}.json"
