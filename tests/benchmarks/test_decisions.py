"""The proof in short form: what the gate is held to, and that the proof can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from scipy import stats

from benchmarks import claims, page, plots, trials
from benchmarks.evidence import Evidence
from benchmarks.gates import BENCHSTAT, OURS, POOLED, STEP, Gate, samples
from benchmarks.noise import MACHINES, simulate_pairs, simulate_sessions
from benchmarks.trials import SHOWN, Effort, Interleaved, Rate, Stored
from pytest_ethrex_perf.judge import paired, stored
from pytest_ethrex_perf.records.decision import Rules, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from benchmarks.claims import Claim, RivalCurves

# families of 10 recorded blocks, of 100 blocks and of stored blocks take the command's minutes
PROOF = Effort(
    curve=1_000,
    rivals=1_000,
    simulated={1: 2_000, 10: 1_500},
    recorded={1: 12_000},
    stored=1,
    stored_families={1: 5_000},
    sweep=(SHOWN,),
)
# what pools is wrong so often that few trials refute it
REFUTATION = Effort(
    curve=300,
    rivals=0,
    simulated={1: 300, 10: 30},
    recorded={1: 1_000},
    stored=1,
    stored_families={1: 300},
    sweep=(SHOWN,),
)


class Measured(NamedTuple):
    interleaved: list[Interleaved]
    stored: list[Stored]


def measure(gate: Gate, effort: Effort) -> Measured:
    return Measured(
        [trials.interleaved(gate, scenario, effort) for scenario in trials.scenarios()],
        [trials.stored(gate, machine, effort) for machine in MACHINES],
    )


CHECKS: dict[str, Callable[[Measured, RivalCurves], Iterable[Claim]]] = {
    "false alarms": lambda measured, _: claims.false_alarms(measured.interleaved),
    "stored false alarms": lambda measured, _: claims.stored_false_alarms(measured.stored),
    "power": lambda measured, _: claims.power(measured.interleaved),
    "nobody cheaper": lambda measured, rivals: claims.nobody_cheaper(measured.interleaved, rivals),
}
each_check = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)


@pytest.fixture(scope="module")
def ours() -> Measured:
    return measure(OURS, PROOF)


@pytest.fixture(scope="module")
def rivals() -> RivalCurves:
    return {
        scenario.name: trials.rival_curves(scenario, PROOF.rivals, PROOF.sweep)
        for scenario in trials.scenarios()
    }


@pytest.fixture(scope="module", params=[POOLED, BENCHSTAT], ids=lambda gate: gate.name)
def pooling(request: pytest.FixtureRequest) -> Measured:
    return measure(request.param, REFUTATION)


@each_check
def test_the_gate_is_proven(
    check: Callable[[Measured, RivalCurves], Iterable[Claim]], ours: Measured, rivals: RivalCurves
) -> None:
    found = list(check(ours, rivals))
    assert found
    assert not [claim.text for claim in found if not claim.holds]


@each_check
def test_the_proof_fails_when_repeats_are_pooled(
    check: Callable[[Measured, RivalCurves], Iterable[Claim]], pooling: Measured, rivals: RivalCurves
) -> None:
    assert [claim.text for claim in check(pooling, rivals) if claim.refuted]


def test_a_tool_as_careful_and_cheaper_is_found(ours: Measured, rivals: RivalCurves) -> None:
    perfect = {
        effect: trials.Point(Rate(0 if effect <= trials.MARGIN else 1_000, 1_000), 6.0)
        for effect in trials.EFFECTS
    }
    better = {name: {**curves, ("oracle", 6): perfect} for name, curves in rivals.items()}
    refuted = [claim.text for claim in claims.nobody_cheaper(ours.interleaved, better) if claim.refuted]
    assert len(refuted) == 1
    assert refuted[0].startswith("oracle sees +3 %")
    assert ("oracle", 6) in {found[:2] for found in claims.within_limits(ours.interleaved, better)}


def test_the_page_says_where_the_gate_loses(ours: Measured, rivals: RivalCurves) -> None:
    stored_rivals = {machine.name: trials.stored_rivals(machine, 10) for machine in MACHINES}
    evidence = Evidence(ours.interleaved, ours.stored, rivals, stored_rivals)
    verdicts = {"Power": list(claims.power(ours.interleaved))}
    text = page.write(evidence, PROOF, verdicts)
    assert "## Where the gate loses" in text
    assert "A true +2 % on one block" in text
    assert all(f"\n### {scenario.name}\n" in text for scenario in trials.scenarios())
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_the_figures_are_the_same_for_the_same_numbers(
    ours: Measured, rivals: RivalCurves, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    plots.power(ours.interleaved, rivals, first)
    plots.power(ours.interleaved, rivals, second)
    assert first.read_bytes() == second.read_bytes()
    plots.false_alarms(ours.interleaved, rivals, second)
    assert second.read_text().rstrip().endswith("</svg>")


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
