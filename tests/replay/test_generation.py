"""The block of a workload: made once, by one program, and never taken for another."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.replay import failure, program
from pytest_ethrex_perf.replay.generation import Generator, record_of
from tests.faults import fake_replay

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.replay.cache import CacheFile

(BLOCK,) = parse_blocks(["workload:keccak,seed=1"])
FOLDER = "workload-keccak-gas30M-seed1"
FILE = "cache_custom_keccak_seed1_blocks1.json"


@pytest.fixture(autouse=True)
def _believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)


class Site:
    """A cache directory, and programs that make blocks in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []

    def provide(self, spec: str = "workload:keccak,seed=1", name: str = "replay", **plan: Any) -> CacheFile:
        (block,) = parse_blocks([spec])
        path = fake_replay.write(self.path / "bin", name, plan)
        generator = Generator(
            program=program.resolve(str(path), cwd=self.path, environ=os.environ),
            cache_dir=self.path / "cache",
            environ=os.environ,
            log_dir=self.path / "logs",
            timeout=60,
            say=self.said.append,
        )
        return generator.provide(block)

    def calls(self, name: str = "replay") -> list[list[str]]:
        return [call["argv"] for call in fake_replay.calls(self.path / "bin" / name)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_it_is_made_once_with_every_parameter_and_recorded_beside_it(site: Site) -> None:
    made = site.provide()
    assert made.path == site.path / "cache" / FOLDER / FILE
    assert (made.identity.block_id, made.work) == (BLOCK, (37_500_000, 442))
    assert site.provide() == made
    (argv,) = site.calls()
    assert " ".join(argv).startswith(
        "custom block --tx keccak --gas-target 30000000 --seed 1 --n-senders 8 --tx-gas 1000000 "
        "--deploy-code-size 1024 --prestate-slots 100000 --cache-dir "
    )
    assert argv[-3:] == ["--no-zkvm", "--repeat", "1"]
    record = record_of(made.path)
    assert record is not None
    assert (record.workload, record.sha256, record.size) == (BLOCK.workload, made.sha256, made.size)
    assert (record.gas, record.txs) == made.work
    assert sorted(path.name for path in made.path.parent.iterdir()) == [FILE, "generated.json"]
    (line,) = site.said
    assert line.startswith("workload/keccak,gas=30M,seed=1: ")
    assert line.endswith(f"makes it, unmeasured, in {made.path.parent}")


def test_other_parameters_have_a_folder_of_their_own(site: Site) -> None:
    first, second = site.provide(), site.provide("workload:keccak,seed=1,gas=20M", gas=20_000_000)
    assert first.path.name == second.path.name
    assert first.path.parent != second.path.parent


def test_a_later_program_replays_what_an_earlier_one_made(site: Site) -> None:
    assert site.provide(name="old") == site.provide(name="new", extra="0x01")
    assert site.calls("new") == []


@pytest.mark.parametrize("damage", ["other content", "no record", "other parameters", "broken"])
def test_a_file_that_is_not_what_was_asked_for_is_made_anew_with_a_word(site: Site, damage: str) -> None:
    made = site.provide()
    record = made.path.parent / "generated.json"
    if damage == "other content":
        made.path.write_text(made.path.read_text().replace('"0x7"', '"0x8"'))
    elif damage == "no record":
        record.unlink()
    elif damage == "broken":
        made.path.write_text("{")
    else:
        record.write_text(json.dumps(json.loads(record.read_text()) | {"workload": "keccak,gas=1M,seed=1"}))
    assert site.provide() == made
    assert len(site.calls()) == 2
    reason = {
        "other content": f"{made.path} is not what was made (its sha256 was {made.sha256[:12]}); ",
        "no record": f"{made.path} has no record of what made it (generated.json); ",
        "other parameters": f"{made.path} was made for keccak,gas=1M,seed=1; ",
        "broken": f"{made.path} is not a cache file: ",
    }[damage]
    assert site.said[-1].startswith(f"workload/keccak,gas=30M,seed=1: {reason}")


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"behaviour": "no custom"}, "ethrex-replay older than d5999b86 (2026) has no workloads"),
        ({"behaviour": "reverted"}, "exit code 1: transaction 3 in produced block 1 reverted"),
        ({"behaviour": "execution error", "says": "Invalid Block"}, "Execution Error: Invalid Block"),
        ({"behaviour": "no workload"}, "no line of its workload"),
        ({"behaviour": "another workload"}, "of keccak with seed 99"),
        ({"behaviour": "another block"}, "the program replayed local-devnet/2 instead"),
        ({"gas": 20_000_000}, "made a block of 20,000,000 gas, 30,000,000 were asked for"),
    ],
)
def test_what_can_not_be_made_is_one_line_and_leaves_no_file(
    site: Site, plan: dict[str, Any], reason: str
) -> None:
    with pytest.raises(MeasurementError) as caught:
        site.provide(**plan)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list((site.path / "cache" / FOLDER).iterdir()) == []


def test_fewer_transactions_than_were_asked_for_are_an_error(site: Site) -> None:
    with pytest.raises(MeasurementError, match="a block of 442 transactions, 500 were asked for"):
        site.provide("workload:keccak,txs=500")
    assert site.provide("workload:keccak,txs=442").work.txs == 442
