"""What cache files hold, counted from the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import contents
from tests import cache_file

if TYPE_CHECKING:
    from pathlib import Path

ECRECOVER, P256, ACCOUNT = "0x" + "01".zfill(40), "0x" + "0100".zfill(40), "0x" + 20 * "ab"


def write(directory: Path, number: int, to: list[str | None], **witness: Any) -> Path:
    path = cache_file.write(directory, number)
    content = json.loads(path.read_text())
    content["blocks"][0]["body"]["transactions"] = [{"type": "0x2", "to": each} for each in to]
    content["witness"] |= witness
    path.write_text(json.dumps(content))
    return path


def test_creations_precompiles_and_the_witness_are_counted(tmp_path: Path) -> None:
    keys = ["0x" + 20 * "ab", "0x" + 32 * "01", "0x" + 32 * "02"]
    path = write(
        tmp_path,
        7,
        [None, ECRECOVER, P256, ACCOUNT],
        state=["0x80", "0x" + 100 * "11"],
        codes=["0x" + 50 * "60", 10 * "60"],
        keys=keys,
    )
    held = contents.read(path, BlockId("mainnet", 7))
    assert (held.gas, held.txs, held.creations, held.precompiles) == (37_500_000, 4, 1, 2)
    assert (held.slots, held.nodes, held.node_bytes, held.code_bytes) == (2, 2, 101, 60)
    assert held.witness_bytes == 161


def test_without_keys_the_slots_are_not_known(tmp_path: Path) -> None:
    path = write(tmp_path, 7, [ACCOUNT])
    assert contents.read(path, BlockId("mainnet", 7)).slots is None


def test_files_are_found_by_their_names_and_workloads_by_their_records(tmp_path: Path) -> None:
    for number in (10, 9):
        cache_file.write(tmp_path, number)
    for name in ("cache_mainnet_1-3.json", "cache_x.json", "notes.txt"):
        (tmp_path / name).touch()
    record = {
        "workload": "keccak,gas=30M,seed=0",
        "sha256": "",
        "size": 0,
        "gas": 0,
        "txs": 0,
        "program_sha256": "",
        "program_label": "",
    }
    for folder in ("workload-keccak-gas30M-seed0", "workload-moved"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "generated.json").write_text(json.dumps(record))
    assert [str(block) for block, _ in contents.files(tmp_path)] == [
        "mainnet/9",
        "mainnet/10",
        "workload/keccak,gas=30M,seed=0",
    ]


@pytest.mark.parametrize("to", ["zz", 5])
def test_what_is_no_transaction_is_refused(tmp_path: Path, to: Any) -> None:
    path = write(tmp_path, 7, [to])
    with pytest.raises(MeasurementError, match=r"mainnet/7: .* is not a cache file: "):
        contents.read(path, BlockId("mainnet", 7))
