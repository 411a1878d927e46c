"""What `ethrex-perf.toml` says: settings for everything, for blocks and metrics; blocks; waivers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomli

from pytest_ethrex_perf.config import build_table, readers
from pytest_ethrex_perf.config.block_specs import named, parse_blocks
from pytest_ethrex_perf.config.options import MARKER_OPTIONS, OPTIONS
from pytest_ethrex_perf.config.parsers import fraction, read, shown
from pytest_ethrex_perf.config.sources import EVERYWHERE, Scope, Source, Values, Waiver, check_names
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.records.metric import METRICS, has_floor

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.config.build_table import BuildTable
    from pytest_ethrex_perf.records.block import BlockId

_TABLES = ("blocks", "block", "metric", "allow", "build")
_WAIVER_KEYS = {"block", "metric", "up_to", "reason", "expires"}
_WAIVER_FORM = (
    'allow = [{block = 24443168, metric = "exec", up_to = "5%", reason = "…", expires = 2026-12-31}]'
)


@dataclass(frozen=True)
class TomlFile:
    """The content of an `ethrex-perf.toml`."""

    source: Source
    blocks: tuple[BlockId, ...] = ()
    """Those of `--ethrex-block all`."""
    named: frozenset[BlockId] = frozenset()
    """Of these, those that `workload:all` is not alone in asking for."""
    waivers: tuple[Waiver, ...] = ()
    build: BuildTable | None = None
    path: Path | None = None
    """Where it is."""


def load(path: Path, network: str) -> TomlFile:
    """The content of the file at `path`; `network` is that of its block specs, if it names none.

    Raises `UsageError` that names the file and the key.
    """
    try:
        data = tomli.loads(regular_file.content(path).decode("utf-8-sig"))  # some editors put a mark first
    except RecursionError:
        raise UsageError(f"{path}: cannot be read: its tables and lists are nested too deeply") from None
    except (OSError, ValueError) as error:  # TOML's own errors, of UTF-8, and of numbers of 5,000 digits
        raise UsageError(f"{path}: cannot be read: {error}") from None
    general = {key: value for key, value in data.items() if key not in _TABLES}
    check_names(general, [*_TABLES, *(name for name, option in OPTIONS.items() if option.file)], str(path))
    network = read(readers.network, general.get("network", network), f"{path}: network")
    tables: dict[Scope, Values] = {EVERYWHERE: general}
    of_block = [name for name in MARKER_OPTIONS if name != "network"]  # it is in the block's own name
    specs: dict[BlockId, str] = {}
    for spec, table in _tables(data, "block", path):
        where = f'{path}: [block."{spec}"]'
        block = _one_block(spec, network, path)
        if specs.setdefault(block, spec) != spec:
            raise UsageError(f'{where} and [block."{specs[block]}"] are the same block: keep one of them')
        tables[block, None] = {key: value for key, value in table.items() if key != "metric"}
        check_names(tables[block, None], [*of_block, "metric"], where)
        for metric, values in _tables(table, "metric", path):
            _check_metric(metric, values, f'{path}: [block."{spec}".metric.{metric}]')
            tables[block, metric] = values
    for metric, values in _tables(data, "metric", path):
        _check_metric(metric, values, f"{path}: [metric.{metric}]")
        tables[None, metric] = values
    listed = data.get("blocks", [])
    if not isinstance(listed, list):
        raise UsageError(f"{path}: blocks: write a list like [24443168]")
    return TomlFile(
        Source("file", path.parent, tables),
        tuple(parse_blocks(listed, network)),
        named(listed, network),
        tuple(_waivers(data.get("allow", []), network, path)),
        build_table.read(data["build"], path) if "build" in data else None,
        path,
    )


def _tables(data: Values, key: str, path: Path) -> list[tuple[str, Values]]:
    tables = data.get(key, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise UsageError(
            f"{path}: {key}: write a table, e.g. [{key}.{'exec' if key == 'metric' else '24443168'}]"
        )
    return list(tables.items())


def _one_block(spec: str, network: str, path: Path) -> BlockId:
    blocks = parse_blocks([spec], network)
    if len(blocks) != 1:
        raise UsageError(f'{path}: [block."{spec}"]: name one block')
    return blocks[0]


def _check_metric(metric: str, values: Values, where: str) -> None:
    check_names([metric], METRICS, where)
    if "floor" in values and not has_floor(metric):
        raise UsageError(f"{where}: floor: it is a time, and {metric} is none: set a margin")
    check_names(values, [name for name, option in OPTIONS.items() if option.per_metric], where)


def _waivers(entries: Any, network: str, path: Path) -> list[Waiver]:
    if not isinstance(entries, list):
        raise UsageError(f"{path}: allow: write {_WAIVER_FORM}")
    waivers = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != _WAIVER_KEYS:
            keys = ", ".join(sorted(_WAIVER_KEYS))
            raise UsageError(f"{path}: allow: each entry needs {keys}: {_WAIVER_FORM}")
        if not isinstance(entry["expires"], dt.date) or isinstance(entry["expires"], dt.datetime):
            raise UsageError(f"{path}: allow: expires is a date without quotes: {_WAIVER_FORM}")
        check_names([str(entry["metric"])], METRICS, f"{path}: allow")
        reason = str(entry["reason"]).strip()
        if not reason:
            raise UsageError(f"{path}: allow: the reason is empty: say why the slowdown is intended")
        block = _one_block(str(entry["block"]), network, path)
        try:
            up_to = fraction(entry["up_to"])
        except ValueError as error:
            raise UsageError(f"{path}: allow: up_to = {shown(entry['up_to'])}: {error}") from None
        waivers.append(Waiver(block, str(entry["metric"]), up_to, reason, entry["expires"]))
    return waivers
