"""What `ethrex-perf history` knows: sessions without their raw data, over months, and what changed in them.

A history file holds all of it. It is also read: what a baseline has forgotten since is still in there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import json_schema, nesting, regular_file
from pytest_ethrex_perf.records.measurement import Kind, Record
from pytest_ethrex_perf.records.origin import check_url

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1


class Level(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A metric in one session."""

    mean: float
    """In the metric's unit, ns for times: the geometric mean over invocations."""
    error: float | None = None
    """Its standard error, as a log; None for a single invocation."""
    counted: str | None = None
    """How it was counted, None for a time: what was counted in another way is another thing."""


class PointInTime(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A session, as a change names it."""

    session: str
    """Its id."""
    started: str
    """UTC, ISO 8601."""
    program: str
    """The first 12 hex digits of the program's sha256."""
    commit: str | None = None
    """That the program was built from, where it is known."""
    subject: str | None = None
    """Of the commit, where a repository was at hand."""
    url: str | None = None
    """Where the commit is shown."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that nobody should follow."""
        check_url(self.url)


class HistorySession(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One session of a block on a machine."""

    id: str
    """As `Session.id` of a baseline; of a result of CI made in the same way."""
    started: str
    """UTC, ISO 8601."""
    program: str
    """The first 12 hex digits of its sha256."""
    commit: str | None = None
    """That the program was built from, where it is known."""
    tags: tuple[str, ...] = ()
    """Its tags in the baseline."""
    note: str | None = None
    """What was noted when it was recorded."""
    invocations: int
    """How many it has."""
    levels: dict[str, Level]
    """Of each metric."""
    waived: dict[str, str] = {}
    """Metrics whose regression was waived in this run, and why."""

    def point(self, subject: str | None = None) -> PointInTime:
        """Return which session it is."""
        return PointInTime(
            session=self.id,
            started=self.started,
            program=self.program,
            commit=self.commit,
            subject=subject,
        )


class HistoryEpoch(Record, frozen=True, kw_only=True):
    """When a level was accepted, and why."""

    started: str
    """When its first session started, UTC, ISO 8601."""
    reason: str
    """Why it was begun."""


class HistoryStep(Record, frozen=True, kw_only=True):
    """One step of a change."""

    started: str
    """When the first session at its level started, most probably."""
    change: float
    """A fraction."""


class HistoryChange(Record, frozen=True, kw_only=True):
    """A change of a metric's level: one step, or the creep of several in one direction."""

    id: str
    """Stays what it is when later sessions date the change better."""
    metric: str
    """Whose level changed."""
    change: float
    """New level / old level - 1."""
    low: float
    """Of its 95 % interval."""
    high: float
    """Of its 95 % interval."""
    before: PointInTime
    """The last session at the old level: the change lies between this and `after`, with 95 % probability."""
    after: PointInTime
    """A session at the new level."""
    start: PointInTime
    """The first session at the (first) new level, most probably."""
    steps: tuple[HistoryStep, ...]
    """One, or those of a creep, in the order of time."""
    accepted: str | None = None
    """How and why it was accepted or waived."""
    bisect: str | None = None
    """The command that searches the commit; None where a commit is not known, or the program is the same."""

    @property
    def is_same_program(self) -> bool:
        """Whether one program has both levels: then it was the machine that changed."""
        return self.before.program == self.after.program


class BlockHistory(Record, frozen=True, kw_only=True):
    """One block, measured by one kind of program on one machine."""

    block: str
    """`mainnet/24443168`."""
    kind: Kind
    """Of the program."""
    machine: str
    """The key of the machine."""
    gas: int
    """Gas of the block."""
    sessions: tuple[HistorySession, ...]
    """By their starts."""
    epochs: tuple[HistoryEpoch, ...] = ()
    """Where the baseline was reset."""
    changes: tuple[HistoryChange, ...] = ()
    """By their starts."""


class Release(Record, frozen=True, kw_only=True):
    """A tag of the repository."""

    name: str
    """The tag."""
    date: str
    """UTC, ISO 8601."""
    commit: str
    """What it points to."""
    url: str | None = None
    """Where that is shown."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that nobody should follow."""
        check_url(self.url)


class History(Record, frozen=True, kw_only=True):
    """All of it: the content of `ethrex-perf history --json`."""

    schema: int = SCHEMA
    """The version of this format."""
    version: str
    """Of pytest-ethrex-perf."""
    releases: tuple[Release, ...] = ()
    """Of the repository, where one was at hand."""
    blocks: tuple[BlockHistory, ...]
    """Each of them on each machine."""


class _Kind(msgspec.Struct):
    """What tells a history from results, which have a start."""

    schema: int = 0
    version: str | None = None
    started: str | None = None

    @property
    def is_history(self) -> bool:
        return self.version is not None and self.started is None


def dump(history: History) -> bytearray:
    """Return the JSON of a history, a session a line: git shows what a night has added."""
    encoder = msgspec.json.Encoder()
    content = bytearray(encoder.encode(msgspec.structs.replace(history, blocks=())).removesuffix(b"]}"))
    for number, block in enumerate(history.blocks):
        content += b"," if number else b""
        content += encoder.encode(block).replace(b'{"id":', b'\n{"id":')
    content += b"]}\n"
    return content


def load(path: Path) -> History | None:
    """Return the history in a file, None where it is JSON of something else; raises `UsageError`."""
    try:
        content = regular_file.content(path)
        nesting.check(content)
        kind = msgspec.json.decode(content, type=_Kind)
        if not kind.is_history:
            return None
        if kind.schema != SCHEMA:
            raise UsageError(
                f"{path}: a history of another version (schema {kind.schema}, this one reads {SCHEMA}): "
                "upgrade pytest-ethrex-perf"
            )
        return msgspec.json.decode(content, type=History)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageError(f"{path}: neither results nor a history: {error}") from None


def json_schema_text() -> str:
    """Return the JSON Schema of a history file."""
    return json_schema.dump(History, "history", SCHEMA)
