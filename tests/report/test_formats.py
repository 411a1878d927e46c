"""Other tools' formats, read back as those tools read them."""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from typing import Any

import jsonschema
import pytest

from pytest_ethrex_perf.report import formats
from tests.report import builders

BMF_SCHEMA = {  # https://bencher.dev/bmf.json
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
            "required": ["value"],
            "additionalProperties": False,
        },
    },
}
SMALLER_SCHEMA = {  # github-action-benchmark: its README, and `extractCustomBenchmarkResult`
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"value": {"type": "number"}}
        | {name: {"type": "string"} for name in ("name", "unit", "range", "extra")},
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
}


def table(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("run", [builders.one, builders.several, builders.hostile, builders.many])
def test_every_run_fits_the_formats(run: Any) -> None:
    jsonschema.validate(json.loads(formats.bencher(run())), BMF_SCHEMA)
    entries = json.loads(formats.smaller_is_better(run()))
    jsonschema.validate(entries, SMALLER_SCHEMA)


def test_smaller_is_better_has_what_is_better_small() -> None:
    entries = {entry["name"]: entry for entry in json.loads(formats.smaller_is_better(builders.one()))}
    names = [name.removeprefix("mainnet/24443168 ") for name in entries]
    assert names[:5] == ["exec", "prep", "CPU time", "max RSS", "page faults"]
    assert {"instructions (window)", "cycles (window)"} <= set(names)
    assert not {"throughput", "IPC"} & set(names), "more of them is better"
    (metric,) = builders.one().blocks[0].metrics
    found = entries["mainnet/24443168 exec"]
    assert found["value"] == pytest.approx(metric.head / 1e6)
    assert found["unit"] == "ms"
    assert found["range"].startswith("± ")
    assert "regression +4" in found["extra"]


def test_bencher_has_the_head_with_one_sd_around_it() -> None:
    measures = json.loads(formats.bencher(builders.one()))["mainnet/24443168"]
    assert list(measures)[:6] == ["latency", "prep", "ggas-per-second", "cpu-time", "max-rss", "page-faults"]
    assert {"ipc", "instructions-window", "l2-cache-misses-window", "l2-cache-miss-rate"} <= set(measures)
    found, row = measures["latency"], builders.one().blocks[0].rows[0]
    assert found["value"] == row.head
    assert math.log(found["upper_value"] / found["value"]) == pytest.approx(row.head_sd)
    assert set(measures["ggas-per-second"]) == {"value"}


def test_csv_has_a_line_for_each_block_and_metric() -> None:
    run = builders.several()
    lines = table(formats.metrics_csv(run))
    assert len(lines) == sum(len(block.metrics) or 1 for block in run.blocks)
    first = lines[0]
    assert (first["block"], first["metric"], first["verdict"]) == ("mainnet/24443168", "exec", "regression")
    assert float(first["change"]) == pytest.approx(
        math.expm1(run.blocks[0].metrics[0].decision.estimate or 0)
    )
    errors = [line for line in lines if line["verdict"] == "error"]
    assert [line["block"] for line in errors] == ["mainnet/24443176"]
    assert errors[0]["base_value"] == ""


def test_samples_csv_is_enough_to_judge_again() -> None:
    run = builders.several()
    lines = table(formats.samples_csv(run))
    block = run.blocks[0]
    mine = [line for line in lines if line["block"] == block.block]
    assert len(mine) == 2 * len(block.pairs)
    ratios = [
        math.log(int(head["exec_ns"]) / int(base["exec_ns"]))
        for number in range(1, len(block.pairs) + 1)
        for base, head in [
            sorted((x for x in mine if x["number"] == str(number)), key=lambda x: str(x["side"]))
        ]
    ]
    assert statistics.fmean(ratios) == pytest.approx(block.metrics[0].decision.estimate)
    assert [int(ns) for ns in mine[0]["exec_repeats_ns"].split()] == list(block.pairs[0].base.exec_ns)


def test_sides_are_in_the_order_they_ran() -> None:
    sides = [line["side"] for line in table(formats.samples_csv(builders.one()))]
    assert sides[:4] == ["base", "head", "head", "base"]


def test_a_stored_session_is_told_by_its_id() -> None:
    lines = [
        line for line in table(formats.samples_csv(builders.several())) if line["block"] == "mainnet/24443173"
    ]
    assert len({line["session"] for line in lines if line["side"] == "base"}) == 6
    assert {line["session"] for line in lines if line["side"] == "head"} == {""}


def test_no_text_is_a_formula_and_every_number_stays_one() -> None:
    lines = table(formats.metrics_csv(builders.several()))
    faster = next(line for line in lines if line["verdict"] == "improvement")
    assert float(faster["change"]) < -0.03
    for line in table(formats.metrics_csv(builders.hostile())):
        for name, value in line.items():
            assert not value.startswith(("=", "@")), name
            assert "\n" not in value
