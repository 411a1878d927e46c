"""The results file: the whole `RunResult`, raw data included, enough to recompute every number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.result import SCHEMA, RunResult

if TYPE_CHECKING:
    from pathlib import Path


def dump(result: RunResult) -> str:
    """JSON text of `result`, every number as it is: `load` reads back what is equal."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n"


def load(path: Path) -> RunResult:
    """Read a results file; raises `UsageError` that names it and says what is wrong."""
    import msgspec

    try:
        content = path.read_bytes()
        fields = msgspec.json.decode(content, type=dict[str, object])
        schema = fields.get("schema")
        if schema != SCHEMA and "epochs" not in fields:
            raise UsageError(
                f"{path}: not a results file of this version (schema {schema!r}, not {SCHEMA}): "
                "write it with --ethrex-json of the same pytest-ethrex-perf"
            )
        return msgspec.json.decode(content, type=RunResult)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a results file of --ethrex-json: {error}") from None


def json_schema() -> str:
    """The JSON Schema of a results file, as text; `docs/results.schema.json` is this."""
    import json

    import msgspec

    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Results of pytest-ethrex-perf, schema {SCHEMA}",
        **msgspec.json.schema(RunResult),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
