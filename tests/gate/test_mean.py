"""The mean over blocks: a slowdown of them all, too small to be proven for any one of them."""

from __future__ import annotations

import pytest

from tests.conftest import Bench  # noqa: TC001 - a fixture's annotation is looked at when it is requested

BLOCKS = "1..4"
ONE_LOOK = ("--ethrex-looks=6", "--ethrex-repeat=3", "--ethrex-json=results.json")


@pytest.fixture
def blocks(bench: Bench) -> Bench:
    """A bench with four blocks."""
    bench.cache(1, 2, 3, 4)
    return bench


def test_it_is_found_although_no_block_alone_is(blocks: Bench) -> None:
    head, base = blocks.program("slow", exec_ms=62.5, noise=0.02), blocks.program("base", noise=0.02)
    result = blocks.compare(head, base, *ONE_LOOK, block=BLOCKS)
    result.assert_outcomes(failed=1, passed=4)
    result.stdout.fnmatch_lines(
        ["regression: mean over 4 blocks exec is * % slower (*). Sure (p = *) after 6 rounds *"]
    )
    run = blocks.results()
    assert {str(block.metric("exec").decision.verdict) for block in run.blocks} == {"inconclusive"}
    (mean,) = run.suite
    assert mean.decision.verdict == "regression"
    assert mean.blocks == ("mainnet/1", "mainnet/2", "mainnet/3", "mainnet/4")


def test_alpha_is_halved_between_the_blocks_and_the_mean(blocks: Bench) -> None:
    head, base = blocks.program("head"), blocks.program("base")
    blocks.compare(head, base, *ONE_LOOK, "--ethrex-metrics=exec,prep", block=BLOCKS)
    run = blocks.results()
    assert run.gatings == 8
    assert {metric.rules.gatings for block in run.blocks for metric in block.metrics} == {16}
    assert [(mean.metric, mean.rules.gatings) for mean in run.suite] == [("exec", 4), ("prep", 4)]


def test_without_the_mean_alpha_belongs_to_the_blocks(blocks: Bench) -> None:
    head, base = blocks.program("head"), blocks.program("base")
    result = blocks.compare(head, base, *ONE_LOOK, "-k", "not all", block=BLOCKS)
    result.assert_outcomes(passed=4, deselected=1)
    run = blocks.results()
    assert run.suite == ()
    assert {metric.rules.gatings for block in run.blocks for metric in block.metrics} == {4}


def test_decided_blocks_go_on_until_it_is_decided_over_whole_rounds(blocks: Bench) -> None:
    wide = "\n".join(f'[block.{block}]\nmargin = "40%"\ntolerance = "80%"' for block in range(1, 5))
    blocks.configure(f'tolerance = "1.1%"\n{wide}\n')
    head, base = blocks.program("head", noise=0.03), blocks.program("base", noise=0.03)
    result = blocks.compare(head, base, *ONE_LOOK, "--ethrex-looks=6,8", block=BLOCKS)
    result.assert_outcomes(passed=5)
    run = blocks.results()
    assert [block.metric("exec").decision.pairs for block in run.blocks] == [6] * 4, "judged once, at 6 pairs"
    assert [len(block.pairs) for block in run.blocks] == [8] * 4
    (mean,) = run.suite
    assert (str(mean.decision.verdict), mean.decision.pairs) == ("inconclusive", 8)


def test_a_block_that_cannot_be_measured_makes_it_an_error(blocks: Bench) -> None:
    head, base = blocks.program("head", behaviour={"2": "half"}), blocks.program("base")
    result = blocks.compare(head, base, *ONE_LOOK, block=BLOCKS)
    result.assert_outcomes(errors=2, passed=3)
    result.stdout.fnmatch_lines(
        ["no mean over blocks without mainnet/*: mainnet/*: the program's output ends*"]
    )
    assert blocks.results().suite == ()


def test_a_block_that_is_missing_makes_it_an_error(blocks: Bench) -> None:
    (blocks.path / "replay_cache" / "cache_mainnet_3.json").unlink()
    head, base = blocks.program("head"), blocks.program("base")
    result = blocks.compare(head, base, *ONE_LOOK, block=BLOCKS)
    result.assert_outcomes(errors=2, passed=3)
    result.stdout.fnmatch_lines(["no mean over blocks without mainnet/3: mainnet/3: no cache file *"])


def test_a_spent_budget_ends_it_as_well(blocks: Bench) -> None:
    head, base = blocks.program("head"), blocks.program("base")
    result = blocks.compare(head, base, "--ethrex-time-budget=1ms", "--ethrex-repeat=3", block=BLOCKS)
    result.assert_outcomes(passed=1, errors=4)
    result.stdout.fnmatch_lines(
        ["no mean over blocks without mainnet/2: *the time budget was spent before *"]
    )


def test_selecting_a_metric_measures_each_block_once(blocks: Bench) -> None:
    head, base = blocks.program("head"), blocks.program("base")
    result = blocks.compare(head, base, *ONE_LOOK, "--ethrex-metrics=exec,prep", "-k", "exec", block=BLOCKS)
    result.assert_outcomes(passed=5, deselected=5)
    run = blocks.results()
    assert len(run.blocks) == run.gatings == 4
    assert len(blocks.calls(head)) == 4 * 6


def test_it_alone_can_be_selected(blocks: Bench) -> None:
    head, base = blocks.program("head"), blocks.program("base")
    result = blocks.compare(head, base, *ONE_LOOK, "-k", "all", block=BLOCKS)
    result.assert_outcomes(passed=1, deselected=4)
    assert len(blocks.results().suite) == 1
