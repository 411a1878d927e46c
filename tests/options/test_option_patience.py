"""--ethrex-patience: undecided blocks are measured beyond the ordinary plan, as far as their noise asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.judge import looks

if TYPE_CHECKING:
    from tests.conftest import Bench

SHORT = ("--ethrex-repeat=3", "--ethrex-json=results.json")
NOISY = 0.03  # sd of a repeat: 24 pairs of two counted repeats tell little


def test_an_undecided_block_goes_on_until_it_is_known(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    head, base = bench.program("head", noise=NOISY), bench.program("base", noise=NOISY)
    result = bench.compare(head, base, *SHORT, "--ethrex-patience=10m")
    result.assert_outcomes(passed=1)
    ((metric,),) = (block.metrics for block in bench.results().blocks)
    decision = metric.decision
    assert decision.verdict == "unchanged"
    assert decision.pairs > looks.ORDINARY[-1]
    assert decision.plan == looks.planned(metric.rules, decision.plan[-1]).looks
    sd = decision.looks[0].sd
    wanted = float(looks.pairs_wanted(sd, metric.rules))
    assert decision.plan[-1] == min(look for look in looks.FURTHER if look >= wanted)
    said = re.search(
        r"ethrex-perf: mainnet/24443168 exec: sd (\S+) %: (\d+) pairs, about .*, to tell \+3 % from \+1 %",
        result.stdout.str().replace("\u202f", " "),
    )
    assert said, "after the first look, how far the plan goes"
    assert int(said[2]) == decision.plan[-1]
    assert cli.main(["explain", str(bench.path / "results.json")]) == 0, "anybody can recompute it"
    assert "further looks at" in capsys.readouterr().out


def test_a_slowdown_that_24_pairs_do_not_show_is_found(bench: Bench) -> None:
    head, base = bench.program("head", noise=NOISY, exec_ms=62.5), bench.program("base", noise=NOISY)
    bench.compare(head, base, *SHORT).assert_outcomes(passed=1)
    bench.compare(head, base, *SHORT, "--ethrex-patience=10m").assert_outcomes(failed=1)


@pytest.mark.parametrize(
    "options", [("--ethrex-patience=0",), ("--ethrex-patience=1h", "--ethrex-looks=6,10")]
)
def test_without_patience_and_by_hand_a_plan_has_its_end(bench: Bench, options: tuple[str, ...]) -> None:
    head, base = bench.program("head", noise=NOISY), bench.program("base", noise=NOISY)
    result = bench.compare(head, base, *SHORT, *options)
    ((metric,),) = (block.metrics for block in bench.results().blocks)
    assert metric.decision.verdict == "inconclusive"
    assert metric.decision.pairs == metric.rules.looks[-1]
    result.stdout.fnmatch_lines(
        ["*ethrex-perf: 1 inconclusive; not proven unchanged: a slowdown below +* would not have been seen*"]
    )
    result.stdout.no_fnmatch_line("*to tell*")


def test_patience_that_is_over_ends_in_one_last_look_at_what_is_there(bench: Bench) -> None:
    head, base = bench.program("head", noise=NOISY), bench.program("base", noise=NOISY)
    bench.compare(head, base, *SHORT, "--ethrex-patience=0.01s")
    ((metric,),) = (block.metrics for block in bench.results().blocks)
    spent = sum(look.alpha for look in metric.decision.looks)
    assert 24 < metric.decision.pairs < metric.decision.plan[-1]
    assert metric.decision.looks[-1].pairs == metric.decision.pairs
    assert spent <= metric.rules.alpha * metric.rules.alpha_spend[1] * (1 + 1e-9)


def test_the_budget_of_time_is_the_hard_end(bench: Bench) -> None:
    head, base = bench.program("head", noise=NOISY), bench.program("base", noise=NOISY)
    bench.compare(head, base, *SHORT, "--ethrex-patience=1h", "--ethrex-time-budget=1ms")
    ((metric,),) = (block.metrics for block in bench.results().blocks)
    assert metric.decision.pairs < 24


def test_workers_share_it_out(bench: Bench) -> None:
    bench.cache(1)
    head, base = bench.program("head", noise=NOISY), bench.program("base", noise=NOISY)
    bench.compare(head, base, *SHORT, "--ethrex-patience=10m", "-n2", block="24443168,1")
    for block in bench.results().blocks:
        assert block.metrics[0].decision.verdict == "unchanged"
        assert len(block.pairs) > 24


@pytest.mark.parametrize("value", ["ten", "-5m", "", "0x"])
def test_what_is_no_duration_is_wrong_usage(bench: Bench, value: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-patience={value}")
    assert told == (
        f"--ethrex-patience: {value!r} is not a value of it: write a duration above 0 like 90s, 10m or 1h"
    )
