"""The JSON Schema of a record, the same text under every Python and msgspec that we run on."""

from __future__ import annotations

import inspect
import json
from typing import Any


def dump(record: type, title: str) -> str:
    """The schema of files that hold one `record`."""
    import msgspec

    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(record),
    }
    return json.dumps(_settled(schema), indent=2, ensure_ascii=False) + "\n"


def _settled(value: Any) -> Any:
    """Without what differs: a docstring's indentation (until Python 3.12), the order of alternatives."""
    if isinstance(value, list):
        return [_settled(item) for item in value]
    if not isinstance(value, dict):
        return value
    settled = {name: _settled(item) for name, item in value.items()}
    if isinstance(description := settled.get("description"), str):
        settled["description"] = inspect.cleandoc(description)
    if "anyOf" in settled:
        settled["anyOf"].sort(key=json.dumps)
    return settled
