from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_ethrex_perf.judge import signed_rank

DIFFERENCES = st.lists(st.integers(-1000, 1000).filter(bool), min_size=1, max_size=24, unique_by=abs)


@given(DIFFERENCES)
def test_it_equals_scipy_where_nothing_ties(differences: list[int]) -> None:
    ours = signed_rank.greater(np.array(differences) / 1000)
    assert ours == pytest.approx(stats.wilcoxon(differences, alternative="greater", method="exact").pvalue)


def test_its_smallest_value_is_two_to_the_minus_n() -> None:
    assert signed_rank.greater(np.arange(1.0, 7.0)) == 2**-6


def test_ties_are_exact_too() -> None:
    # of the four equally likely sign patterns of ranks 1.5 and 1.5 three reach a sum of 1.5
    assert signed_rank.greater(np.array([1.0, -1.0])) == pytest.approx(0.75)


def test_zeros_prove_nothing() -> None:
    assert signed_rank.greater(np.zeros(6)) == 1.0
