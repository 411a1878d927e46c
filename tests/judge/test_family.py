from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.judge import family
from pytest_ethrex_perf.records.decision import Rules

LOOKS = st.lists(st.integers(6, 200), min_size=1, max_size=8, unique=True).map(sorted).map(tuple)


def test_a_look_spends_the_share_of_its_new_pairs() -> None:
    assert family.shares((6, 10, 16, 24)) == pytest.approx((6 / 24, 4 / 24, 6 / 24, 8 / 24))


@pytest.mark.parametrize("looks", [(), (5, 10), (6, 6), (10, 6)])
def test_looks_that_are_no_plan_are_refused(looks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="looks"):
        family.shares(looks)


@given(looks=LOOKS, pairs=st.integers(0, 250), final=st.booleans(), gatings=st.integers(1, 500))
def test_what_is_spent_never_exceeds_alpha(
    *, looks: tuple[int, ...], pairs: int, final: bool, gatings: int
) -> None:
    rules = Rules(looks=looks, gatings=gatings)
    plan = family.spending(rules, pairs, final=final)
    assert math.fsum(look.alpha for look in plan) * gatings <= rules.alpha * (1 + 1e-12)
    assert math.fsum(look.beta for look in plan) <= rules.beta * (1 + 1e-12)
    assert all(6 <= look.pairs <= pairs for look in plan)
    if final and pairs >= 6:
        assert math.fsum(look.alpha for look in plan) * gatings == pytest.approx(rules.alpha)


def test_the_end_of_the_budget_spends_what_is_left() -> None:
    plan = family.spending(Rules(), 8, final=True)
    assert [look.pairs for look in plan] == [6, 8]
    assert [look.alpha for look in plan] == pytest.approx([0.0025, 0.0075])
    assert [look.beta for look in plan] == pytest.approx([0.0125, 0.0375])


def test_five_pairs_are_no_look_even_at_the_end() -> None:
    assert family.spending(Rules(), 5, final=True) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.0},
        {"alpha": 0.5},
        {"beta": math.nan},
        {"margin": -0.01},
        {"tolerance": 0.0},
        {"floor": math.inf},
        {"gatings": 0.5},
    ],
)
def test_rules_that_make_no_sense_are_refused_by_name(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        family.spending(replace(Rules(), **change), 6)  # type: ignore[arg-type]


def test_blocks_alone_share_all_of_alpha() -> None:
    assert family.gatings(3) == family.Gatings(3.0, None)


def test_the_mean_over_blocks_takes_half_of_alpha() -> None:
    shared = family.gatings(8, 2)
    assert shared.suite is not None
    assert 8 / shared.block == 2 / shared.suite == 0.5


def test_a_family_without_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="no family"):
        family.gatings(0, 1)


def test_the_mean_over_blocks_is_taken_per_round() -> None:
    base, head = family.mean_over_blocks([[1.0, 2.0], [3.0, 4.0]], [[1.1, 2.1], [3.3, 4.3]])
    np.testing.assert_allclose(base, [2.0, 3.0])
    np.testing.assert_allclose(head - base, [0.2, 0.2])


def test_rounds_of_the_undecided_blocks_only_are_left_out_of_the_mean() -> None:
    base, _ = family.mean_over_blocks([[1.0, 2.0, 9.0], [3.0, 4.0]], [[1.0, 2.0, 9.0], [3.0, 4.0]])
    np.testing.assert_allclose(base, [2.0, 3.0])


@pytest.mark.parametrize(("base", "head"), [([], []), ([[1.0]], [[1.0, 2.0]]), ([[1.0]], [[1.0], [1.0]])])
def test_a_mean_over_unequal_sides_is_refused(base: list[list[float]], head: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="same rounds of the same blocks"):
        family.mean_over_blocks(base, head)
