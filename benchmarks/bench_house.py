"""Speed of what runs between invocations and at the end, by pytest-benchmark: `make bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_ethrex_perf.judge import paired
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.replay.output import parse

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

TRANSCRIPT = Path(__file__).parent.parent / "tests/replay/transcripts/repeat11.stdout"


def test_parse_one_invocation(benchmark: BenchmarkFixture) -> None:
    """The output of one invocation of eleven repeats."""
    parsed = benchmark(parse, TRANSCRIPT.read_text())
    assert len(parsed.repeats) == 11


@pytest.mark.parametrize("blocks", [1, 1000])
def test_judge_every_look(benchmark: BenchmarkFixture, blocks: int) -> None:
    """All looks of 24 pairs, with detectable effect and cross-check."""
    generator = np.random.default_rng(1)
    base = generator.normal(18, 0.02, (blocks, 24))
    head = base + generator.normal(0.01, 0.02, (blocks, 24))
    rules = Rules(gatings=blocks)

    def judge_all() -> list[Any]:
        return [paired.judge(b, h, rules) for b, h in zip(base, head, strict=True)]

    assert len(benchmark.pedantic(judge_all, rounds=3)) == blocks
