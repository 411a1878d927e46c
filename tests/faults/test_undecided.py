"""What was not decided when a run was cut off never passes."""

from __future__ import annotations

import msgspec
import pytest
from junitparser import xunit2

from pytest_ethrex_perf.gate.policy import Policy
from pytest_ethrex_perf.records.decision import Decision
from pytest_ethrex_perf.report import junit
from tests.gate.test_policy import BLOCK, TODAY, decision, settings
from tests.report import builders


def test_it_is_an_error_in_junit() -> None:
    whole = builders.one()
    block = whole.blocks[0]
    undecided = Decision(verdict=None, reason="", pairs=3)
    metrics = [msgspec.structs.replace(m, outcome="warn", decision=undecided) for m in block.metrics]
    cut_off = msgspec.structs.replace(block, metrics=tuple(metrics))
    run = msgspec.structs.replace(whole, blocks=(cut_off,), suite=())
    (suite,) = xunit2.JUnitXml.fromstring(junit.dump(run).encode())
    assert suite.errors == suite.tests == len(metrics)


def test_it_fails_where_inconclusive_fails() -> None:
    consequence = Policy(settings(on_inconclusive="fail"), TODAY)(BLOCK, "exec", decision(None))
    assert consequence.outcome == "fail"
    assert "before it was decided" in consequence.reason


@pytest.mark.parametrize("option", [{}, {"on_improvement": "fail"}])
def test_it_is_a_warning_elsewhere(option: dict[str, str]) -> None:
    assert Policy(settings(**option), TODAY)(BLOCK, "exec", decision(None)).outcome == "warn"
