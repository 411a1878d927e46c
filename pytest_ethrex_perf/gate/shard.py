"""Parts of one run for CI's matrices: each block in one of them, balanced by what it is known to cost.

Every shard must come to the same division by itself, so it rests on nothing but the list of blocks and the
stored baselines, which are the same in every checkout.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pytest_ethrex_perf.records.block import BlockId


def members(blocks: Collection[BlockId], shard: str, baselines: Path) -> set[BlockId]:
    """The blocks of `shard`, written `2/5`. Raises `UsageError` where there are more shards than blocks."""
    index, count = map(int, shard.split("/"))
    if count > len(set(blocks)):
        raise UsageError(
            f"--ethrex-shard {shard}: only {len(set(blocks))} blocks for {count} shards: some would be empty"
        )
    return split({block: cost(baselines, block) for block in blocks}, count)[index - 1]


def split(costs: Mapping[BlockId, float | None], count: int) -> list[set[BlockId]]:
    """`count` parts of about the same cost, each block to the part that has least, the dearest first.

    Graham's longest-processing-time rule: at most 4/3 of the best division. A cost that is not known (None)
    is taken for a typical one; ties are broken by name.
    """
    measured = [cost for cost in costs.values() if cost is not None]
    typical = statistics.median(measured) if measured else 1.0
    parts: list[set[BlockId]] = [set() for _ in range(count)]
    loads = [0.0] * count
    filled = {block: typical if cost is None else cost for block, cost in costs.items()}
    for block in sorted(filled, key=lambda block: (-filled[block], block)):
        # the emptier one among equals, so that no part stays without a block
        lightest = min(range(count), key=lambda part: (loads[part], len(parts[part])))
        parts[lightest].add(block)
        loads[lightest] += filled[block]
    return parts


def cost(baselines: Path, block: BlockId) -> float | None:
    """Typical duration in s of one invocation of `block`, by its stored baselines; None without any.

    Of whichever kind and machine: a block that is dear on one is dear on the others.
    """
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.schema import BaselineError

    walls: list[float] = []
    for file in sorted(store.folder(baselines, block).glob("*.json")):
        try:
            baseline = store.load(file)
        except BaselineError:  # whoever compares with it will say so
            continue
        latest = baseline.epochs[-1].sessions[-1]
        walls.append(statistics.median((i.wall_ns + i.counting_ns) / 1e9 for i in latest.invocations))
    return statistics.median(walls) if walls else None
