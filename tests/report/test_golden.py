"""Each form of a report is the one that was looked at: see `forms`."""

from __future__ import annotations

import json

import jsonschema
import pytest

from pytest_ethrex_perf.records import results_file
from tests.report import builders, forms


@pytest.mark.parametrize("name", forms.FORMS)
def test_the_form_is_the_one_that_was_looked_at(name: str) -> None:
    known = (forms.GOLDEN / name).read_bytes().decode()
    assert forms.FORMS[name]() == known, "changed on purpose? make golden, then look at the difference"


def test_nothing_else_lies_there() -> None:
    assert {file.name for file in forms.GOLDEN.iterdir()} == set(forms.FORMS)


def test_the_schema_in_docs_is_that_of_the_records() -> None:
    assert forms.SCHEMA.read_text(encoding="utf-8") == results_file.json_schema(), "run: make golden"


@pytest.mark.parametrize("run", [builders.one, builders.several, builders.profiled, builders.hostile])
def test_results_fit_their_schema(run: object) -> None:
    assert callable(run)
    schema = json.loads(results_file.json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(results_file.dump(run())), schema, jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    content = json.loads(results_file.dump(builders.one()))
    content["blocks"][0]["verdikt"] = "green"
    with pytest.raises(jsonschema.ValidationError, match="verdikt"):
        jsonschema.validate(content, json.loads(results_file.json_schema()))
