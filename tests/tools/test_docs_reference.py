from __future__ import annotations

import json
import re

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.records.metric import METRICS
from pytest_ethrex_perf.report.forms import FORMS
from tools import docs_reference


def test_every_option_is_there_with_its_help_and_its_names() -> None:
    page = docs_reference.options()
    for option in OPTIONS.values():
        assert f"### `{option.flag_name}` {{: #{option.name} }}" in page
        assert docs_reference.prose(option.full_help[1:]) in page
        assert (f"`{option.ini_name}` in ini" in page) == option.file
    headings = re.findall("^## (.*)$", page, re.MULTILINE)
    assert headings == [group.capitalize() for group in dict.fromkeys(o.group for o in OPTIONS.values())]


def test_every_command_is_there_with_its_help() -> None:
    page = docs_reference.commands()
    names = {parser.prog for parser, _ in docs_reference.parsers()}
    assert len(names) > len(cli.COMMANDS)  # verbs of groups, each by itself
    assert {"ethrex-perf baseline accept", "ethrex-perf junit merge", "ethrex-perf bisect"} < names
    assert "ethrex-perf baseline" not in names
    for name in names:
        assert f"## `{name}`\n" in page
        assert f"usage: {name}" in page


def test_every_metric_and_every_form_is_there() -> None:
    assert all(f"| `{name}` |" in docs_reference.metrics() for name in METRICS)
    rows = docs_reference.forms().splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {form.help}" for form in FORMS]


@pytest.mark.parametrize("name", ["results", "baseline"])
def test_every_field_of_a_schema_is_there(name: str) -> None:
    page = docs_reference.schema(name)
    records = json.loads((docs_reference.ROOT / f"docs/{name}.schema.json").read_text())["$defs"]
    for record, content in records.items():
        section = page.split(f"## {record}\n")[1].split("\n## ")[0]
        assert all(f"`{field}`" in section for field in content.get("properties", content.get("enum", ())))


def test_text_is_shown_as_it_is() -> None:
    assert docs_reference.prose("as `[a]` says, <b> [c] d_e") == "as `[a]` says, \\<b> \\[c\\] d\\_e"
