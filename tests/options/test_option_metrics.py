"""--ethrex-metrics: what is gated of each block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.records.metric import METRICS

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_each_metric_is_judged_by_itself(bench: Bench) -> None:
    head, base = bench.program("head", prep_ms=40), bench.program("base")
    result = bench.compare(head, base, "--ethrex-metrics=exec,prep", "--ethrex-repeat=3", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*::exec PASSED*", "*::prep FAILED*", "regression: mainnet/24443168 prep is *"]
    )


def test_alpha_is_divided_over_the_metrics_of_all_blocks(bench: Bench) -> None:
    bench.cache(1)
    head, base = bench.program("head"), bench.program("base")
    bench.compare(
        head,
        base,
        "--ethrex-metrics=prep, exec",
        "--ethrex-looks=6",
        "--ethrex-json=results.json",
        block="1,24443168",
    )
    result = bench.results()
    assert result.gatings == 4
    assert [[metric.metric for metric in block.metrics] for block in result.blocks] == [["prep", "exec"]] * 2
    assert {metric.rules.gatings for block in result.blocks for metric in block.metrics} == {4}


def test_a_metric_named_twice_is_judged_once(bench: Bench) -> None:
    result = bench.run("--ethrex-block=1", "--ethrex-metrics=exec,exec", "--co", "-q")
    assert result.outlines[0] == "ethrex-block::mainnet/1::exec"
    assert "1 test collected" in result.stdout.str()


@pytest.mark.parametrize("value", ["", "exec,", "wall", "exec prep"])
def test_an_unknown_metric_is_wrong_usage_that_lists_what_there_is(bench: Bench, value: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-metrics={value}")
    assert told == f"--ethrex-metrics: {value!r} is not a value of it: choose from {', '.join(METRICS)}"
