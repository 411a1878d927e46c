"""`ethrex-perf plan`: what it takes to see an effect, from each kind of file."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.judge import looks, power, samples, stored
from pytest_ethrex_perf.judge.family import spending
from pytest_ethrex_perf.records.decision import Rules
from tests import sampling
from tests.baseline.builders import make_baseline, make_epoch, make_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.measurement import Invocation
    from tests.commands.desk import Desk

RULES = looks.standard(Rules(floor=0.2e6), 0)
GOAL = r"to see \+3 % with 90 % power on this machine: "


def logs(invocations: Sequence[Invocation]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(sampling.logs(invocations))


def pairs_told(told: str) -> list[int]:
    return [int(pairs) for pairs in re.findall(rf"{GOAL}(\d+) pairs", told)]


def default_sees(told: str) -> list[float]:
    return [
        float(seen)
        for seen in re.findall(r"the default plan \(24 pairs, .*? at most\) sees \+([\d.]+) %", told)
    ]


def test_the_pairs_of_a_run_say_how_many_are_needed(desk: Desk) -> None:
    (block,) = desk.load("slower.json").blocks
    base, head = [pair.base for pair in block.pairs], [pair.head for pair in block.pairs]
    sd = (logs(head) - logs(base)).std(ddof=1)
    step = samples.step([*base, *head], "exec")
    needed = power.pairs_needed(math.log1p(0.03), sd, RULES, step=step)
    seen = power.detectable(spending(RULES, 24), sd, RULES, step=step)
    ran = desk.run("plan", "slower.json", "--metrics", "exec")
    assert ran.code == 0
    assert pairs_told(ran.told) == [needed]
    assert default_sees(ran.told) == [pytest.approx(100 * math.expm1(seen), abs=0.05)]
    assert f"sd of the pair ratio {100 * math.expm1(sd):.1f} %" in ran.told
    assert f"from {len(base)} pairs" in ran.told
    assert ran.widest <= 80


def test_the_time_is_that_of_two_invocations_a_pair(desk: Desk) -> None:
    def slow(content: Any) -> None:
        for pair in content["blocks"][0]["pairs"]:
            pair["base"]["wall_ns"], pair["head"]["wall_ns"] = 20_000_000_000, 22_000_000_000

    desk.edit("slower.json", slow)
    told = desk.run("plan", "slower.json", "--metrics", "exec").told
    (pairs,) = pairs_told(told)
    assert "a pair takes 42 s" in told
    assert f"{pairs} pairs, {42 * pairs // 60} min {42 * pairs % 60:02} s" in told
    assert "(24 pairs, 16 min 48 s at most)" in told


@pytest.mark.parametrize("name", ["recorded.json", "baseline.json", "stored.json"])
def test_sessions_say_it_by_their_invocations(desk: Desk, name: str) -> None:
    if name == "baseline.json":
        sessions = [one.invocations for one in store.load(desk.path / name).epoch.recent]
    else:
        (block,) = desk.load(name).blocks
        sessions = [one.invocations for one in block.baseline] or [block.invocations]
    samples = [logs(one) for one in sessions]
    sd = math.sqrt(2 * np.mean([one.var(ddof=1) for one in samples]))
    needed = power.pairs_needed(math.log1p(0.03), sd, RULES, step=0.00017)
    ran = desk.run("plan", name)
    assert ran.code == 0
    assert pairs_told(ran.told) == [needed]
    count = len(sessions)
    assert f"sqrt(2) times that of {10 * count} invocations within {count} session" in ran.told
    assert ran.widest <= 80


def test_a_baseline_says_what_it_sees_alone_and_with_more_sessions(desk: Desk) -> None:
    baseline = store.load(desk.path / "baseline.json")
    known = samples.stored(baseline.raw(baseline.epoch.recent), "exec", 1)
    number = stored.invocations(known, RULES)
    ran = desk.run("plan", "baseline.json")
    seen = [
        (float(percent), int(sessions))
        for percent, sessions in re.findall(r"\+([\d.]+) % with (\d) sessions? and \d+ invocations", ran.told)
    ]
    assert [sessions for _, sessions in seen] == [3, 5, 8]
    assert sorted(seen, reverse=True) == seen
    assert f"with 3 sessions and {number} invocations, as it is" in ran.told
    assert "record more on other days: --ethrex-update-baseline" in ran.told


def test_enough_sessions_need_no_more(desk: Desk) -> None:
    path = desk.path / "enough.json"
    store.write(path, make_baseline(make_epoch([make_session(day) for day in range(8)])))
    told = desk.run("plan", "enough.json").told
    assert "hoodi/1265656 exec" in told
    assert "with 8 sessions" in told
    assert "record more" not in told


def test_more_blocks_share_alpha_and_need_more(desk: Desk) -> None:
    one, many = (desk.run("plan", "recorded.json", "--blocks", number).told for number in ("1", "20"))
    assert "planned for 1 block, 1 metric " in one
    assert "20 blocks, 1 metric: 40 comparisons share the risk of a false alarm " in many
    assert pairs_told(many) > pairs_told(one)
    assert "all 20 blocks: about" in many
    assert "all 1" not in one


def test_every_block_of_a_run_is_planned_and_all_together(desk: Desk) -> None:
    ran = desk.run("plan", "four.json")
    assert [f"mainnet/{number} exec, " in ran.told for number in range(1, 5)] == [True] * 4
    assert "4 blocks, 1 metric: 8 comparisons share the risk of a false alarm " in ran.told
    assert re.search(r"all 4 blocks: about [\d.]+ s$", ran.told)
    assert ran.widest <= 80


def test_a_smaller_effect_and_more_power_need_more_pairs(desk: Desk) -> None:
    usual = pairs_told(desk.run("plan", "recorded.json").told)
    for words in (("--effect", "3%", "--power", "99%"), ("--power", "0.99")):
        told = desk.run("plan", "recorded.json", *words).told
        assert int(re.findall(r"with 99 % power on this machine: (\d+) pairs", told)[0]) > usual[0]
    told = desk.run("plan", "recorded.json", "--effect", "10%").told
    assert "to see +10 % with 90 % power on this machine: 6 pairs" in told


def test_limits_of_the_command_line_win(desk: Desk) -> None:
    told = desk.run("plan", "recorded.json", "--looks", "6,12").told
    assert "the default plan (12 pairs, " in told
    assert pairs_told(desk.run("plan", "recorded.json", "--margin", "2%").told) > pairs_told(told)


def test_a_hopelessly_noisy_machine_is_told_what_would_help(desk: Desk) -> None:
    ran = desk.run("plan", "noisy.json")
    assert "to see +3 % with 90 % power on this machine: no plan does even 400 pairs see only +" in ran.told
    quiet = re.search(r"a quieter machine: sd of ([\d.]+) % for 24 pairs", ran.told)
    assert quiet
    sd = math.log1p(float(quiet[1]) / 100)
    assert power.plan_power(math.log1p(0.03), sd, RULES).power == pytest.approx(0.9, abs=0.03)
    margin = re.search(r"this machine supports a margin of ([\d.]+) %", ran.told)
    assert margin
    (seen,) = default_sees(ran.told)
    assert math.log1p(float(margin[1]) / 100) == pytest.approx(
        math.log1p(seen / 100) - math.log1p(0.01), abs=1e-3
    )
    assert ran.widest <= 80


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--effect", "1%"), "it is not above the margin of 1 %, so it never counts as slower"),
        (("--floor", "5"), "and less than the absolute floor of 5.000 ms never counts"),
        (("--effect", "2%"), "it is within the tolerance of 3 %: unchanged is often proven first"),
    ],
)
def test_an_effect_that_no_number_of_pairs_proves(desk: Desk, words: tuple[str, ...], says: str) -> None:
    ran = desk.run("plan", "recorded.json", *words)
    assert ran.code == 0
    assert ": no plan does" in ran.told
    assert says in ran.told
    assert ran.widest <= 80


def test_an_effect_within_the_tolerance_is_seen_with_a_smaller_one(desk: Desk) -> None:
    told = desk.run("plan", "recorded.json", "--effect", "2%").told
    match = re.search(r"with --tolerance 2% it takes (\d+) pairs", told)
    assert match
    again = desk.run("plan", "recorded.json", "--effect", "2%", "--tolerance", "2%").told
    assert f"on this machine: {match[1]} pairs" in again
    assert int(match[1]) == power.pairs_needed(
        math.log1p(0.02), _sd(desk), replace(RULES, tolerance=0.02), step=0.00017
    )


def _sd(desk: Desk) -> float:
    (block,) = desk.load("recorded.json").blocks
    return math.sqrt(2) * float(logs(block.invocations).std(ddof=1))


def test_one_hopeless_block_leaves_the_whole_without_a_time(desk: Desk) -> None:
    def noisy(content: Any) -> None:
        for index, pair in enumerate(content["blocks"][1]["pairs"]):
            pair["head"]["exec_ns"] = [60_000_000 + index % 2 * 30_000_000] * 11

    desk.edit("four.json", noisy)
    assert "all 4 blocks: no plan for some, see above" in desk.run("plan", "four.json").told


def test_a_block_without_pairs_is_left_out_with_the_reason(desk: Desk) -> None:
    desk.edit("four.json", lambda c: c["blocks"][2].update(pairs=[], metrics=[], error="killed"))
    told = desk.run("plan", "four.json").told
    assert "left out: mainnet/3 exec: killed" in told
    assert "3 blocks, 1 metric" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nothing.json",), "nothing.json: cannot be read: No such file or directory"),
        (("empty.json",), "empty.json: not a results file of"),
        (
            ("unknown.json",),
            "how much its machine's times vary is not known: mainnet/24443168 exec: 1 of at least",
        ),
        (("single.json",), "is not known: hoodi/1265656 exec: no session with two invocations"),
        (
            ("zero.json",),
            "zero.json: not a results file of --ethrex-json: exec_ns holds 0: a repeat takes some time",
        ),
        (("recorded.json", "--effect", "3"), "--effect: '3' is not a value of it: write 3% for a percentage"),
        (("recorded.json", "--power", "100%"), "--power: '100%' is not a value of it: write a probability"),
        (("recorded.json", "--power", "high"), "--power: 'high' is not a value of it"),
        (("recorded.json", "--blocks", "0"), "--blocks: '0' is not a value of it: it must be at least 1"),
        (("recorded.json", "--margin", "4%"), "the margin (0.04) must be below the tolerance (0.03)"),
    ],
)
def test_what_cannot_be_planned_is_refused(desk: Desk, words: tuple[str, ...], says: str) -> None:
    (desk.path / "empty.json").write_text("{}")
    desk.edit(
        "slower.json", lambda c: c["blocks"][0].update(pairs=c["blocks"][0]["pairs"][:1]), "unknown.json"
    )
    desk.edit(
        "slower.json", lambda c: c["blocks"][0]["pairs"][0]["base"]["exec_ns"].__setitem__(1, 0), "zero.json"
    )
    store.write(desk.path / "single.json", make_baseline(make_epoch([make_session(0, invocations=1)])))
    ran = desk.run("plan", *words)
    assert ran.code == 2
    assert says in ran.err


def test_a_broken_baseline_says_so(desk: Desk) -> None:
    desk.tamper("baseline.json", lambda c: c.update(repeat=1), "broken.json")
    ran = desk.run("plan", "broken.json")
    assert ran.code == 1
    assert "repeat is 1: at least 2 are needed" in ran.err
