"""The rules of other tools, next to the tools themselves, on 20 comparisons."""

import json
import statistics
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyperf  # type: ignore[import-untyped] # it has no hints
import pytest
from pyperf._compare import CompareData, CompareResult  # type: ignore[import-untyped]
from pytest_benchmark.stats import Stats
from pytest_benchmark.utils import parse_compare_fail
from scipy import stats

from benchmarks import rivals
from benchmarks.noise import MACHINES, Sides, simulate_pairs


class Case(NamedTuple):
    base: list[list[float]]
    """Seconds, one row per invocation."""
    head: list[list[float]]
    criterion: str
    reth: str

    @property
    def sides(self) -> Sides:
        return Sides(np.array(self.base)[None], np.array(self.head)[None])

    @property
    def pooled(self) -> tuple[list[float], list[float]]:
        return list(chain(*self.base)), list(chain(*self.head))


def load() -> list[Case]:
    cases = json.loads((Path(__file__).parent / "cases.json").read_text())["cases"]
    return [
        Case(_seconds(case["base"]), _seconds(case["head"]), case["criterion"], case["reth"])
        for case in cases
    ]


def _seconds(runs: list[list[int]]) -> list[list[float]]:
    return [[nanoseconds / 1e9 for nanoseconds in run] for run in runs]


CASES = load()
each_case = pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))


def slower(rule: str, case: Case) -> bool:
    (rival,) = (rival for rival in rivals.RIVALS if rival.name == rule)
    (found,) = rival.slower(case.sides)
    return bool(found)


def test_there_are_20_cases_and_every_tool_is_of_both_opinions() -> None:
    assert len(CASES) == 20
    for rival in rivals.RIVALS:
        assert {slower(rival.name, case) for case in CASES} == {True, False}


@each_case
def test_benchstat_is_scipys_mann_whitney(case: Case) -> None:
    base, head = case.pooled
    p = stats.mannwhitneyu(head, base, method="asymptotic", use_continuity=True).pvalue
    assert slower("benchstat", case) == (p <= 0.05 and statistics.median(head) > statistics.median(base))


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
@pytest.mark.parametrize(("digits", "method"), [(6, "exact"), (3, "asymptotic")])
def test_few_values_are_decided_exactly_unless_they_tie(
    alternative: Literal["greater", "two-sided"], digits: int, method: Literal["exact", "asymptotic"]
) -> None:
    rng = np.random.default_rng(1)
    base, head = np.round(rng.normal(1, 0.01, (2, 20, 30)), digits)
    expected = stats.mannwhitneyu(head, base, axis=1, method=method, alternative=alternative).pvalue
    assert rivals.mann_whitney(base, head, alternative=alternative) == pytest.approx(expected)


@each_case
def test_pyperf_is_pyperf(case: Case) -> None:
    base, head = (
        CompareData(
            "exec",
            pyperf.Benchmark(
                [pyperf.Run(run, metadata={"name": "exec"}, collect_metadata=False) for run in side]
            ),
        )
        for side in (case.base, case.head)
    )
    result = CompareResult(base, head)
    assert slower("pyperf compare_to", case) == (result.significant and result.norm_mean > 1)


@each_case
@pytest.mark.parametrize("check", ["min:3%", "mean:5%"])
def test_pytest_benchmark_is_pytest_benchmark(case: Case, check: str) -> None:
    base, head = (Stats() for _ in range(2))
    for rounds, values in zip((base, head), case.pooled, strict=True):
        for value in values:
            rounds.update(value)
    fields = [{field: getattr(rounds, field) for field in ("min", "mean")} for rounds in (head, base)]
    assert slower(f"pytest-benchmark {check}", case) == bool(parse_compare_fail(check).fails(*fields))


@each_case
def test_hyperfine_is_scipys_welch_test(case: Case) -> None:
    base, head = ([statistics.mean(run) for run in side] for side in (case.base, case.head))
    p = stats.ttest_ind(base, head, equal_var=False).pvalue
    assert slower("hyperfine welch_ttest", case) == (
        p < 0.05 and statistics.mean(head) > statistics.mean(base)
    )


@each_case
def test_criterion_says_what_criterion_said(case: Case) -> None:
    (found,) = rivals.criterion(
        case.sides, resamples=20_000
    )  # nearer to its 100,000 than a simulation affords
    assert found == (case.criterion == "Performance has regressed")


@each_case
def test_reth_says_what_reths_script_said(case: Case) -> None:
    (found,) = rivals.reth(case.sides, resamples=10_000)
    assert found == (case.reth == "bad")


@each_case
def test_tango_is_its_formula(case: Case) -> None:
    base, head = case.pooled
    differences = [b - a for a, b in zip(base, head, strict=True)]
    mean = statistics.mean(differences)
    z = mean / (statistics.stdev(differences) / len(differences) ** 0.5)
    assert slower("tango-like", case) == (z >= 2.6 and mean / statistics.mean(head) > 0.005)


@pytest.mark.parametrize("rival", rivals.RIVALS, ids=lambda rival: rival.name)
def test_many_trials_are_judged_as_each_one_is(rival: rivals.Rival) -> None:
    sides = simulate_pairs(MACHINES[1], np.random.default_rng(3), trials=30, pairs=6).slowed(0.02)
    one_by_one = [bool(rival.slower(Sides(sides.base[[i]], sides.head[[i]]))[0]) for i in range(30)]
    assert rival.slower(sides).tolist() == one_by_one


@pytest.mark.parametrize("rival", rivals.RIVALS, ids=lambda rival: rival.name)
def test_much_faster_is_never_slower(rival: rivals.Rival) -> None:
    sides = simulate_pairs(MACHINES[1], np.random.default_rng(4), trials=20, pairs=6).slowed(-0.2)
    assert not rival.slower(sides).any()
