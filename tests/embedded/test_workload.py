"""The blocks of workloads: the same every time, and replayed as ethrex-replay replays its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from pytest_ethrex_perf.embedded import cachefile, devblock, program
from pytest_ethrex_perf.embedded.commandline import WORKLOADS
from pytest_ethrex_perf.embedded.workload import NAMES, world
from pytest_ethrex_perf.records.workload import Workload
from pytest_ethrex_perf.replay import output
from pytest_ethrex_perf.replay.program_kinds import KINDS
from tests.embedded.embedded_runs import Ran, run, tiny_content

if TYPE_CHECKING:
    from pathlib import Path


def custom(directory: Path, *arguments: str) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, NO_COLOR="1"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        where = ("--no-zkvm", "--cache-dir", str(directory))
        try:
            code = program.main(["custom", "block", *arguments, *where])
        except SystemExit as end:
            code = int(str(end.code))
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize("name", NAMES)
def test_a_gas_target_is_reached_by_transactions_of_one_kind(name: str) -> None:
    content = json.loads(devblock.build(world(Workload(name=name, gas=250_000, seed=3)), keys=False))
    (block,) = content["blocks"]
    assert int(block["header"]["gasUsed"], 16) == pytest.approx(250_000, rel=0.1)
    recipients = {transaction["to"] for transaction in block["body"]["transactions"]}
    assert len(recipients) == (len(block["body"]["transactions"]) if name == "eth-transfer" else 1)
    assert "keys" not in content["witness"]
    assert content["network"] == "LocalDevnet"


@pytest.mark.parametrize("name", ["keccak", "sstore-fresh"])
def test_transactions_that_loop_burn_what_they_are_given(name: str) -> None:
    text = devblock.build(world(Workload(name=name, txs=2, tx_gas=300_000)), keys=False)
    assert cachefile.parse(text).gas_used == pytest.approx(600_000, rel=0.05)


def test_the_same_workload_is_the_same_block_and_another_seed_another() -> None:
    texts = [devblock.build(world(Workload(name="keccak", txs=1, tx_gas=30_000, seed=s))) for s in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


def test_a_transaction_that_is_reverted_is_refused() -> None:
    poor = world(Workload(name="erc20-transfer", txs=1))
    alloc = {
        address: account.__class__(**{**vars(account), "storage": {}})
        for address, account in poor.alloc.items()
    }
    without_tokens = poor.__class__(**{**vars(poor), "alloc": alloc})
    with pytest.raises(devblock.NotReplayedError, match="transaction 0 in produced block 1 reverted"):
        devblock.build(without_tokens)


def test_a_block_is_made_and_replayed_and_then_replayed_from_its_cache(tmp_path: Path) -> None:
    size = ("--tx", "eth-transfer", "--n-txs", "3", "--seed", "7", "--n-senders", "2")
    made = custom(tmp_path, *size)
    file = tmp_path / "cache_custom_eth-transfer_seed7_blocks1.json"
    text = file.read_text()
    cached = custom(tmp_path, *size, "--cached", "--repeat", "2")
    assert (made.code, cached.code, file.read_text()) == (0, 0, text)
    report, summary = cached.messages[-2:]
    assert report.startswith("INFO ethrex_replay: [local-devnet] Block: 1, Gas: 63000, #Txs: 3, Execution")
    blocks = "1 block(s), 3 transaction(s), 63000 total gas"
    assert summary == f"INFO ethrex_replay: Custom workload 'eth-transfer' (seed 7): {blocks}"
    assert "http" not in cached.out
    read = output.parse(cached.out)
    assert len(read.repeats) == 2
    assert read.custom == output.CustomReport("eth-transfer", 7, 1, 3, 63_000)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--tx", "mulmod", "--n-txs", "1"), "argument --tx: invalid choice: 'mulmod'"),
        (("--tx", "keccak"), "one of the arguments --n-txs --gas-target is required"),
        (("--tx", "keccak", "--n-txs", "1", "--gas-target", "1"), "not allowed with argument"),
        (("--tx", "keccak", "--n-txs", "0"), "invalid value '0': it must be at least 1"),
    ],
)
def test_wrong_arguments_end_as_clap_ends_them(
    tmp_path: Path, arguments: tuple[str, ...], error: str
) -> None:
    ran = custom(tmp_path, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.err


def test_a_block_that_was_not_made_before_has_no_cache(tmp_path: Path) -> None:
    ran = custom(tmp_path, "--tx", "keccak", "--n-txs", "1", "--cached")
    assert ran.code == 1
    assert "No such file or directory (os error 2)" in ran.messages[1]


def test_the_program_knows_what_the_gate_takes_it_to_know() -> None:
    assert KINDS["embedded"].workloads == WORKLOADS == NAMES


# --- caches without keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["missing", "null", "empty"])
def test_a_cache_without_keys_is_replayed_all_the_same(tmp_path: Path, keys: str) -> None:
    content = tiny_content()
    if keys == "missing":
        del content["witness"]["keys"]
    else:
        content["witness"]["keys"] = None if keys == "null" else []
    ran = run(tmp_path, content)
    assert ran.code == 0
    assert "Execution Time" in ran.messages[-1]


def test_without_keys_the_root_of_the_state_is_needed_as_well(tmp_path: Path) -> None:
    content: Any = tiny_content()
    del content["witness"]["keys"]
    content["witness"]["state"] = []
    ran = run(tmp_path, content)
    assert "Execution Error: Trie error: Inconsistent internal tree structure" in ran.messages[-1]
