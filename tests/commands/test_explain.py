"""`ethrex-perf explain`: verdicts recomputed by hand, and files that were edited."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
import pytest
from scipy import stats

from pytest_ethrex_perf.commands import compare
from pytest_ethrex_perf.judge.assess import Material, assess, assess_mean, is_cut_short
from tests import sampling
from tests.commands.desk import CUT_SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, SuiteResult
    from tests.commands.desk import Desk

AnyResult = TypeVar("AnyResult", "MetricResult", "SuiteResult")
JUDGED = ("slower", "four", "steady", "noisy", "cut", "brief", "stopped", "stored")
NUMBER = r"[+-]?\d[\d.e+-]*"


def block_of(content: Any) -> Any:
    return content["blocks"][0]


def decision_of(content: Any) -> Any:
    return content["blocks"][0]["metrics"][0]["decision"]


def logs(invocations: list[Invocation]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The samples of exec, as anyone would compute them."""
    return np.array(sampling.logs(invocations))


def differences(block: BlockResult) -> np.ndarray[Any, np.dtype[np.float64]]:
    return logs([pair.head for pair in block.pairs]) - logs([pair.base for pair in block.pairs])


def looks(out: str) -> list[tuple[int, str]]:
    """Pairs and text of each look that was written out."""
    parts = re.split(r"^look \d+, after (\d+) (?:pairs|rounds)$", out, flags=re.MULTILINE)[1:]
    return [(int(pairs), told) for pairs, told in zip(parts[::2], parts[1::2], strict=True)]


def value(name: str, told: str) -> float:
    """The number after `name =`, or at the end of the first line that has such an equation."""
    match = re.search(rf"{re.escape(name)}(?: =.*?)?? = ({NUMBER})(?![\d.·])", told)
    assert match, name
    return float(match[1])


def the_test(name: str, told: str) -> tuple[float, float, float]:
    """Distance, t and p of one of the three tests."""
    row = rf"  {name} +({NUMBER}) − ({NUMBER}) +({NUMBER})  ({NUMBER}) [≤>]"
    match = re.search(row, told)
    assert match, name
    estimate, bound, t, p = map(float, match.groups())
    return estimate - bound, t, p


@pytest.mark.parametrize("name", JUDGED)
def test_what_was_measured_agrees_with_itself(desk: Desk, name: str) -> None:
    ran = desk.run("explain", f"{name}.json")
    assert ran.code == 0, ran.out
    assert ran.out.endswith(f"Everything agrees with {name}.json.\n")
    assert "does not agree" not in ran.out
    assert ran.widest <= 80


@pytest.mark.parametrize("name", JUDGED)
def test_the_gate_compare_and_explain_make_the_same_of_the_same_raw_data(desk: Desk, name: str) -> None:
    run = desk.load(f"{name}.json")
    for block in run.blocks:
        for measured in block.metrics:
            final = is_cut_short(measured.decision, measured.rules)
            explained = assess(Material.of(block), measured.metric, measured.rules, final=final)
            assert explained == measured
    materials = [Material.of(block) for block in run.blocks]
    for mean in run.suite:
        final = is_cut_short(mean.decision, mean.rules)
        assert assess_mean(materials, mean.metric, mean.rules, final=final) == mean
    if all(block.pairs for block in run.blocks):
        base, head = (compare.source(f"{name}.json:{side}") for side in ("base", "head"))
        compared = compare.judge(head.run, compare.match(base, head), {})
        for block, again in zip(run.blocks, compared.blocks, strict=True):
            alone = [msgspec.structs.replace(unwarned(measured), context=None) for measured in block.metrics]
            assert list(again.metrics) == alone, "but for the stored baseline, which compare has not"
        assert list(compared.suite) == list(map(unwarned, run.suite))


def unwarned(result: AnyResult) -> AnyResult:
    """As compare has it: what is inconclusive is no warning there."""
    return msgspec.structs.replace(result, outcome="pass") if result.outcome == "warn" else result


def test_the_table_of_pairs_can_be_checked_by_hand(desk: Desk) -> None:
    (block,) = desk.load("noisy.json").blocks
    out = desk.run("explain", "noisy.json").out
    rows = re.findall(
        rf"^ +(\d+) +(base|head) +({NUMBER}) +({NUMBER}) +({NUMBER}) +({NUMBER}) +({NUMBER})$",
        out,
        re.MULTILINE,
    )
    assert [int(row[0]) for row in rows] == list(range(1, 25))
    for row, pair, d in zip(rows, block.pairs, differences(block), strict=True):
        assert row[1] == pair.first
        for told, invocation in ((row[2], pair.base), (row[3], pair.head)):
            assert float(told) == pytest.approx(1e3 * sampling.seconds([invocation])[0], abs=1e-6)
        assert float(row[4]) == pytest.approx(math.log(float(row[2]) * 1e6), abs=1e-6)
        assert float(row[6]) == pytest.approx(d, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "taken"), [("noisy", [6, 8, 10, 13, 16, 20, 24]), ("cut", [6, 8, CUT_SHORT])]
)
def test_each_look_is_the_t_test_that_anyone_can_run(desk: Desk, name: str, taken: list[int]) -> None:
    (block,) = desk.load(f"{name}.json").blocks
    out = desk.run("explain", f"{name}.json").out
    step, told = value("step", out.replace("step: ", "step = ")), looks(out)
    assert [pairs for pairs, _ in told] == taken
    for pairs, text in told:
        d = differences(block)[:pairs]
        assert value("mean d", text) == pytest.approx(d.mean(), abs=1e-6)
        assert value("sd", text) == pytest.approx(d.std(ddof=1), abs=1e-6)
        assert value("se", text) == pytest.approx(stats.sem(d), abs=1e-6)
        assert f"df = {pairs - 1}" in text
        margin, tolerance = math.log1p(0.01) + step, math.log1p(0.03)
        for test, expected in {
            "slower": stats.ttest_1samp(d, margin, alternative="greater"),
            "faster": stats.ttest_1samp(-d, margin, alternative="greater"),
            "unchanged": max(
                stats.ttest_1samp(d, tolerance, alternative="less"),
                stats.ttest_1samp(d, -tolerance, alternative="greater"),
                key=lambda one: one.pvalue,
            ),
        }.items():
            _, t, p = the_test(test, text)
            assert abs(t) == pytest.approx(abs(expected.statistic), abs=1e-3)
            assert (t > 0) == (expected.pvalue < 0.5)
            assert p == pytest.approx(expected.pvalue, rel=1e-3)


def test_a_mean_cut_short_is_over_whole_rounds(desk: Desk) -> None:
    run = desk.load("stopped.json")
    assert {len(block.pairs) for block in run.blocks} == {7, 8}
    out = desk.run("explain", "stopped.json", "--block", "all").out
    assert [pairs for pairs, _ in looks(out)] == [6, 7]


def test_too_few_pairs_are_told(desk: Desk) -> None:
    out = desk.run("explain", "brief.json").out
    assert "no look was taken: only 3 pairs: fewer than 6 are never a verdict" in out


def test_the_shares_of_alpha_add_up_to_what_the_looks_may_spend(desk: Desk) -> None:
    for name, cut in (("noisy", 0), ("cut", 1)):
        told = looks(desk.run("explain", f"{name}.json").out)
        ((metric,),) = (block.metrics for block in desk.load(f"{name}.json").blocks)
        alpha, beta = 0.01 * metric.rules.alpha_spend[cut], 0.05 * metric.rules.beta_spend[cut]
        assert sum(value("alpha·f/m", text) for _, text in told) == pytest.approx(alpha, rel=1e-3)
        assert sum(value("beta·f", text) for _, text in told) == pytest.approx(beta, rel=1e-3)


def test_equal_values_are_held_against_the_resolution(desk: Desk) -> None:
    out = desk.run("explain", "steady.json").out
    assert "(raised to the step from 0.000000)" in out
    ((_, told),) = looks(out)
    assert value("sd", told.replace("(raised", "= (raised")) == pytest.approx(math.log1p(0.01 / 60), rel=1e-2)
    assert "→ unchanged: within the tolerance; a change is below the floor" in out


def test_the_mean_over_blocks_is_the_mean_of_their_pairs(desk: Desk) -> None:
    run = desk.load("four.json")
    (suite,) = run.suite
    rounds = suite.decision.pairs
    mean = np.mean([differences(block)[:rounds] for block in run.blocks], axis=0)
    ran = desk.run("explain", "four.json", "--block", "all")
    assert ran.out.startswith("mean over 4 blocks exec\n")
    assert "mainnet/1 exec" not in ran.out
    rows = re.findall(rf"^ +(\d+) +{NUMBER} +{NUMBER} +({NUMBER})$", ran.out, re.MULTILINE)
    assert [float(d) for _, d in rows] == pytest.approx(mean, abs=1e-6)
    told = looks(ran.out)[-1][1]
    step = value("step", ran.out.replace("step: ", "step = "))
    expected = stats.ttest_1samp(mean, math.log1p(0.01) + step, alternative="greater")
    assert the_test("slower", told)[1:] == pytest.approx((expected.statistic, expected.pvalue), abs=1e-3)


def test_the_stored_comparison_is_the_random_effects_prediction(desk: Desk) -> None:
    (block,) = desk.load("stored.json").blocks
    sessions, new = [logs(list(one.invocations)) for one in block.baseline], logs(list(block.invocations))
    out = desk.run("explain", "stored.json").out
    means = np.array([one.mean() for one in sessions])
    count, own = len(means), new.var(ddof=1) / len(new)
    within = sum(one.var(ddof=1) * (len(one) - 1) for one in sessions) / sum(len(one) - 1 for one in sessions)
    prior = max(0.01**2, within)
    spread = (4 * prior + (count - 1) * means.var(ddof=1)) / (4 + count - 1)
    known = spread * (1 + 1 / count)
    se = math.sqrt(known + own)
    df = se**4 / (known**2 / (4 + count - 1) + own**2 / (len(new) - 1))
    estimate = new.mean() - means.mean()
    for name, expected in {
        "mean(m)": means.mean(),
        "pooled": within,
        "s0²": prior,
        "s²": spread,
        "K = 6 new invocations: mean(y)": new.mean(),
        "var(y)/K": own,
        "se": se,
        "df": df,
        "mean(y) − mean(m)": estimate,
    }.items():
        assert value(name, out) == pytest.approx(expected, rel=1e-3, abs=1e-6), name
    assert [float(m) for m in re.findall(rf"mean m = ({NUMBER})", out)] == pytest.approx(means, abs=1e-6)
    step = value("step", out.replace("step: ", "step = "))
    for test, distance in {
        "slower": estimate - math.log1p(0.01) - step,
        "faster": -estimate - math.log1p(0.01) - step,
        "unchanged": math.log1p(0.03) - abs(estimate),
    }.items():
        found = the_test(test, out)
        assert found[1] == pytest.approx(distance / se, abs=2e-3)
        assert found[2] == pytest.approx(stats.t.sf(distance / se, df), rel=1e-2)
    assert "\nM = 3: " in out


def test_pairs_after_the_decision_are_set_apart(desk: Desk) -> None:
    (block,) = desk.load("slower.json").blocks
    used = block.metric("exec").decision.pairs
    assert used < len(block.pairs)
    lines = desk.run("explain", "slower.json", "--metric", "exec").out.splitlines()
    (apart,) = (number for number, line in enumerate(lines) if "the decision was made" in line)
    assert lines[apart - 1].split()[0] == str(used)
    assert lines[apart + 1].split()[0] == str(used + 1)


def test_one_block_and_one_metric(desk: Desk) -> None:
    out = desk.run("explain", "four.json", "--block", "2").out
    assert "mainnet/2 exec" in out
    assert "mainnet/1" not in out
    assert "mean over" not in out
    out = desk.run("explain", "slower.json", "--metric", "prep").out
    assert " prep: interleaved" in out
    assert " exec: interleaved" not in out


# edited files


def set_in(where: Callable[[Any], Any], key: Any, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """An edit of one value of a file."""

    def edit(content: Any) -> None:
        owner = where(content)
        assert change(owner[key]) != owner[key]
        owner[key] = change(owner[key])

    return edit


def slower_invocation(content: Any) -> None:
    """Turn a slow invocation of head into a fast one."""
    block_of(content)["pairs"][0]["head"]["exec_ns"][1:] = [60_000_000] * 10


def repeat_that_moves_no_sample(content: Any) -> None:
    repeats = block_of(content)["pairs"][0]["head"]["exec_ns"]
    repeats[repeats.index(max(repeats))] += 10_000


EDITS: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "raw": ("slower", slower_invocation, "mainnet/24443168 exec does not agree: verdict, estimate, sd, se"),
    "one repeat": ("slower", repeat_that_moves_no_sample, "raw data does not agree: its sha256"),
    "first repeat": (
        "slower",
        set_in(lambda c: block_of(c)["pairs"][0]["base"]["exec_ns"], 0, lambda ns: ns + 1),
        "raw data does not agree: its sha256",
    ),
    "last pair": ("noisy", lambda c: block_of(c)["pairs"].pop(), "it says that 24 pairs decided, and 23 of"),
    "no pair": ("noisy", lambda c: block_of(c).update(pairs=[]), "it says that 24 pairs decided, and 0 of"),
    "estimate": ("slower", set_in(decision_of, "estimate", lambda x: x / 2), "exec does not agree: estimate"),
    "estimate a bit": (
        "noisy",
        set_in(decision_of, "estimate", lambda x: x * (1 + 1e-6)),
        "exec does not agree: estimate",
    ),
    "p": ("slower", set_in(decision_of, "p", lambda _: 0.5), "exec does not agree: p"),
    "interval": ("slower", set_in(decision_of, "interval", lambda _: [0, 1]), "interval low, interval high"),
    "pairs": ("noisy", set_in(decision_of, "pairs", lambda n: n - 1), "exec does not agree: estimate"),
    "verdict": ("slower", set_in(decision_of, "verdict", lambda _: "unchanged"), "agree: verdict, outcome"),
    "made inconclusive": (
        "slower",
        set_in(decision_of, "verdict", lambda _: "inconclusive"),
        "agree: verdict",
    ),
    "look": (
        "noisy",
        set_in(lambda c: decision_of(c)["looks"][1], "p_slower", lambda _: 1e-4),
        "exec does not agree: look 2",
    ),
    "no looks": (
        "noisy",
        set_in(decision_of, "looks", lambda _: []),
        "agree: look 1, look 2, look 3, look 4",
    ),
    "outcome": (
        "slower",
        set_in(lambda c: block_of(c)["metrics"][0], "outcome", lambda _: "pass"),
        "exec does not agree: outcome (pass does not follow from regression)",
    ),
    "margin": (
        "slower",
        set_in(lambda c: block_of(c)["metrics"][0]["rules"], "margin", lambda _: 0.1),
        "exec does not agree: verdict",
    ),
    "no metric": (
        "slower",
        set_in(lambda c: block_of(c)["metrics"][0], "metric", lambda _: "gas"),
        "gas was not judged in this mode",
    ),
    "no time zone": (
        "stored",
        set_in(lambda c: block_of(c)["baseline"][0], "started", lambda text: text[:19]),
        "cannot be recomputed",
    ),
    "level": (
        "slower",
        set_in(lambda c: block_of(c)["metrics"][0], "head", lambda ns: ns / 2),
        "exec does not agree: head",
    ),
    "mean": (
        "four",
        set_in(lambda c: c["suite"][0]["decision"], "estimate", lambda _: 0.02),
        "mean over 4 blocks exec does not agree: estimate",
    ),
    "block of the mean": ("four", lambda c: c["blocks"].pop(), "the file holds no pairs of mainnet/4"),
    "new session": (
        "stored",
        set_in(lambda c: block_of(c)["invocations"][0], "exec_ns", lambda _: [60_000_000] * 11),
        "exec does not agree: ",
    ),
    "old session": (
        "stored",
        set_in(
            lambda c: block_of(c)["baseline"][0]["invocations"][0], "exec_ns", lambda _: [70_000_000] * 11
        ),
        "exec does not agree: ",
    ),
    "no old session": ("stored", lambda c: block_of(c).update(baseline=[]), "or no sessions of the baseline"),
    "context": (
        "noisy",
        set_in(lambda c: block_of(c)["metrics"][0]["context"], "estimate", lambda _: 0.0),
        "exec does not agree: the stored comparison for information",
    ),
}


IMPOSSIBLE: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "nonsense": (
        "slower",
        set_in(lambda c: block_of(c)["metrics"][0]["rules"], "alpha", lambda _: 7),
        "alpha is 7.0: it must lie between 0 and 0.5",
    ),
    "zero": (
        "slower",
        set_in(lambda c: block_of(c)["pairs"][0]["base"]["exec_ns"], 3, lambda _: 0),
        "exec_ns holds 0: a repeat takes some time",
    ),
    "enormous": (
        "slower",
        set_in(lambda c: block_of(c)["pairs"][0]["base"], "exec_ns", lambda _: [10**400] * 11),
        "exec_ns holds 1000",
    ),
    "rules without looks": (
        "noisy",
        set_in(lambda c: block_of(c)["metrics"][0]["rules"], "looks", lambda _: []),
        "looks () must be growing numbers of pairs",
    ),
}


@pytest.mark.parametrize("edit", IMPOSSIBLE)
def test_what_no_run_can_have_written_is_no_verdict_either(desk: Desk, edit: str) -> None:
    name, change, says = IMPOSSIBLE[edit]
    desk.tamper(f"{name}.json", change)
    ran = desk.run("explain", f"{name}.json")
    assert ran.code == 2
    assert f"{name}.json: not a results file of --ethrex-json: " in ran.err
    assert says in ran.err


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_file_no_longer_agrees(desk: Desk, edit: str) -> None:
    name, change, says = EDITS[edit]
    desk.tamper(f"{name}.json", change)
    ran = desk.run("explain", f"{name}.json")
    assert ran.code == 1
    told = " ".join(ran.out.split())
    assert says in told
    assert told.endswith("The raw data or the decisions in this file were edited: trust none of it.")
    assert ran.widest <= 80


def test_what_differs_stands_side_by_side(desk: Desk) -> None:
    estimate = desk.load("slower.json").blocks[0].metric("exec").decision.estimate
    desk.tamper("slower.json", set_in(decision_of, "estimate", lambda _: 0.25))
    out = desk.run("explain", "slower.json").out
    assert re.search(rf"^  estimate +{estimate:.10g} +0\.25  does not agree$", out, re.MULTILINE)


def test_a_file_without_the_sha256_of_its_raw_data_says_so(desk: Desk) -> None:
    desk.tamper("slower.json", lambda c: block_of(c).pop("raw_sha256"))
    ran = desk.run("explain", "slower.json")
    assert ran.code == 0
    assert "the file holds no sha256 to check it against" in ran.out


# wrong use


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("four.json", "--block", "9"), "four.json: no block mainnet/9: there are mainnet/1, mainnet/2"),
        (("four.json", "--block", "hoodi:1"), "no block hoodi/1: there are mainnet/1"),
        (("four.json", "--metric", "prep"), "four.json: no verdict on prep: there are ones on exec"),
        (("slower.json", "--block", "all"), "slower.json: no mean over blocks in it"),
        (("recorded.json",), "recorded.json: nothing was judged: mainnet/24443168: recorded: new baseline"),
        (("baseline.json",), "baseline.json: not a results file of --ethrex-json"),
        (("nothing.json",), "nothing.json: cannot be read: No such file or directory"),
        (("four.json", "--block", "1..x"), "bad block spec '1..x'"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(desk: Desk, words: tuple[str, ...], says: str) -> None:
    ran = desk.run("explain", *words)
    assert ran.code == 2
    assert says in ran.err


def test_a_block_that_was_not_judged_says_why(desk: Desk) -> None:
    def fail(content: Any) -> None:
        content["blocks"][0] |= {"error": "killed by SIGKILL", "metrics": []}
        content["suite"] = []

    desk.tamper("four.json", fail)
    ran = desk.run("explain", "four.json")
    assert ran.code == 0
    assert "mainnet/1: killed by SIGKILL" in ran.out
