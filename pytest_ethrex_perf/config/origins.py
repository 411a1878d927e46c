"""What every option is set to, and where that was written."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.config import readers
from pytest_ethrex_perf.config.options import CONFIG_NAME, OPTIONS
from pytest_ethrex_perf.config.sources import EVERYWHERE
from pytest_ethrex_perf.config.typed import typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_ethrex_perf.config.options import Option
    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.config.sources import Scope, Source, Sources
    from pytest_ethrex_perf.config.toml_file import TomlFile

DEFAULT = "default"
VARIABLES = {"replay": "ETHREX_REPLAY", "rpc_url": "ETHREX_RPC_URL"}
"""The variables of the environment that stand in for an option that is not set."""
_DEFAULT = re.compile(r".*\(default: (.+?)\)", re.DOTALL)


class Setting(NamedTuple):
    """One setting in force."""

    name: str
    """`margin`, and for what it holds: `margin [metric.prep]`."""
    value: str
    """As it would be typed; in parentheses what a run takes where nothing is set."""
    origin: str
    """`default`, `--ethrex-margin`, `$ETHREX_REPLAY`, or a file and where in it."""


class Origins:
    """Which settings are in force, and where each comes from."""

    def __init__(
        self, sources: Sources, file: TomlFile | None, settings: Settings, inipath: Path | None
    ) -> None:
        self._sources = (sources.command_line, sources.file, sources.ini)
        self._settings = settings
        self._file = file
        path = file.path if file else None
        self._paths = {"file": self._near(path, CONFIG_NAME), "ini": self._near(inipath, "ini")}
        self._shown = settings.shown()

    def _near(self, path: Path | None, otherwise: str) -> str:
        """`path` as it is called from the directory that pytest runs in, where it lies there."""
        if path is None:
            return otherwise
        cwd = self._settings.cwd
        return str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)

    def all(self) -> Iterator[Setting]:
        """Yield every option, what differs by block and metric, and what only a file says."""
        for name, option in OPTIONS.items():
            yield self._general(name, option)
            yield from self._scoped(name)
        if self._file is not None:
            yield from self._of_the_file(self._file)

    def _general(self, name: str, option: Option) -> Setting:
        source = next((each for each in self._sources if EVERYWHERE in self._given(each, name)), None)
        variable = VARIABLES.get(name)
        if source is not None:
            value = self._shown.get(name) or typed(name, self._given(source, name)[EVERYWHERE])
            return Setting(name, value or "none", self._where(source, name, EVERYWHERE))
        if variable and self._settings.environ.get(variable):
            return Setting(name, self._settings.environ[variable], f"${variable}")
        return Setting(name, self._shown.get(name) or _default(option), DEFAULT)

    def _scoped(self, name: str) -> Iterator[Setting]:
        """What holds for a block or a metric alone: a stronger source's general value would hide it."""
        for source in self._sources:
            given = self._given(source, name)
            for scope, value in given.items():
                if scope != EVERYWHERE:
                    yield Setting(
                        f"{name} {_table(scope)}", typed(name, value), self._where(source, name, scope)
                    )
            if EVERYWHERE in given:
                return

    def _given(self, source: Source, name: str) -> Mapping[Scope, object]:
        if name == "block":  # repeated, and read with its network
            return {scope: values[name] for scope, values in source.tables.items() if values.get(name)}
        return source.read(name, readers.of(name))

    def _where(self, source: Source, name: str, scope: Scope) -> str:
        option = OPTIONS[name]
        match source.kind:
            case "command line":
                return option.flag_name
            case "ini":
                return f"{self._paths['ini']}: {option.ini_name}"
            case "file":
                return f"{self._paths['file']}: {name if scope == EVERYWHERE else _table(scope)}"

    def _of_the_file(self, file: TomlFile) -> Iterator[Setting]:
        path = self._paths["file"]
        if file.blocks:
            yield Setting("blocks", ",".join(map(str, file.blocks)), f"{path}: blocks")
        if file.build is not None:
            command = file.build.command
            line = " ".join(command.split()) if isinstance(command, str) else shlex.join(command)
            yield Setting("build", line, f"{path}: [build]")
        for waiver in file.waivers:
            value = f"{waiver.metric} of {waiver.block} by {100 * waiver.up_to:.12g}% until {waiver.expires}"
            yield Setting("allow", value, f"{path}: allow")


def _table(scope: Scope) -> str:
    """The table of a scope as the file names it: `[block."mainnet/1".metric.exec]`."""
    block, metric = scope
    parts = [*([f'block."{block}"'] if block else []), *([f"metric.{metric}"] if metric else [])]
    return f"[{'.'.join(parts)}]"


def _default(option: Option) -> str:
    """What the help says of an option that nothing sets."""
    match = _DEFAULT.match(option.full_help)
    text = match[1] if match else "none"
    return text if text in ("none", "off") else f"({text})"
