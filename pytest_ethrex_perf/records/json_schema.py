"""The JSON Schema of a record, the same text under every Python and msgspec that we run on.

What a field means is said once, by the text below it in the source.
"""

from __future__ import annotations

import ast
import inspect
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def dump(record: type, what: str, version: int) -> str:
    """Return the schema of files that hold one `record`: `what` (`results`) of this version."""
    import msgspec

    schema = msgspec.json.schema(record)
    for definition in _classes(msgspec.inspect.type_info(record), {}).values():
        properties = schema["$defs"][definition.__name__]["properties"]
        for name, meaning in _meanings(definition):
            properties[name]["description"] = meaning
    named = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pytest-ethrex-perf:{what}:{version}",
        "title": f"{what.capitalize()} of pytest-ethrex-perf, schema {version}",
    }
    return json.dumps(_settled(named | schema), indent=2, ensure_ascii=False) + "\n"


def _classes(node: Any, found: dict[str, type]) -> dict[str, type]:
    """Add to `found` every class with fields that a type of `msgspec.inspect` leads to; return it."""
    if isinstance(node, tuple):
        for each in node:
            _classes(each, found)
    elif hasattr(node, "fields"):
        if node.cls.__name__ not in found:
            found[node.cls.__name__] = node.cls
            _classes(tuple(field.type for field in node.fields), found)
    else:
        for name in ("types", "item_type", "item_types", "key_type", "value_type"):
            _classes(getattr(node, name, ()), found)
    return found


def _meanings(definition: type) -> Iterator[tuple[str, str]]:
    """Return each field of a class with the text below it."""
    (tree,) = ast.parse(inspect.getsource(definition)).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 - that is what the source of a class is
    for field, text in pairwise(tree.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(meaning))):
                yield name, inspect.cleandoc(meaning)


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
