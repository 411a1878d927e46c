"""What a block makes the EVM do, counted by running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.embedded import census, devblock
from pytest_ethrex_perf.embedded.workload import world
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records.workload import Workload
from tests.embedded.embedded_runs import tiny_text

if TYPE_CHECKING:
    from pathlib import Path


def test_every_fresh_slot_is_one_write(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    writes = []
    for txs in (1, 3):
        path.write_text(devblock.build(world(Workload(name="sstore-fresh", txs=txs, tx_gas=200_000))))
        counted = census.take(path)
        writes.append(counted.opcodes["SSTORE"])
        assert counted.precompiles.total() == 0
    assert writes[1] - writes[0] == 2 * 8  # the others are the system's own calls


def test_a_block_that_can_not_be_executed_is_a_clause(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    path.write_text(tiny_text().replace('"gasUsed": "0x', '"gasUsed": "0x1'))
    with pytest.raises(MeasurementError, match=r"^the embedded program can't execute it: "):
        census.take(path)
