"""`ethrex-perf compare`: two results files judged against each other."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf.commands import compare
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.measurement import Machine
from tests.report import builders

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Side
    from tests.commands.desk import Desk, Edit


def judged(*specs: str, **given: Any) -> Any:
    """The result of comparing two sides."""
    base, head = map(compare.source, specs)
    return compare.judge(head.run, compare.match(base, head), given)


def on_blocks(change: dict[str, Any]) -> Edit:
    """An edit that sets fields of every block."""

    def edit(content: Any) -> None:
        for block in content["blocks"]:
            block.update(change)

    return edit


def renamed(content: Any) -> None:
    for block in content["blocks"]:
        block["block"] = block["block"].replace("mainnet", "hoodi")


@pytest.mark.parametrize("name", ["slower", "four", "noisy", "cut", "brief", "stopped", "steady"])
def test_the_two_sides_of_one_run_are_judged_as_the_run_did(desk: Desk, name: str) -> None:
    run = desk.load(f"{name}.json")
    again = judged(f"{name}.json:base", f"{name}.json:head")
    assert again.gatings == run.gatings
    for one, other in zip(run.blocks, again.blocks, strict=True):
        for metric, found in zip(one.metrics, other.metrics, strict=True):
            assert found.decision == metric.decision
            assert (found.rules, found.step) == (metric.rules, metric.step)
            assert (found.base, found.head) == pytest.approx((metric.base, metric.head))
    assert [suite.decision for suite in again.suite] == [suite.decision for suite in run.suite]


def test_a_regression_is_exit_code_1_and_told_in_one_line(desk: Desk) -> None:
    ran = desk.run("compare", "slower.json:base", "slower.json:head")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("base: slower.json:base, bin/base (binary ")
    assert lines[1].startswith("head: slower.json:head, bin/slow (binary ")
    assert any(line.split() == ["Block", "Txs", "Gas", "Baseline", "Head", "Delta"] for line in lines)
    assert any(line.startswith("mainnet/24443168  442  37.5 M gas") and "❌" in line for line in lines)
    assert sum(line.startswith("regression: mainnet/24443168 exec is ") for line in lines) == 1
    assert ran.widest <= 80


def test_swapped_sides_are_an_improvement(desk: Desk) -> None:
    ran = desk.run("compare", "slower.json:head", "slower.json:base", "--metrics", "exec")
    assert ran.code == 0
    assert "1 improvement" in ran.out
    assert "🚀" in ran.out


def test_head_is_the_side_that_is_meant_without_a_word(desk: Desk) -> None:
    assert "bin/slow" in desk.run("compare", "slower.json:base", "slower.json").out


def test_four_blocks_of_pairs_have_a_mean(desk: Desk) -> None:
    ran = desk.run("compare", "four.json:base", "four.json")
    assert ran.code == 0
    assert "mean over 4 blocks exec" in ran.out
    assert "4 unchanged" in ran.out
    rules = [
        metric.rules for block in judged("four.json:base", "four.json").blocks for metric in block.metrics
    ]
    assert {one.gatings for one in rules} == {8.0}


def test_three_blocks_have_none_and_the_family_is_theirs(desk: Desk) -> None:
    desk.edit("four.json", lambda content: content["blocks"].pop())
    result = judged("four.json:base", "four.json")
    assert result.suite == ()
    assert {metric.rules.gatings for block in result.blocks for metric in block.metrics} == {3.0}


def test_a_regression_of_the_mean_alone_is_exit_code_1(desk: Desk) -> None:
    def slower(content: Any) -> None:
        for number, block in enumerate(content["blocks"]):
            for index, pair in enumerate(block["pairs"]):
                swing = 0.05 * (-1) ** (number + index)
                for side, factor in (("base", 1.0), ("head", 1.02 * (1 + swing))):
                    pair[side]["exec_ns"] = [round(60e6 * factor) + index * 10_000] * 11

    desk.edit("four.json", slower)
    ran = desk.run("compare", "four.json:base", "four.json")
    assert "4 inconclusive" in ran.out
    assert "--ethrex-on-inconclusive" not in ran.out  # an option of pytest
    assert "regression: mean over 4 blocks exec is 1.9 % slower" in ran.told
    assert ran.code == 1


def test_two_files_that_took_turns_are_pairs(desk: Desk) -> None:
    desk.split("slower.json")
    (block,) = judged("base.json", "head.json").blocks
    decision = desk.load("slower.json").blocks[0].metric("exec").decision
    assert block.mode == "interleaved"
    assert block.metric("exec").decision.looks == decision.looks
    ran = desk.run("compare", "base.json", "head.json")
    assert ran.code == 1
    assert "not measured in turns" not in ran.out


def test_one_pair_out_of_turn_makes_them_no_pairs(desk: Desk) -> None:
    desk.split("slower.json")
    desk.edit(
        "head.json",
        lambda c: c["blocks"][0]["invocations"][2].update(started="2026-01-01T00:00:00.000+00:00"),
    )
    assert judged("base.json", "head.json").blocks[0].mode == "stored"


def test_an_odd_invocation_makes_them_no_pairs(desk: Desk) -> None:
    desk.split("slower.json")
    desk.edit("head.json", lambda c: c["blocks"][0]["invocations"].pop())
    assert judged("base.json", "head.json").blocks[0].mode == "stored"


def test_runs_one_after_the_other_are_compared_as_with_one_stored_session(desk: Desk) -> None:
    ran = desk.run("compare", "recorded.json", "noisy.json:base")
    assert ran.code == 0
    assert "note: base and head are the same program, a change is the machine's: mainnet/24443168" in ran.told
    assert "note: not measured in turns: mainnet/24443168. Base is then one session of a stored" in ran.told
    (block,) = judged("recorded.json", "noisy.json:base").blocks
    decision = block.metric("exec").decision
    assert "against 1 session" in decision.reason
    assert decision.detectable > 0.05
    assert f"only a slowdown of +{100 * math.expm1(decision.detectable):.1f} % or more would" in ran.told
    assert "Run both interleaved (--ethrex-base) to see less." in ran.told
    assert ran.widest <= 80


def test_the_sessions_of_a_stored_baseline_are_not_used(desk: Desk) -> None:
    (alone,) = judged("stored.json", "noisy.json").blocks
    desk.edit("stored.json", on_blocks({"baseline": []}), to="without.json")
    (without,) = judged("without.json", "noisy.json").blocks
    assert alone.metric("exec").decision == without.metric("exec").decision
    ran = desk.run("compare", "stored.json:base", "noisy.json")
    assert ran.code == 2
    assert "stored.json:base: nothing was measured of its base side (mainnet/24443168: stored)" in ran.err


def test_a_proven_slowdown_between_two_runs_fails(desk: Desk) -> None:
    slow = [[90_000_000 + 100_000 * number] * 11 for number in range(10)]

    def slower(content: Any) -> None:
        for invocation, repeats in zip(content["blocks"][0]["invocations"], slow, strict=False):
            invocation |= {"exec_ns": repeats, "started": "2026-01-01T00:00:00.000+00:00"}

    desk.edit("recorded.json", slower, to="later.json")
    ran = desk.run("compare", "recorded.json", "later.json")
    assert ran.code == 1
    assert "regression: mainnet/24443168 exec is " in ran.out
    assert "after 10 invocations that it is beyond the 1 % margin" in ran.told


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda c: c.update(machine="laptop"), "and laptop.json on laptop"),
        (renamed, "no block is in both: recorded.json has mainnet/24443168, laptop.json has hoodi/24443168"),
        (
            lambda c: c["blocks"][0]["cache"].update(block_hash="0x" + 64 * "a"),
            "mainnet/24443168: another block hash: 0x",
        ),
        (
            lambda c: c["blocks"][0]["cache"].update(witness_sha256=64 * "b"),
            "another witness (sha256): ",
        ),
        (on_blocks({"repeat": 5}), "another number of repeats: 11 and 5: measure both alike"),
        (
            lambda c: c["blocks"][0]["base"]["program"].update(kind="embedded"),
            "another kind of program: ethrex and embedded",
        ),
        (
            lambda c: c["blocks"][0]["base"]["program"].update(prefix=["taskset", "-c", "0-7"]),
            "another prefix (--ethrex-prefix): none and taskset -c 0-7",
        ),
        (on_blocks({"cache": None}), "the files do not say what was measured"),
        (lambda c: c.update(blocks=[]), "laptop.json:base: nothing was measured of its base side (it has no"),
        (on_blocks({"pairs": [], "error": "killed"}), "(mainnet/24443168: killed)"),
    ],
)
def test_what_does_not_belong_together_is_refused(desk: Desk, edit: Edit, says: str) -> None:
    desk.edit("noisy.json", edit, to="laptop.json")
    ran = desk.run("compare", "recorded.json", "laptop.json:base")
    assert ran.code == 2
    assert ran.out == ""
    assert (
        says.replace("laptop.json has", "laptop.json:base has").replace(
            "laptop.json on", "laptop.json:base on"
        )
        in ran.err
    )


@pytest.mark.parametrize("side", ["", ":head"])
def test_a_file_is_not_compared_with_itself(desk: Desk, side: str) -> None:
    ran = desk.run("compare", "slower.json", f"slower.json{side}")
    assert ran.code == 2
    assert "both sides are the same invocations: nothing to compare (FILE:base is" in ran.err


def test_blocks_of_only_one_file_are_named(desk: Desk) -> None:
    desk.edit("four.json", lambda content: content["blocks"].pop(1), to="three.json")
    ran = desk.run("compare", "three.json:base", "four.json")
    assert "note: not compared, since only four.json has measured it: mainnet/2" in ran.told


def test_a_path_with_a_colon_is_a_path(desk: Desk) -> None:
    (desk.path / "at:12").mkdir()
    shutil.copy("slower.json", "at:12/run:1.json")
    shutil.copy("slower.json", "odd.json:base")
    assert desk.run("compare", "at:12/run:1.json:base", "at:12/run:1.json").code == 1
    assert compare.source("odd.json:base").side == "head"
    assert compare.source("odd.json:base:base").side == "base"
    assert "no.json:3: cannot be read" in desk.run("compare", "no.json:3", "slower.json").err


def test_limits_of_the_command_line_win_over_the_files(desk: Desk) -> None:
    sides = ("slower.json:base", "slower.json", "--metrics", "exec")
    assert desk.run("compare", *sides).code == 1
    assert desk.run("compare", *sides, "--margin", "8%", "--tolerance", "12%").code == 0
    assert desk.run("compare", *sides, "--floor", "20").code == 0
    assert "after 6 pairs " in desk.run("compare", *sides).told
    assert "after 7 pairs " in desk.run("compare", *sides, "--looks", "7,12").told
    (block,) = judged(*sides[:2], alpha=1e-60, metrics=("exec",)).blocks
    assert block.metric("exec").decision.verdict != "regression"


def test_the_limits_of_the_file_hold_otherwise(desk: Desk) -> None:
    def lenient(content: Any) -> None:
        for metric in content["blocks"][0]["metrics"]:
            metric["rules"] |= {"margin": 0.08, "tolerance": 0.12}

    desk.edit("slower.json", lenient)
    ran = desk.run("compare", "slower.json:base", "slower.json")
    assert ran.code == 0
    (block,) = judged("slower.json:base", "slower.json").blocks
    assert {metric.rules.margin for metric in block.metrics} == {0.08}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--margin", "5%"), "exec: the margin (0.05) must be below the tolerance (0.03): set both"),
        (("--margin", "5"), "--margin: '5' is not a value of it: write 5% for a percentage"),
        (("--alpha", "60%"), "--alpha: '60%' is not a value of it"),
        (("--looks", "3,4"), "--looks: '3,4' is not a value of it"),
        (("--metrics", "speed"), "--metrics: 'speed' is not a value of it: choose from exec, prep"),
    ],
)
def test_limits_that_make_no_sense_are_refused(desk: Desk, words: tuple[str, ...], says: str) -> None:
    ran = desk.run("compare", "slower.json:base", "slower.json", *words)
    assert ran.code == 2
    assert says in ran.err


def test_repeats_that_nobody_measured_are_refused(desk: Desk) -> None:
    desk.edit("slower.json", lambda c: c["blocks"][0]["pairs"][0]["head"]["exec_ns"].__setitem__(2, 0))
    ran = desk.run("compare", "slower.json:base", "slower.json")
    assert ran.code == 2
    assert (
        "slower.json: not a results file of --ethrex-json: exec_ns holds 0: a repeat takes some time"
        in ran.err
    )


def test_what_another_valgrind_counted_is_never_compared() -> None:
    def source(name: str, version: str, side: Side) -> compare.Source:
        found = builders.interleaved(1, 0.04, metrics=("exec", "instructions"), counted=builders.by_callgrind)
        counted_on = Machine(key=f"callgrind-valgrind-{version}", keyed={}, recorded={})
        return compare.Source(name, builders.run([found], counted_on=counted_on), side)

    alike = compare.match(source("a", "3.19.0", "base"), source("b", "3.19.0", "head"))
    assert [one.metrics for one in alike] == [("exec", "instructions")]
    base, head = source("a", "3.19.0", "base"), source("b", "3.20.0", "head")
    apart = compare.match(base, head)
    assert [one.metrics for one in apart] == [("exec",)]
    with pytest.raises(UsageError, match="--metrics instructions: some are of another machine"):
        compare.judge(head.run, apart, {"metrics": ("instructions",)})
    elsewhere = head._replace(run=msgspec.structs.replace(head.run, machine="another"))
    with pytest.raises(UsageError, match="other machines are never compared"):
        compare.match(base, elsewhere)
