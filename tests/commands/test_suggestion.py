"""Which blocks are chosen: those that cover most, the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.commands.suggestion import Band, Counts, bands, choose
from pytest_ethrex_perf.records.block import BlockId

if TYPE_CHECKING:
    from random import Random

A, B, C, D = (BlockId("mainnet", number) for number in range(1, 5))
counted_blocks = st.dictionaries(
    st.builds(BlockId, st.just("hoodi"), st.integers(0, 99), st.just("")),
    st.fixed_dictionaries(
        {"gas": st.integers(0, 5), "txs": st.integers(0, 3), "reads": st.none() | st.integers(0, 9)}
    ),
    min_size=1,
    max_size=12,
)


def test_each_count_has_a_low_a_middle_and_a_high_third_and_a_largest_value() -> None:
    counted: dict[BlockId, Counts] = {A: {"gas": 1}, B: {"gas": 5}, C: {"gas": 9}, D: {"gas": 9}}
    found = bands(counted)
    assert found[A] == {Band("gas", "low")}
    assert found[B] == {Band("gas", "middle")}
    assert found[C] == found[D] == {Band("gas", "high"), Band("gas", "most")}


def test_what_is_alike_or_unknown_is_no_reason() -> None:
    counted: dict[BlockId, Counts] = {A: {"gas": 1, "txs": 4}, B: {"gas": 1, "txs": None}}
    assert bands(counted) == {A: frozenset(), B: frozenset()}
    assert len(choose(counted, 4)) == 1


def test_the_block_that_covers_most_goes_first_and_the_rest_covers_what_is_left() -> None:
    counted: dict[BlockId, Counts] = {
        A: {"gas": 1, "txs": 9, "reads": 0},
        B: {"gas": 5, "txs": 5, "reads": 0},
        C: {"gas": 9, "txs": 1, "reads": 7},
        D: {"gas": 8, "txs": 2, "reads": 6},
    }
    assert [choice.block for choice in choose(counted, 4)] == [C, A, D, B]
    assert [choice.block for choice in choose(counted, 1)] == [C]


@given(counted_blocks, st.integers(1, 6), st.randoms())
def test_a_choice_is_small_covers_and_does_not_hang_on_the_order(
    counted: dict[BlockId, Counts], count: int, random: Random
) -> None:
    chosen = choose(counted, count)
    assert 1 <= len(chosen) <= count
    assert len({choice.block for choice in chosen}) == len(chosen)
    shuffled = list(counted.items())
    random.shuffle(shuffled)
    assert choose(dict(shuffled), count) == chosen
    everything = choose(counted, len(counted))
    covered = {band for choice in everything for band in choice.covers}
    assert covered == {band for each in bands(counted).values() for band in each}
