"""What the change points of `ethrex-perf history` promise, on years of recorded noise, with a fixed seed."""

import numpy as np

from benchmarks import changes as benchmark
from pytest_ethrex_perf.judge import changes


def test_unchanged_years_have_a_false_change_point_in_one_of_a_hundred_at_most() -> None:
    years = list(benchmark.years(np.random.default_rng(14), 60))
    alarms = sum(benchmark.false_alarms(year, changes.LEVEL, nightly=False) for year in years)
    assert alarms <= 0.01 / benchmark.METRICS * 60 * len(years)


def test_three_true_changes_of_a_year_are_dated_within_one_session() -> None:
    year = next(
        year for year in benchmark.years(np.random.default_rng(15), 20) if year.name == "simulated, typical"
    )
    missed = np.array(benchmark.dated(year))
    assert (missed <= 1).mean() >= 0.95
    assert missed.max() < 10


def test_looking_after_every_night_finds_nothing_in_unchanged_years() -> None:
    years = list(benchmark.years(np.random.default_rng(16), 1))
    assert sum(benchmark.false_alarms(year, changes.LEVEL, nightly=True) for year in years) == 0
