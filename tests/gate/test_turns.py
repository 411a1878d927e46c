"""In which order blocks and sides take turns."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.gate.turns import first_side, in_order, turns


def always(_: object) -> bool:
    return True


def take(blocks: str, count: int) -> str:
    order = turns(blocks, always)
    return "".join(next(order) for _ in range(count))


def test_sides_alternate_abba() -> None:
    order = [
        side
        for pair in range(4)
        for side in ((first_side(pair),) + (("head",) if pair % 2 == 0 else ("base",)))
    ]
    assert order == ["base", "head", "head", "base"] * 2


@given(st.integers(0, 1000))
def test_linear_drift_cancels_over_two_pairs(pair: int) -> None:
    slots = {"base": 0, "head": 0}
    for number in (pair, pair + 1):
        first = first_side(number)
        second = "head" if first == "base" else "base"
        slots[first] += 2 * number
        slots[second] += 2 * number + 1
    assert slots["base"] == slots["head"]


def test_each_round_starts_one_block_later() -> None:
    assert take("ABC", 9) == "ABC" + "BCA" + "CAB"
    assert take("A", 3) == "AAA"


@given(st.integers(1, 8), st.integers(1, 20))
def test_in_every_round_each_block_has_one_turn(blocks: int, rounds: int) -> None:
    names = "ABCDEFGH"[:blocks]
    order = take(names, blocks * rounds)
    for start in range(0, len(order), blocks):
        assert sorted(order[start : start + blocks]) == list(names)


@given(st.integers(2, 8))
def test_over_as_many_rounds_as_blocks_each_has_had_every_place(blocks: int) -> None:
    names = "ABCDEFGH"[:blocks]
    order = take(names, blocks * blocks)
    for place in range(blocks):
        assert sorted(order[place::blocks]) == list(names)


@given(st.lists(st.integers(0, 6), min_size=0, max_size=6))
def test_a_decided_block_drops_out_and_the_last_one_ends_it(needed: list[int]) -> None:
    taken: Counter[int] = Counter()
    for block in turns(range(len(needed)), lambda block: taken[block] < needed[block]):
        taken[block] += 1
    assert [taken[block] for block in range(len(needed))] == needed


def test_a_block_that_is_decided_within_a_round_is_not_asked_in_it() -> None:
    active = {"A": True, "B": True}
    order = turns("AB", lambda block: active[block])
    assert next(order) == "A"
    active["B"] = False
    assert next(order) == "A"


def test_three_take_every_order_once_in_six_rounds_and_mirror_each_other_in_two() -> None:
    rounds = ["".join(in_order(number, "G", "S", "B")) for number in range(12)]
    assert len(set(rounds[:6])) == 6
    assert rounds[6:] == rounds[:6]
    assert all(rounds[number + 1] == rounds[number][::-1] for number in range(0, 12, 2))
