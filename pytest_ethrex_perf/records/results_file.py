"""The results file: the whole `RunResult`, raw data included, enough to recompute every number."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import json_schema as schemas
from pytest_ethrex_perf.records import moment, nesting, regular_file
from pytest_ethrex_perf.records.result import SCHEMA, RunResult
from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult

_LONGEST = 40  # characters of a version
_SHARD = re.compile(r"[1-9][0-9]{0,3}/[1-9][0-9]{0,3}")


def dump(result: RunResult) -> str:
    """JSON text of `result` with its seal, every number as it is: `load` reads back what is equal."""
    import msgspec

    seal = _seal(msgspec.structs.replace(result, sha256=None))
    sealed = msgspec.structs.replace(result, sha256=seal)
    return msgspec.json.format(msgspec.json.encode(sealed), indent=1).decode() + "\n"


def load(path: Path, *, edited: bool = False) -> RunResult:
    """Read a results file; raises `UsageError` that names it and says what is wrong.

    A file that was edited since it was written is refused, unless `edited` ones are wanted (`explain` says
    line by line what does not agree). Whoever makes a new seal as well is not found out.
    """
    import msgspec

    fields: dict[str, object] = {}
    try:
        content = regular_file.content(path)
        nesting.check(content)
        fields = msgspec.json.decode(content, type=dict[str, object])
        schema = fields.get("schema")
        if schema != SCHEMA and "epochs" not in fields:
            raise UsageError(
                f"{path}: not a results file of this version (schema {schema!r}, not {SCHEMA}): "
                "write it with --ethrex-json of the same pytest-ethrex-perf"
            )
        result = msgspec.json.decode(content, type=RunResult)
        _check(result)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageError(f"{path}: not a results file of --ethrex-json: {error}{_writer(fields)}") from None
    if not edited and (reason := _edited(result, fields)) is not None:
        raise UsageError(
            f"{path}: {reason}: it was edited since it was written: `ethrex-perf explain {path}` shows what "
            "does not agree; measure again"
        )
    return msgspec.structs.replace(result, sha256=None)


def _writer(fields: dict[str, object]) -> str:
    """Which other version wrote a file that can't be read; empty where it was this one."""
    writer = fields.get("version")
    if not isinstance(writer, str) or writer == version():
        return ""
    return f"; pytest-ethrex-perf {writer[:_LONGEST]} wrote it, and this is {version()}"


def _seal(content: RunResult | dict[str, object]) -> str:
    """sha256 of a file whose own `sha256` is null, whatever its white space and the order of its fields."""
    import msgspec

    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _edited(result: RunResult, fields: dict[str, object]) -> str | None:
    """Which seal no longer fits; files of older versions have fewer of them.

    The file is sealed with the `fields` that it has: those that later versions add are not in it.
    """
    if result.sha256 is not None and result.sha256 != _seal({**fields, "sha256": None}):
        return "its sha256 differs"
    for block in result.blocks:
        if block.raw_sha256 is not None and block.raw_sha256 != block.raw_digest():
            return f"the sha256 of the raw data of {block.block} differs"
    return None


def _check(result: RunResult) -> None:
    """Raise ValueError for what no run can have written."""
    for what, text in (("started", result.started), *_starts(result)):
        try:
            moment.utc(text)
        except ValueError:
            raise ValueError(f"{what} is {text[:40]!r}, not a time in ISO 8601") from None
    if result.shard is not None and not _SHARD.fullmatch(result.shard):
        raise ValueError(f"shard is {result.shard[:40]!r}, not a part like 2/5")
    for block in result.blocks:
        _check_block(block)
    for suite in result.suite:
        suite.rules.check()
        suite.decision.check()


def _check_block(block: BlockResult) -> None:
    if block.drop < 0 or (block.repeat is not None and block.repeat < 1):
        raise ValueError(f"{block.block}: {block.repeat} repeats, the first {block.drop} dropped")
    for invocation in _invocations(block):
        if len(invocation.exec_ns) <= block.drop:
            raise ValueError(
                f"{block.block}: an invocation has {len(invocation.exec_ns)} repeats, and the first "
                f"{block.drop} are dropped"
            )
    for rules in (*block.rules.values(), *(metric.rules for metric in block.metrics)):
        rules.check()
    for metric in block.metrics:
        metric.decision.check()


def _invocations(block: BlockResult) -> Iterator[Invocation]:
    """Those of this run."""
    for pair in block.pairs:
        yield from (pair.base, pair.head)
    yield from block.invocations


def _starts(result: RunResult) -> Iterator[tuple[str, str]]:
    for block in result.blocks:
        for session in block.baseline:
            yield f"started of a session of {block.block}", session.started
        for invocation in _invocations(block):
            yield f"started of an invocation of {block.block}", invocation.started


def json_schema() -> str:
    """The JSON Schema of a results file, as text; `docs/results.schema.json` is this."""
    return schemas.dump(RunResult, "results", SCHEMA)
