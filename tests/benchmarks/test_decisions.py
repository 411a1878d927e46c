"""The proof in short form: what the gate is held to, and that the proof can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pytest
from scipy import stats

from benchmarks import claims, duel, mutants, page, plans, plots, trials
from benchmarks.evidence import Effort, Evidence, Same
from benchmarks.gates import BENCHSTAT, OURS, POOLED, STEP, Gate
from benchmarks.noise import MACHINES, simulate_pairs, simulate_sessions
from benchmarks.plans import DEFAULT, LONG, OLD, ORDINARY, PATIENT, Plan, Sessions
from benchmarks.samples import samples
from benchmarks.trials import SHOWN, Interleaved, Rate, Stored
from pytest_ethrex_perf.judge import paired, stored
from pytest_ethrex_perf.judge.bounds import VERDICTS
from pytest_ethrex_perf.judge.samples import of_repeats
from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from benchmarks.claims import Claim, RivalCurves

# families of 100 blocks, the longest plans and stored families take the command's minutes
PROOF = Sessions(
    curve=12_000,
    families={1: 12_000, 10: 2_500},
    longer={(DEFAULT.name, 1): 4_000, (LONG.name, 10): 1_000},
    cuts=(7, 15, 40),
    cut_families=500,
    plans=(PATIENT, ORDINARY),
)
STORED = {1: 20_000}
RIVALS = 1_000
# what pools is wrong so often that few trials refute it
REFUTATION = 300
REFUTED_FAMILIES = {1: 300, 10: 30}
SESSIONS = 20_000
"""Of one block at the margin."""


class Measured(NamedTuple):
    interleaved: list[Interleaved]
    stored: list[Stored]


CHECKS: dict[str, Callable[[Measured, RivalCurves], Iterable[Claim]]] = {
    "false alarms": lambda measured, _: claims.false_alarms(measured.interleaved),
    "stored false alarms": lambda measured, _: claims.stored_false_alarms(measured.stored),
    "power": lambda measured, _: claims.power(measured.interleaved),
    "nobody cheaper": lambda measured, rivals: claims.nobody_cheaper(measured.interleaved, rivals),
}
each_check = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)


@pytest.fixture(scope="module")
def gate() -> list[plans.Measured]:
    return [plans.measure(scenario, PROOF) for scenario in trials.scenarios()]


@pytest.fixture(scope="module")
def ours(gate: list[plans.Measured]) -> Measured:
    return Measured(
        [one.interleaved for one in gate],
        [trials.stored(OURS, machine, trials=1, families=STORED) for machine in MACHINES],
    )


@pytest.fixture(scope="module")
def rivals() -> RivalCurves:
    return {scenario.name: trials.rival_curves(scenario, RIVALS, (SHOWN,)) for scenario in trials.scenarios()}


@pytest.fixture(scope="module")
def reth() -> dict[str, duel.Runs]:
    return {scenario.name: duel.sweep(scenario, 200) for scenario in trials.scenarios()}


@pytest.fixture(scope="module", params=[POOLED, BENCHSTAT], ids=lambda gate: gate.name)
def pooling(request: pytest.FixtureRequest) -> Measured:
    rule: Gate = request.param
    return Measured(
        [trials.interleaved(rule, scenario, REFUTATION, REFUTED_FAMILIES) for scenario in trials.scenarios()],
        [trials.stored(rule, machine, trials=1, families={1: 300}) for machine in MACHINES],
    )


def unproven(found: Iterable[Claim]) -> list[str]:
    """The claims that don't hold; there are some claims."""
    listed = list(found)
    assert listed
    return [claim.text for claim in listed if not claim.holds]


def refuted(found: Iterable[Claim]) -> list[str]:
    """The claims that fail by more than chance: of too few sessions to prove them, which the command has."""
    listed = list(found)
    assert listed
    return [claim.text for claim in listed if claim.refuted]


@each_check
def test_the_gate_is_proven(
    check: Callable[[Measured, RivalCurves], Iterable[Claim]], ours: Measured, rivals: RivalCurves
) -> None:
    assert not unproven(check(ours, rivals))


def test_patience_finds_what_noisy_machines_hide(gate: list[plans.Measured]) -> None:
    assert not unproven(claims.targets(gate))


def test_a_wider_tolerance_leaves_less_inconclusive_for_fewer_pairs(gate: list[plans.Measured]) -> None:
    (noisiest,) = (one for one in gate if one.interleaved.scenario.name == "recorded aa_1")
    unchanged = [curve[0.0] for curve in noisiest.tolerances.values()]
    undecided = [point.inconclusive.value for point in unchanged if point.inconclusive is not None]
    assert undecided == sorted(undecided, reverse=True)
    assert undecided[0] > 0.03
    assert undecided[-1] < 0.01
    taken = [point.invocations for point in unchanged]
    assert taken == sorted(taken, reverse=True)


def test_longer_plans_raise_no_more_false_alarms(gate: list[plans.Measured]) -> None:
    assert not refuted(claims.longer_alarms(gate))


def test_plans_that_time_ends_raise_no_more_false_alarms(gate: list[plans.Measured]) -> None:
    assert not refuted(claims.cut_alarms(gate))


def test_reths_rule_takes_longer_to_see_as_much(
    gate: list[plans.Measured], reth: dict[str, duel.Runs]
) -> None:
    assert not unproven(claims.beats_reth(gate, reth))


def test_the_gate_keeps_alpha_at_the_margin() -> None:
    assert not unproven(
        claims.level({mutants.THE_GATE: mutants.wrong_at_the_margin(mutants.THE_GATE, SESSIONS)})
    )


@pytest.mark.parametrize("mutant", mutants.MUTANTS)
def test_the_proof_fails_when_a_plan_is_chosen_or_paid_for_wrongly(mutant: str) -> None:
    wrong = mutants.wrong_at_the_margin(mutant, SESSIONS)
    (claim,) = claims.level({mutants.THE_GATE: wrong})  # it says that it is the gate
    assert claim.refuted
    (noticed,) = claims.level({mutant: wrong})
    assert noticed.holds


@pytest.mark.parametrize("mutant", mutants.MUTANTS)
def test_the_judge_is_itself_again_after_a_mutant(mutant: str) -> None:
    rate = mutants.wrong_at_the_margin(mutants.THE_GATE, 500)
    mutants.wrong_at_the_margin(mutant, 500)
    assert mutants.wrong_at_the_margin(mutants.THE_GATE, 500) == rate


@each_check
def test_the_proof_fails_when_repeats_are_pooled(
    check: Callable[[Measured, RivalCurves], Iterable[Claim]], pooling: Measured, rivals: RivalCurves
) -> None:
    assert [claim.text for claim in check(pooling, rivals) if claim.refuted]


def test_spending_anew_is_noticed_by_the_false_alarms_too() -> None:
    (noisy,) = (one for one in trials.scenarios() if one.name == claims.HOPELESS)
    with mutants.mutated("spending alpha anew at each extension"):
        wrong = plans.curve(PATIENT, noisy, 2_000, trials.UNREPORTED)
    families = {(1, effect): point.slower for effect, point in wrong.items()}
    assert [claim for claim in claims.false_alarms([Interleaved(noisy, wrong, families)]) if claim.refuted]


def test_a_tool_as_careful_and_cheaper_is_found(ours: Measured, rivals: RivalCurves) -> None:
    perfect = {
        effect: trials.Point(Rate(0 if effect <= trials.MARGIN else 1_000, 1_000), 6.0)
        for effect in trials.EFFECTS
    }
    better = {name: {**curves, ("oracle", 6): perfect} for name, curves in rivals.items()}
    (cheaper,) = refuted(claims.nobody_cheaper(ours.interleaved, better))
    assert cheaper.startswith("oracle sees +3 %")
    assert ("oracle", 6) in {found[:2] for found in claims.within_limits(ours.interleaved, better)}


@pytest.fixture(scope="module")
def same(gate: list[plans.Measured]) -> dict[str, Same]:
    scenario = gate[0].interleaved.scenario
    curves = trials.rival_curves(scenario, 10, (6,))
    found = Same(6, {tool: curve for (tool, _), curve in curves.items()})
    return {one.interleaved.scenario.name: found for one in gate}


def test_the_page_says_where_the_gate_loses(
    gate: list[plans.Measured],
    ours: Measured,
    rivals: RivalCurves,
    same: dict[str, Same],
    reth: dict[str, duel.Runs],
) -> None:
    everything = [
        one._replace(curves={plan.name: one.interleaved.curve for plan in plans.PLANS}) for one in gate
    ]
    stored_rivals = {machine.name: trials.stored_rivals(machine, 10) for machine in MACHINES}
    evidence = Evidence(
        ours.interleaved, ours.stored, rivals, stored_rivals, everything, same, reth, {"x": Rate(1, 100)}
    )
    unproven_claim = claims.Claim(holds=False, refuted=False, text="never a false alarm")
    verdicts = {"Power": [*claims.power(ours.interleaved), unproven_claim]}
    text = page.write(evidence, Effort.of(1_000), verdicts)
    assert text.count("never a false alarm") == 2  # among the losses, and where it is held to
    assert "## Where the gate loses" in text
    assert "A true +2 % on one block" in text
    assert "**reth's rule**" in text  # where it takes less time
    assert all(f"\n### {scenario.name}\n" in text for scenario in trials.scenarios())
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_the_figures_are_the_same_for_the_same_numbers(
    ours: Measured, rivals: RivalCurves, same: dict[str, Same], tmp_path: Path
) -> None:
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    plots.power(ours.interleaved, same, first)
    plots.power(ours.interleaved, same, second)
    assert first.read_bytes() == second.read_bytes()
    plots.false_alarms(ours.interleaved, rivals, second)
    assert second.read_text().rstrip().endswith("</svg>")


@pytest.mark.parametrize("repeats", [1, 2, 9, 10])
@pytest.mark.parametrize("kind", ["lowest", "median"])
def test_a_sample_is_what_the_gate_reads(repeats: int, kind: Literal["lowest", "median"]) -> None:
    times = np.random.default_rng(3).lognormal(size=(20, repeats))
    expected = [of_repeats(row, 0, kind) for row in times.tolist()]
    assert samples(times, kind) == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    "plan", [PATIENT, ORDINARY, OLD, Plan("cut", most=120, cut=40)], ids=lambda p: p.name
)
def test_a_plan_is_judged_as_the_gate_judges(plan: Plan) -> None:
    (noise,) = (one for one in trials.scenarios() if one.name == "very noisy")
    differences = next(plans.draws(noise, plan, 40, seed=5)) + np.log1p(0.03)
    judged = plan.judge(differences, 2.0)
    for row, code, pairs in zip(differences, judged.codes, judged.pairs, strict=True):
        decision = paired.judge(np.zeros(plan.pairs), row, plan.rules(2.0), step=STEP, final=True)
        assert VERDICTS[code] is decision.verdict
        assert pairs == decision.pairs


def test_verdicts_as_a_gate_goes_are_those_of_all_pairs_at_once() -> None:
    (noise,) = (one for one in trials.scenarios() if one.name == "very noisy")
    differences = next(plans.draws(noise, PATIENT, 500, seed=6)) + np.log1p(0.02)
    codes = plans.as_it_goes(differences, PATIENT.rules())
    assert (codes == PATIENT.judge(differences).codes).all()
    assert set(codes) == {1, 3, 4}  # regression, unchanged, inconclusive


def test_differences_of_a_machine_are_those_of_its_pairs() -> None:
    noise = trials.scenarios()[1]
    drawn = next(plans.draws(noise, ORDINARY, 20_000, seed=7))
    sides = noise.draw(np.random.default_rng(8), trials=500, pairs=24)
    assert drawn.mean() == pytest.approx(0, abs=1e-4)
    assert drawn.std() == pytest.approx((samples(sides.head) - samples(sides.base)).std(), rel=0.03)


def test_fewer_sessions_keep_the_proportions() -> None:
    assert Sessions.of(2_000).families == {1: 2_000, 10: 2_000, 100: 2_000}
    assert Sessions.of(20_000) == Sessions()
    assert Effort.of(20_000) == Effort()
    assert Effort.of(2_000).sweep == (SHOWN,)


def test_the_benchmark_judges_as_the_gate_does() -> None:
    sides = simulate_pairs(MACHINES[1], np.random.default_rng(1), trials=60, pairs=24).slowed(0.03)
    decided = OURS.interleaved(sides, Rules(gatings=2))
    for trial in range(60):
        base, head = samples(sides.base[trial]), samples(sides.head[trial])
        decision = paired.judge(base, head, Rules(gatings=2), step=STEP)
        assert decided.slower[trial] == (decision.verdict is Verdict.REGRESSION)
        assert decided.invocations[trial] == decision.pairs


def test_the_benchmark_judges_stored_baselines_as_the_gate_does() -> None:
    times = simulate_sessions(MACHINES[0], np.random.default_rng(2), trials=40, sessions=6, invocations=10)
    slower = OURS.stored(times[:, :-1], times[:, -1] * 1.035, Rules())
    for trial in range(40):
        baseline, session = samples(times[trial, :-1]), samples(times[trial, -1] * 1.035)
        decision = stored.judge(baseline.tolist(), session.tolist(), Rules(), step=STEP)
        assert slower[trial] == (decision.verdict is Verdict.REGRESSION)
    assert 0 < slower.sum() < 40


@pytest.mark.parametrize(("hits", "of"), [(0, 300), (3, 1_000), (999, 1_000), (5, 5)])
def test_bounds_of_a_rate_are_clopper_and_pearsons(hits: int, of: int) -> None:
    exact = stats.binomtest(hits, of).proportion_ci(confidence_level=0.90, method="exact")
    assert Rate(hits, of).at_least == pytest.approx(exact.low)
    assert Rate(hits, of).at_most == pytest.approx(exact.high)


def test_too_few_trials_prove_nothing_and_refute_nothing() -> None:
    scenario = trials.scenarios()[1]
    few = Interleaved(scenario, {}, {(1, 0.0): Rate(0, 100)})
    (claim,) = claims.false_alarms([few])
    assert not claim.holds
    assert not claim.refuted
