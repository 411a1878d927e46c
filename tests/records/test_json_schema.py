from __future__ import annotations

import json

from pytest_ethrex_perf.records import json_schema
from pytest_ethrex_perf.records.measurement import Record


class Indented(Record, frozen=True):
    """What it is.

    And why.
    """

    number: int | str | None = None


def test_neither_indentation_nor_the_order_of_alternatives_depends_on_the_python() -> None:
    schema = json.loads(json_schema.dump(Indented, "A title"))
    assert schema["title"] == "A title"
    (record,) = schema["$defs"].values()
    assert record["description"] == "What it is.\n\nAnd why."
    kinds = [kind["type"] for kind in record["properties"]["number"]["anyOf"]]
    assert kinds == ["integer", "null", "string"]
