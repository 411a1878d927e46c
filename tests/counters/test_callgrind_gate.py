"""What the gate makes of counts: a real +1 % of work is found, and no change is no regression."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.counters.callgrind import Callgrind
from pytest_ethrex_perf.judge import paired, samples
from pytest_ethrex_perf.records import metric
from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.counters import callgrind
    from pytest_ethrex_perf.records.measurement import Invocation

PAIRS = 6
RULES = Rules(**metric.limits("instructions", callgrind=True)._asdict())
NOISY = ("--instructions", "4000000", "--pages", "0", "--jitter", "2")
"""Every process does up to 0.2 % more, at random: ethrex under callgrind spreads by 0.003 to 0.3 %."""


def test_one_percent_more_work_is_found_in_six_pairs_and_none_where_there_is_none(
    valgrind: callgrind.Tool, known_work: Path, invoked: Callable[..., Invocation]
) -> None:
    instrument = Callgrind(valgrind, repeats=2)

    def sample(work: int) -> float:
        found = invoked(known_work, *NOISY, "--work", str(work), instrument=instrument, repeat=2)
        return samples.sample(found, "instructions", 1)

    base, head = zip(*((sample(100), sample(101)) for _ in range(PAIRS)), strict=True)
    decision = paired.judge(base, head, RULES, step=1e-7)
    assert decision.verdict is Verdict.REGRESSION
    assert decision.pairs == PAIRS
    assert decision.estimate == pytest.approx(math.log(1.01), abs=0.002)

    # what did not change: the same counts, the 1 % taken out again, drawn into 50 gates
    counted = [*base, *(one - math.log(1.01) for one in head)]
    verdicts = []
    for gate in range(50):
        drawn = random.Random(gate).sample(counted, 2 * PAIRS)  # noqa: S311 - nothing secret
        verdicts.append(paired.judge(drawn[:PAIRS], drawn[PAIRS:], RULES, step=1e-7).verdict)
    assert set(verdicts) == {Verdict.UNCHANGED}
