"""`[build]` in ethrex-perf.toml: how a revision (`git:REV`) becomes a program, in the user's own words."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.config.sources import check_names
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.records.measurement import Side

Command = str | tuple[str, ...]
"""Text is a line for `sh -c`; words are run as they are."""
PLACES = ("source", "target", "revision", "harness", "harness_revision")
"""What `{…}` stands for in a command, in `artifact` and in the values of `environment`."""
EXAMPLE = (
    '[build] with command = "cargo build --release --bin ethrex-replay" and '
    'artifact = "release/ethrex-replay"'
)
_KEYS = ("repository", "command", "artifact", "environment", "compiler", "harness")
_HARNESS_KEYS = ("repository", "revision", "base", "head")
_PLACE = re.compile(r"(?<!\$)\{([a-z_]+)\}")


@dataclass(frozen=True)
class Harness:
    """A second repository, whose program is built with the revision: ethrex-replay beside ethrex."""

    repository: Path
    revisions: Mapping[Side, str]
    """Which revision of it each side has, where `git:REV,harness:REV` names none."""


@dataclass(frozen=True)
class BuildTable:
    """What `[build]` says."""

    where: str
    """How a message names it: `ethrex-perf.toml: [build]`."""
    repository: Path | None
    """None: the one that pytest runs in."""
    command: Command
    artifact: str
    """The executable; a relative path is one in `{target}`."""
    environment: Mapping[str, str] = field(repr=False)
    compiler: Command | None
    """What prints which compiler it is, beside `rustc -vV` and `cc --version`."""
    harness: Harness | None


def read(table: object, path: Path) -> BuildTable:
    """The table as the file at `path` has it; raises `UsageError` that names the key and shows the form."""
    where = f"{path}: [build]"
    values = _table(table, where)
    check_names(values, _KEYS, where)
    for key in ("command", "artifact"):
        if key not in values:
            raise UsageError(f"{where}: {key} is missing: write a table {EXAMPLE}")
    environment = _table(values.get("environment", {}), f"{where}: environment")
    built = BuildTable(
        where=where,
        repository=_folder(values, path, where),
        command=_command(values["command"], f"{where}: command"),
        artifact=_text(values["artifact"], f"{where}: artifact"),
        environment={
            name: _value(value, f"{where}: environment: {name}") for name, value in environment.items()
        },
        compiler=_command(values["compiler"], f"{where}: compiler") if "compiler" in values else None,
        harness=_harness(values["harness"], path) if "harness" in values else None,
    )
    _check_places(built)
    return built


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `{place}` of `values` filled in; other braces stay."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def _harness(table: object, path: Path) -> Harness:
    where = f"{path}: [build.harness]"
    values = _table(table, where)
    check_names(values, _HARNESS_KEYS, where)
    repository = _folder(values, path, where)
    if repository is None:
        raise UsageError(f'{where}: repository is missing: write repository = "../ethrex-replay"')
    both = _text(values.get("revision", "HEAD"), f"{where}: revision")
    sides: tuple[Side, ...] = ("base", "head")
    return Harness(repository, {side: _text(values.get(side, both), f"{where}: {side}") for side in sides})


def _check_places(table: BuildTable) -> None:
    """Refuse what looks like a place and is none: it would reach the shell as it is."""
    places = PLACES if table.harness else PLACES[:3]
    words = (table.command,) if isinstance(table.command, str) else table.command
    for word in (*words, table.artifact, *table.environment.values()):
        for match in _PLACE.finditer(word):
            close = difflib.get_close_matches(match[1], PLACES, n=1)
            if match[1] not in places and close:
                known = ", ".join(f"{{{place}}}" for place in places)
                raise UsageError(f"{table.where}: {match[0]} stands for nothing here; there are {known}")


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where}: write a table")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise UsageError(f"{where}: write it as text, in quotes, and not empty")
    return value


def _value(value: object, where: str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise UsageError(f"{where}: write its value as text, in quotes")
    return value


def _command(value: object, where: str) -> Command:
    if isinstance(value, list) and value:
        return tuple(_value(word, where) for word in value)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise UsageError(f"{where}: write a line for the shell in quotes, or a list of words")
    return value


def _folder(values: Mapping[str, object], path: Path, where: str) -> Path | None:
    if "repository" not in values:
        return None
    text = _text(values["repository"], f"{where}: repository")
    try:
        return path.parent / Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{where}: repository: {text!r}: there is no such home directory") from None
