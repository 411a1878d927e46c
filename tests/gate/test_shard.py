"""How blocks are divided: deterministic, complete, balanced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.gate import shard
from pytest_ethrex_perf.records.block import BlockId

COSTS = st.dictionaries(
    st.builds(BlockId, st.sampled_from(["mainnet", "hoodi"]), st.integers(0, 10**6)),
    st.none() | st.floats(0.01, 1000),
    min_size=1,
)


@given(COSTS, st.data())
def test_every_block_is_in_exactly_one_part_and_no_part_is_empty(
    costs: dict[BlockId, float | None], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(costs)))
    parts = shard.split(costs, count)
    assert sorted(block for part in parts for block in part) == sorted(costs)
    assert all(parts)


@given(COSTS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(costs: dict[BlockId, float | None], random: object) -> None:
    shuffled = list(costs.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shard.split(dict(shuffled), min(3, len(costs))) == shard.split(costs, min(3, len(costs)))


@given(st.lists(st.floats(0.01, 1000), min_size=1), st.integers(1, 8))
def test_no_part_has_more_than_its_share_and_one_block(costs: list[float], count: int) -> None:
    known = {BlockId("mainnet", number): cost for number, cost in enumerate(costs)}
    parts = shard.split(dict(known), count)
    heaviest = max(sum(known[block] for block in part) for part in parts)
    assert heaviest <= sum(costs) / count + max(costs) + 1e-6


def test_what_is_not_known_is_taken_for_typical() -> None:
    dear, cheap, unknown = (BlockId("mainnet", number) for number in (1, 2, 3))
    assert shard.split({dear: 100.0, cheap: 1.0, unknown: None}, 2) == [{dear}, {cheap, unknown}]
