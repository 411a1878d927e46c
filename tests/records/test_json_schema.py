from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ethrex_perf.records import json_schema
from pytest_ethrex_perf.records.measurement import Record

SCHEMAS = sorted((Path(__file__).parents[2] / "docs").glob("*.schema.json"))


class Inner(Record, frozen=True):
    """What is in it."""

    name: str
    """How it is called."""


class Indented(Record, frozen=True):
    """What it is.

    And why.
    """

    number: int | str | None = None
    """How many,

    or of what kind."""
    others: tuple[Inner, ...] = ()


def test_neither_indentation_nor_the_order_of_alternatives_depends_on_the_python() -> None:
    schema = json.loads(json_schema.dump(Indented, "things", 3))
    assert schema["title"] == "Things of pytest-ethrex-perf, schema 3"
    assert schema["$id"] == "urn:pytest-ethrex-perf:things:3"
    record = schema["$defs"]["Indented"]
    assert record["description"] == "What it is.\n\nAnd why."
    kinds = [kind["type"] for kind in record["properties"]["number"]["anyOf"]]
    assert kinds == ["integer", "null", "string"]


def test_a_field_is_described_by_the_text_below_it_in_the_source() -> None:
    definitions = json.loads(json_schema.dump(Indented, "things", 3))["$defs"]
    assert definitions["Indented"]["properties"]["number"]["description"] == "How many,\n\nor of what kind."
    assert definitions["Inner"]["properties"]["name"]["description"] == "How it is called."
    assert "description" not in definitions["Indented"]["properties"]["others"]


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_every_property_of_our_files_is_described(file: Path) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    assert schema["$id"].startswith("urn:pytest-ethrex-perf:")
    silent = [
        f"{name}.{field}"
        for name, definition in schema["$defs"].items()
        for field, value in definition.get("properties", {}).items()
        if not value.get("description")
    ]
    assert silent == []


def test_they_are_json_schemas() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--check-metaschema", *map(str, SCHEMAS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
