"""--ethrex-looks: numbers of pairs at which the data is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_the_last_one_is_the_end(bench: Bench) -> None:
    head, base = bench.program("head", noise=0.05), bench.program("base", noise=0.05)
    bench.compare(head, base, "--ethrex-looks=6,8", "--ethrex-repeat=3", "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    assert len(block.pairs) == 8
    assert [look.pairs for look in block.metric("exec").decision.looks] == [6, 8]
    assert block.metric("exec").decision.verdict == "inconclusive"


def test_what_is_decided_at_a_look_goes_no_further(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=90), bench.program("base")
    bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-json=results.json").assert_outcomes(failed=1)
    (block,) = bench.results().blocks
    assert len(block.pairs) == 6


@pytest.mark.parametrize("value", ["", "5,10", "6,6", "10,6", "6;10", "6,x", "6.5"])
def test_what_are_no_rising_numbers_is_wrong_usage(bench: Bench, value: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-looks={value}")
    assert told == (
        f"--ethrex-looks: {value!r} is not a value of it: "
        "write rising numbers of pairs from 6 on, like 6,10,16,24"
    )
