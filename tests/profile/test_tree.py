"""Stacks of both sides in one tree, as results files keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.profile import tree

if TYPE_CHECKING:
    from pytest_ethrex_perf.profile.stacks import Frames

STACKS = st.dictionaries(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6).map(tuple),
    st.floats(10, 100).map(lambda value: round(value, 4)),
    min_size=1,
    max_size=30,
)


def inclusive(stacks: dict[Frames, float], path: Frames) -> float:
    return sum(value for frames, value in stacks.items() if frames[: len(path)] == path)


@given(STACKS, STACKS)
def test_a_tree_unpacks_as_what_was_packed(base: dict[Frames, float], head: dict[Frames, float]) -> None:
    assert tree.unpack(*tree.pack(base, head)) == (base, head)


@given(STACKS, STACKS, st.integers(1, 10))
def test_what_is_too_small_goes_to_its_caller(
    base: dict[Frames, float], head: dict[Frames, float], most: int
) -> None:
    names, frames = tree.pack(base, head, most=most)
    threads = {stack[0] for stack in (*base, *head)}
    assert len(frames) <= max(most, len(threads))
    for whole, left in zip((base, head), tree.unpack(names, frames), strict=True):
        for path in left:
            assert inclusive(left, path) == pytest.approx(inclusive(whole, path), abs=0.01)
        assert sum(left.values()) == pytest.approx(sum(whole.values()), abs=0.01)


def test_a_broken_tree_stops_nothing() -> None:
    frames = ((5, 0, 1.0, 1.0), (-1, 9, 1.0, 1.0), (-1, 0, 1.0, 2.0), (2, 0, 1.0, 0.0), (-7, 0, 1.0, 1.0))
    assert tree.unpack(("a",), frames) == ({("a",): 1.0, ("a", "a"): 1.0}, {("a",): 2.0})
    deep = tuple((number - 1, 0, 0.0, 1.0) for number in range(5000))
    assert max(len(path) for path in tree.unpack(("a",), deep)[1]) == 400
