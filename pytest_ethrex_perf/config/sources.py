"""Where settings come from: the command line, `ethrex-perf.toml` and ini values, and which of them wins."""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pytest_ethrex_perf.config.options import CONFIG_NAME, OPTIONS
from pytest_ethrex_perf.config.parsers import REVISION, read, text
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from pytest_ethrex_perf.records.block import BlockId

T = TypeVar("T")
Values = dict[str, Any]
"""Options by their names, as they were written; None is not given."""
Scope = tuple["BlockId | None", "str | None"]
"""A block and a metric that a value holds for; None is every one."""
EVERYWHERE: Scope = (None, None)


@dataclass(frozen=True, slots=True)
class Waiver:
    """An intended slowdown, from `allow` in ethrex-perf.toml."""

    block: BlockId
    metric: str
    up_to: float
    """Largest slowdown that is waived, a fraction."""
    reason: str
    expires: dt.date
    """Last day on which it holds."""


@dataclass(frozen=True)
class Source:
    """One place where settings come from; the first source that has a value wins."""

    kind: Literal["command line", "file", "ini"]
    folder: Path
    """Relative paths of this source start here."""
    tables: Mapping[Scope, Values]

    def where(self, name: str) -> str:
        """How a message names option `name` of this source."""
        option = OPTIONS[name]
        return {
            "command line": option.flag_name,
            "file": f"{CONFIG_NAME}: {name}",
            "ini": f"ini {option.ini_name}",
        }[self.kind]

    def read(self, name: str, reader: Callable[[object], T]) -> dict[Scope, T]:
        """What is given here for option `name`; raises `UsageError` for a bad value."""
        flag = OPTIONS[name].flag
        return {
            scope: read(reader, value, self.where(name))
            for scope, values in self.tables.items()
            if (value := values.get(name)) is not None and not (flag and value is False)
        }


@dataclass(frozen=True)
class Given(Generic[T]):
    """What is given for one option, everywhere: the strongest source first, and last the default.

    In one source, a value for a block and a metric wins over the block's, the metric's and the general one.
    """

    name: str
    reader: Callable[[object], T]
    tables: tuple[Mapping[Scope, T], ...]
    default: T

    def at(
        self,
        block: BlockId | None = None,
        metric: str | None = None,
        marker: Mapping[str, object] | None = None,
    ) -> T:
        """The value that holds for `block` and `metric` in a test with these `marker` keywords.

        Raises `UsageError` for a bad value of the marker.
        """
        if marker and self.name in marker:
            return read(self.reader, marker[self.name], f"@pytest.mark.ethrex_block(…, {self.name}=…)")
        scopes: tuple[Scope, ...] = ((block, metric), (block, None), (None, metric), EVERYWHERE)
        return next(
            (table[scope] for table in self.tables for scope in scopes if scope in table), self.default
        )

    def beneath(self) -> Given[T]:
        """The same without the strongest source."""
        return replace(self, tables=self.tables[1:])


@dataclass(frozen=True)
class Sources:
    """All places where settings come from, the strongest first; each value in each of them is read.

    A bad one is refused although a stronger one hides it: every method raises `UsageError` for it.
    """

    command_line: Source
    file: Source
    """Without tables where there is no file; default paths lie in its folder."""
    ini: Source

    def given(self, name: str, reader: Callable[[object], T]) -> Given[T]:
        """What is given for option `name`, which has a default."""
        return Given(name, reader, self._tables(name, reader), reader(OPTIONS[name].default))

    def perhaps(self, name: str, reader: Callable[[object], T]) -> Given[T | None]:
        """The same for an option without a default."""
        return Given(name, reader, self._tables(name, reader), None)

    def value(self, name: str, reader: Callable[[object], T]) -> T:
        """What option `name`, which has a default, is set to for everything."""
        return self.given(name, reader).at()

    def value_or_none(self, name: str, reader: Callable[[object], T]) -> T | None:
        """The same for an option without a default."""
        return self.perhaps(name, reader).at()

    def flag(self, name: str) -> bool:
        """Whether the flag `name` is given."""
        return self.perhaps(name, bool).at() or False

    def path(self, name: str) -> Path:
        """The path that option `name`, which has a default, is set to."""
        path = self.path_or_none(name)
        return self.file.folder / str(OPTIONS[name].default) if path is None else path

    def path_or_none(self, name: str) -> Path | None:
        """The same without the default."""
        tables = self._tables(name, text)
        for source, table in zip(self._all(), tables, strict=True):
            if EVERYWHERE in table:
                return source.folder / _at_home(table[EVERYWHERE], source.where(name))
        return None

    def command_or_none(self, name: str, reader: Callable[[object], str]) -> str | None:
        """The command line that option `name`, which has no default, is set to.

        Files that a file of settings names start at its folder, whichever directory pytest runs in: the
        words are as `command` makes them.
        """
        tables = self._tables(name, reader)
        for source, table in zip(self._all(), tables, strict=True):
            if EVERYWHERE in table:
                return command(table[EVERYWHERE], source.folder, self.command_line.folder)
        return None

    def _tables(self, name: str, reader: Callable[[object], T]) -> tuple[Mapping[Scope, T], ...]:
        return tuple(source.read(name, reader) for source in self._all())

    def _all(self) -> tuple[Source, ...]:
        return self.command_line, self.file, self.ini


def command(line: str, folder: Path, cwd: Path) -> str:
    """The command line `line`, written in `folder`, as one that runs in `cwd`.

    A relative path that stands first or is there in `folder` is made relative to `cwd`; other words and
    lines, such as a bare name (which is looked for on PATH), stay as they are.
    """
    origin = Path(os.path.abspath(folder))  # noqa: PTH100 - `..` is taken out, links stay as they are
    if origin == cwd.absolute() or line.startswith(REVISION):
        return line
    if "/" in line and regular_file.exists(origin / line):  # a path may hold spaces
        return _moved(line, origin, cwd)
    try:
        words = shlex.split(line)
    except ValueError:  # said where it is run
        return line
    moved = [
        _moved(word, origin, cwd)
        if ("/" in word and index == 0)
        or (not (index == 0 and shutil.which(word)) and regular_file.is_file(origin / word))
        else word
        for index, word in enumerate(words)
    ]
    return line if moved == words else shlex.join(moved)


def _moved(word: str, folder: Path, cwd: Path) -> str:
    if Path(word).is_absolute() or word.startswith("~"):
        return word
    path = os.path.relpath(folder / word, cwd.absolute())
    return path if "/" in path else f"./{path}"


def _at_home(path: str, where: str) -> Path:
    """`path` with a leading `~` or `~user` replaced; raises `UsageError` where that is no directory."""
    if not path.startswith("~"):
        return Path(path)
    start = Path(path).parts[0]
    try:
        home = Path(start).expanduser()
    except RuntimeError:
        home = None
    if home is None or not home.is_dir():
        reason = "there is no such home directory" if home is None else f"{home} is no directory"
        raise UsageError(f"{where}: {path!r}: {reason}: give the whole path")
    return Path(path).expanduser()


def check_names(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise `UsageError` that says `where` unless all `names` are `known`; it suggests what was meant."""
    known = sorted(known)
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
            raise UsageError(f"{where}: unknown name {name!r}{hint}")
