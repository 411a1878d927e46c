"""What the options are set to: one frozen `Settings` per pytest run.

Precedence: marker > command line > `ethrex-perf.toml` > ini > default; in the file, what is set for a block
and a metric wins over the block's, the metric's and the file's general value.
"""

from __future__ import annotations

import datetime as dt
import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.config.options import (
    ALL_CONFIGURED,
    BUNDLED,
    CONFIG_NAME,
    MARKER_OPTIONS,
    OPTIONS,
    WRITTEN,
)
from pytest_ethrex_perf.config.parsers import fraction
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.metric import METRICS, TIMES, limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_ethrex_perf.config.options import Option
    from pytest_ethrex_perf.records.block import BlockId

Values = dict[str, Any]
_FILE_TABLES = ("blocks", "block", "metric", "allow")
_WAIVER_KEYS = {"block", "metric", "up_to", "reason", "expires"}


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
    values: Values
    blocks: Mapping[BlockId, Values] = field(default_factory=dict)
    metrics: Mapping[str, Values] = field(default_factory=dict)
    block_metrics: Mapping[tuple[BlockId, str], Values] = field(default_factory=dict)

    def where(self, name: str) -> str:
        """How a message names option `name` of this source."""
        option = OPTIONS[name]
        return {
            "command line": option.flag_name,
            "file": f"{CONFIG_NAME}: {name}",
            "ini": f"ini {option.ini_name}",
        }[self.kind]

    def lookup(self, name: str, block: BlockId | None, metric: str | None) -> Any:
        """Value of `name` here, the most special first; None where there is none."""
        tables: list[Values] = []
        if block is not None and metric is not None:
            tables.append(self.block_metrics.get((block, metric), {}))
        if block is not None:
            tables.append(self.blocks.get(block, {}))
        if metric is not None:
            tables.append(self.metrics.get(metric, {}))
        tables.append(self.values)
        return next((table[name] for table in tables if table.get(name) is not None), None)


@dataclass(frozen=True)
class Settings:
    """All settings of one pytest run: read with `get`, per block, metric and marker where they may differ."""

    sources: tuple[Source, ...]
    cwd: Path
    environ: Mapping[str, str] = field(repr=False)
    configured_blocks: tuple[BlockId, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def get(
        self,
        name: str,
        block: BlockId | None = None,
        metric: str | None = None,
        marker: Mapping[str, Any] | None = None,
    ) -> Any:
        """Value of option `name`. Raises `UsageError` that names its source for a bad value."""
        option = OPTIONS[name]
        if name == "floor" and metric not in (None, *TIMES):
            return limits(metric, callgrind=False).floor  # it is a time, and a count has none
        if marker and name in marker:
            return option.read(marker[name], f"@pytest.mark.ethrex_block(…, {name}=…)")
        for source in self.sources:
            value = source.lookup(name, block, metric)
            if value is not None and not (option.flag and value is False):
                return self._finish(option.path, option.read(value, source.where(name)), source.folder)
        return self._finish(option.path, self._default(option, metric), self._home())

    def _default(self, option: Option, metric: str | None) -> Any:
        """What holds where nothing is set: of some options another value for what is counted."""
        if metric is None or not option.per_metric:
            return option.default
        return getattr(limits(metric, callgrind=self.get("counters") == "callgrind"), option.name)

    @staticmethod
    def _finish(is_path: bool, value: Any, folder: Path) -> Any:  # noqa: FBT001 - private, one caller
        if not is_path or value is None or value == BUNDLED:
            return value
        return folder / Path(value).expanduser()

    def _home(self) -> Path:
        """Default paths lie beside ethrex-perf.toml if there is one, else where pytest was started."""
        return next((source.folder for source in self.sources if source.kind == "file"), self.cwd)

    @property
    def recording(self) -> bool:
        """Whether sessions are recorded instead of judged."""
        return any(
            self.get(name) for name in ("update_baseline", "update_baseline_new_only", "accept_baseline")
        )

    def blocks(self) -> list[BlockId]:
        """The blocks of --ethrex-block, in order, each once. Raises `UsageError` that shows the form."""
        network = str(self.get("network"))
        found: dict[BlockId, None] = {}
        for spec in self.sources[0].values.get("block") or ():
            if spec.strip() != ALL_CONFIGURED:
                found.update(dict.fromkeys(parse_blocks([spec], network)))
            elif self.configured_blocks:
                found.update(dict.fromkeys(self.configured_blocks))
            else:
                raise UsageError(
                    f"--ethrex-block {ALL_CONFIGURED}: no blocks are listed in {CONFIG_NAME}: "
                    "add a line like blocks = [24443168]"
                )
        return list(found)

    def waiver(self, block: BlockId, metric: str) -> Waiver | None:
        """The waiver for this block and metric, expired or not."""
        return next((w for w in self.waivers if (w.block, w.metric) == (block, metric)), None)


def load(
    command_line: Values,
    *,
    cwd: Path,
    root: Path,
    ini: Values,
    environ: Mapping[str, str],
) -> Settings:
    """Settings of this run from the command line's values, `ethrex-perf.toml` and ini values.

    `root` is pytest's rootdir: the file is looked for in `cwd`, then there. Raises `UsageError`.
    """
    cli = Source("command line", cwd, command_line)
    named = command_line.get("config")
    candidates = [cwd / CONFIG_NAME, root / CONFIG_NAME] if named is None else [cwd / named]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if named is not None and path is None:
        raise UsageError(f"--ethrex-config {named}: there is no such file")
    ini_source = Source("ini", root, ini)
    if path is None:
        settings = Settings((cli, ini_source), cwd, environ)
    else:
        default_network = str(Settings((cli, ini_source), cwd, environ).get("network"))
        file, blocks, waivers = _read_file(path, default_network)
        settings = Settings((cli, file, ini_source), cwd, environ, blocks, waivers)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Refuse bad values and contradictions before anything is measured."""
    for source in settings.sources:
        for table in (
            source.values,
            *source.blocks.values(),
            *source.metrics.values(),
            *source.block_metrics.values(),
        ):
            for name, value in table.items():
                if value is not None and name != "block":
                    OPTIONS[name].read(value, source.where(name))
    _check_outputs(settings)
    if settings.recording and (settings.get("base") or settings.get("aa")):
        raise UsageError(
            "--ethrex-update-baseline records and compares nothing: drop --ethrex-base and --ethrex-aa"
        )
    if settings.get("update_baseline_new_only") and settings.get("accept_baseline"):
        raise UsageError(
            "--ethrex-accept-baseline changes a baseline, --ethrex-update-baseline-new-only leaves it alone: "
            "drop one of them"
        )
    for source in settings.sources:
        for block in {None, *source.blocks, *(key for key, _ in source.block_metrics)}:
            for metric in TIMES:  # of the others those that are asked for, when they are
                check_limits(settings, block, metric, {})


def _check_outputs(settings: Settings) -> None:
    """Refuse files that could not be written, before an hour of measuring is lost."""
    written: dict[Path, str] = {}
    for name in WRITTEN:
        path: Path | None = settings.get(name)
        if path is None:
            continue
        flag = OPTIONS[name].flag_name
        if OPTIONS[name].metavar == "DIR":
            if path.exists() and not path.is_dir():
                raise UsageError(f"{flag}: {path} is a file: give a directory")
        elif path.is_dir():
            raise UsageError(f"{flag}: {path} is a directory: give a file")
        if path in written:
            raise UsageError(f"{written[path]} and {flag} would write the same file, {path}")
        written[path] = flag


def check_limits(settings: Settings, block: BlockId | None, metric: str, marker: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless the margin lies below the tolerance."""
    margin = settings.get("margin", block, metric, marker)
    tolerance = settings.get("tolerance", block, metric, marker)
    if margin >= tolerance:
        raise UsageError(
            f"{block or 'every block'}, {metric}: the margin ({margin:.3g}) must be below the tolerance "
            f"({tolerance:.3g}): a change between them would be both unchanged and a regression: set both, "
            f"for one metric in {CONFIG_NAME} under [metric.{metric}]"
        )


def check_marker(marker: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a keyword that `@pytest.mark.ethrex_block` does not take."""
    for key in marker:
        if key not in MARKER_OPTIONS:
            raise UsageError(f"@pytest.mark.ethrex_block(…, {key}=…): {_unknown(key, MARKER_OPTIONS)}")


def _read_file(path: Path, network: str) -> tuple[Source, tuple[BlockId, ...], tuple[Waiver, ...]]:
    import tomli

    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    values = {key: value for key, value in data.items() if key not in _FILE_TABLES}
    general = [name for name, option in OPTIONS.items() if option.file]
    of_block = [name for name in MARKER_OPTIONS if name != "network"]  # it is in the block's own name
    _check_keys(values, general, f"{path}", extra=_FILE_TABLES)
    network = OPTIONS["network"].read(values.get("network", network), f"{path}: network")
    blocks: dict[BlockId, Values] = {}
    block_metrics: dict[tuple[BlockId, str], Values] = {}
    for spec, table in _tables(data, "block", path):
        (block,) = _one_block(spec, network, path)
        blocks[block] = {key: value for key, value in table.items() if key != "metric"}
        _check_keys(blocks[block], of_block, f'{path}: [block."{spec}"]', extra=("metric",))
        for metric, metric_values in _tables(table, "metric", path):
            block_metrics[block, metric] = _check_metric(
                metric, metric_values, f'{path}: [block."{spec}".metric.{metric}]'
            )
    metrics = {
        metric: _check_metric(metric, table, f"{path}: [metric.{metric}]")
        for metric, table in _tables(data, "metric", path)
    }
    listed = data.get("blocks", [])
    if not isinstance(listed, list):
        raise UsageError(f"{path}: blocks: write a list like [24443168]")
    source = Source("file", path.parent, values, blocks, metrics, block_metrics)
    return source, tuple(parse_blocks(listed, network)), tuple(_waivers(data.get("allow", []), network, path))


def _tables(data: Values, key: str, path: Path) -> list[tuple[str, Values]]:
    found = data.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
        raise UsageError(
            f"{path}: {key}: write a table, e.g. [{key}.{'exec' if key == 'metric' else '24443168'}]"
        )
    return list(found.items())


def _one_block(spec: str, network: str, path: Path) -> list[BlockId]:
    blocks = parse_blocks([spec], network)
    if len(blocks) != 1:
        raise UsageError(f'{path}: [block."{spec}"]: name one block')
    return blocks


def _check_metric(metric: str, values: Values, where: str) -> Values:
    if metric not in METRICS:
        raise UsageError(f"{where}: {_unknown(metric, METRICS)}")
    if "floor" in values and metric not in TIMES:
        raise UsageError(f"{where}: floor: it is a time, and {metric} has none: set a margin")
    _check_keys(values, [name for name, option in OPTIONS.items() if option.per_metric], where)
    return values


def _check_keys(values: Iterable[str], known: Iterable[str], where: str, extra: tuple[str, ...] = ()) -> None:
    names = [*known, *extra]
    for key in values:
        if key not in names:
            raise UsageError(f"{where}: {_unknown(key, names)}")


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"unknown name {name!r}" + (
        f": did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
    )


def _waivers(entries: Any, network: str, path: Path) -> list[Waiver]:
    form = 'allow = [{block = 24443168, metric = "exec", up_to = "5%", reason = "…", expires = 2026-12-31}]'
    if not isinstance(entries, list):
        raise UsageError(f"{path}: allow: write {form}")
    waivers = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != _WAIVER_KEYS:
            raise UsageError(f"{path}: allow: each entry needs {', '.join(sorted(_WAIVER_KEYS))}: {form}")
        if not isinstance(entry["expires"], dt.date) or isinstance(entry["expires"], dt.datetime):
            raise UsageError(f"{path}: allow: expires is a date without quotes: {form}")
        if entry["metric"] not in METRICS:
            raise UsageError(f"{path}: allow: {_unknown(str(entry['metric']), METRICS)}")
        if not str(entry["reason"]).strip():
            raise UsageError(f"{path}: allow: the reason is empty: say why the slowdown is intended")
        (block,) = _one_block(str(entry["block"]), network, path)
        try:
            up_to = fraction(entry["up_to"])
        except ValueError as error:
            raise UsageError(f"{path}: allow: up_to = {entry['up_to']!r}: {error}") from None
        waivers.append(Waiver(block, entry["metric"], up_to, str(entry["reason"]).strip(), entry["expires"]))
    return waivers
