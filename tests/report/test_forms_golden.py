"""Each form of a report is the one that was looked at: see `golden_files`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.report import html
from tests.report import builders, golden_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.result import RunResult


@pytest.mark.parametrize("name", golden_files.FILES)
def test_the_form_is_the_one_that_was_looked_at(name: str) -> None:
    known = (golden_files.GOLDEN / name).read_bytes().decode()
    assert golden_files.FILES[name]() == known, "changed on purpose? make golden, then look at the difference"


def test_nothing_else_lies_there() -> None:
    assert {file.name for file in golden_files.GOLDEN.iterdir()} == set(golden_files.FILES)


def test_the_schema_in_docs_is_that_of_the_records() -> None:
    assert golden_files.SCHEMA.read_text(encoding="utf-8") == results_file.json_schema(), "run: make golden"


@pytest.mark.parametrize("run", [builders.one, builders.several, builders.profiled, builders.hostile])
def test_results_fit_their_schema(run: Callable[[], RunResult]) -> None:
    schema = json.loads(results_file.json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads(results_file.dump(run()))
    assert content["blocks"], "a run of nothing fits any schema"
    assert [*jsonschema.Draft202012Validator(schema).iter_errors(content)] == []


def test_the_schema_refuses_what_it_does_not_know() -> None:
    content = json.loads(results_file.dump(builders.one()))
    content["blocks"][0]["verdikt"] = "green"
    with pytest.raises(jsonschema.ValidationError, match="verdikt"):
        jsonschema.validate(content, json.loads(results_file.json_schema()))


def test_style_and_scripts_say_nothing_about_the_content() -> None:
    page = html.dump(builders.one())
    restyled = page.replace("<style>", "<style>p { color: red }").replace("<script>", "<script>f()")
    assert restyled != page
    assert golden_files.masked(restyled) == golden_files.masked(page)
