"""Published references: shipped with the package, shown beside results, never gated against."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_ethrex_perf.baseline import reference, store
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.records.block import BlockId
from tests import beside

ROOT = Path(__file__).parents[2]
BLOCK = BlockId("mainnet", 24443168)
NAME = "reference-ethrex-office-4.json"


def shipped() -> reference.Reference:
    (file,) = reference.files(Path("nowhere"), BLOCK)
    return reference.load(file)


def test_the_package_ships_the_references_of_the_repository_and_no_copy_of_them() -> None:
    shipped, baselines = reference.every(reference.SHIPPED), reference.every(ROOT / "baselines")
    assert [path.relative_to(reference.SHIPPED) for path in shipped] == [Path("mainnet", "24443168", NAME)]
    assert [path.resolve() for path in shipped] == [path.resolve() for path in baselines]


def test_its_numbers_agree_with_each_other() -> None:
    published = shipped()
    assert published.gas / published.exec_ns == pytest.approx(published.ggas_per_s, abs=0.005)
    first = published.hotspots[0]
    assert first.share is not None
    for row in published.hotspots:
        assert row.samples / first.samples * first.share == pytest.approx(row.share, abs=0.001)
    for rows in (published.hotspots, published.pipeline, published.opcodes):
        assert [row.samples for row in rows] == sorted((row.samples for row in rows), reverse=True)
    for guide in beside.GUIDE:
        assert_as_in_the_guide(guide.read_text(encoding="utf-8"))


def assert_as_in_the_guide(text: str) -> None:
    section = text[text.index("## Reference: Block 24443168") : text.index("## Makefile Targets Reference")]
    found = shipped()
    for told in (
        f"Profiled {found.measured} on {found.machine} ({found.about_machine})",
        f"| Transactions | {found.txs} |",
        f"| Gas used | {found.gas / 1e6:g}M ({found.gas_share:.0%} of limit) |",
        f"| Execution time (median, {found.runs} runs) | {found.exec_ns / 1e6:g}ms |",
        f"| Throughput | {found.ggas_per_s:g} Ggas/s |",
        f"| IPC | {found.ipc:g} |",
        f"| L1 cache miss rate | {found.l1_miss_rate:.2%} |",
    ):
        assert told in section
    for row in found.hotspots:
        assert f"| `{row.function}` | {row.samples // 10**6}M | {row.share:.1%} | {row.what} |" in section
    for row in found.pipeline:
        assert re.search(rf"\| `{row.function}`.* \| {row.samples // 10**6}M \|", section)
    for row in found.opcodes:
        assert f"| {row.function} | {row.samples // 10**6}M |" in section
    assert section.count("M |") == sum(map(len, (found.hotspots, found.pipeline, found.opcodes)))


def test_it_is_no_baseline(tmp_path: Path) -> None:
    folder = tmp_path / "mainnet" / "24443168"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes((ROOT / "baselines" / "mainnet" / "24443168" / NAME).read_bytes())
    assert store.files(tmp_path) == []
    with pytest.raises(BaselineError):
        store.load(folder / NAME)


def test_a_users_own_file_wins_over_the_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "mainnet" / "24443168"
    folder.mkdir(parents=True)
    for name in (NAME, "reference-laptop.json"):
        (folder / name).write_text("{}")
    assert reference.files(tmp_path, BLOCK) == [folder / NAME, folder / "reference-laptop.json"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"schema": 2}, "schema is 2, this pytest-ethrex-perf reads 1"),
        ({"kind": "ethrex"}, "Invalid enum value 'ethrex'"),
        ({"block": 1}, "it is of mainnet/1: put it where it belongs"),
        ({"exec_ns": 0}, "exec_ns and ggas_per_s must be above 0"),
        ({"exec_ms": 60}, "unknown field `exec_ms`"),
    ],
)
def test_a_file_that_is_no_reference_is_one_clear_error(
    tmp_path: Path, changed: dict[str, object], told: str
) -> None:
    content = json.loads((ROOT / "baselines" / "mainnet" / "24443168" / NAME).read_text())
    file = tmp_path / "mainnet" / "24443168" / NAME
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content | changed))
    with pytest.raises(BaselineError, match=re.escape(str(file))) as raised:
        reference.load(file)
    assert told in str(raised.value)
