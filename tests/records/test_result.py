"""What can be read off the result of a block."""

from __future__ import annotations

import dataclasses
import math

import msgspec
import pytest

from tests.report import builders

INTERLEAVED = builders.interleaved(1, 0.05)
STORED = builders.from_baseline(2, 0.12)


def test_a_blocks_own_invocations_are_those_of_its_pairs_or_of_its_session() -> None:
    assert INTERLEAVED.taken("base") == tuple(pair.base for pair in INTERLEAVED.pairs)
    assert INTERLEAVED.taken("head") == tuple(pair.head for pair in INTERLEAVED.pairs)
    assert STORED.taken("head") == STORED.invocations
    assert STORED.taken("base") == (), "the stored sessions are another run's"


def test_heads_interval_is_that_of_its_change_in_the_metrics_unit() -> None:
    metric = INTERLEAVED.metric("exec")
    decision = dataclasses.replace(metric.decision, ci95=(math.log(1.02), math.log(1.08)))
    known = msgspec.structs.replace(metric, base=100.0, decision=decision)
    assert known.head_interval == pytest.approx((102, 108))
    unknown = msgspec.structs.replace(known, decision=dataclasses.replace(decision, ci95=None))
    assert unknown.head_interval is None
