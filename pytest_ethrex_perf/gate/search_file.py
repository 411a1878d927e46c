"""The file of a search: everything that it has measured, written after each step, read by the next run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.records import json_text, regular_file
from pytest_ethrex_perf.records.search import SCHEMA, Answer, Search

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.search import Change, Purpose

FILE = "search.json"


class Memory:
    """What is known of one search; `folder` keeps it, and `git-bisect-N.log` for each part of it."""

    def __init__(self, folder: Path, question: str, *, restart: bool = False) -> None:
        self.folder = folder
        self.file = folder / FILE
        kept = None if restart else _read(self.file)
        self.resumed = kept is not None
        """Whether an earlier run has left something."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.search = kept or Search(started=now, question=question)

    def answer(self, good: str, bad: str, commit: str) -> Answer | None:
        """What a commit was between these ends, None where that is not known."""
        wanted = (good, bad, commit)
        return next(
            (each for each in self.search.answers if (each.good, each.bad, each.commit) == wanted), None
        )

    def change(self, base: str, head: str, purpose: Purpose) -> Change | None:
        """How one commit differs from another, None where that is not known."""
        wanted = (base, head, purpose)
        return next(
            (each for each in self.search.changes if (each.base, each.head, each.purpose) == wanted), None
        )

    def add(self, finding: Answer | Change) -> None:
        """Keep one more finding, on the disk as well; raises `MeasurementError` where it can't be written."""
        kept = self.search
        if isinstance(finding, Answer):
            kept = msgspec.structs.replace(kept, answers=(*kept.answers, finding))
        else:
            kept = msgspec.structs.replace(kept, changes=(*kept.changes, finding))
        self.search = kept
        content = msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n"
        self._write(self.file, content)

    def log(self, part: int, content: str) -> Path:
        """Keep the log of one part's `git bisect`; return its file. Raises as `add` does."""
        file = self.folder / f"git-bisect-{part}.log"
        self._write(file, content.encode())
        return file

    @staticmethod
    def _write(file: Path, content: bytes) -> None:
        try:
            files.replace(file, content)
        except OSError as error:
            raise MeasurementError(f"{file}: can't be written: {error.strerror}") from None


def _read(file: Path) -> Search | None:
    if not regular_file.exists(file):
        return None
    try:
        content = regular_file.content(file)
        search = json_text.decode(content, Search)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{file}: no search of this version ({error}): --restart begins anew") from None
    if search.schema != SCHEMA:
        raise UsageError(f"{file}: a search of schema {search.schema}, not {SCHEMA}: --restart begins anew")
    return search
