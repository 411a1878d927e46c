from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.embedded import cachefile, contracts, forks, pipeline
from pytest_ethrex_perf.embedded.devblock import make
from pytest_ethrex_perf.embedded.recipe import MIXES, Recipe
from pytest_ethrex_perf.embedded.trie import keccak256
from tests import beside
from tests.embedded.embedded_runs import tiny_content, tiny_text

if TYPE_CHECKING:
    from pathlib import Path

TRANSFER = keccak256(b"Transfer(address,address,uint256)")
DEPLOYED = {  # hashes of code deployed on Hoodi, as in the witness of its block 1265656
    "f57acd40259872606d76197ef052f3d35588dadf919ee1f0e3cb9b62d3f4b02c",  # EIP-4788, beacon block roots
    "6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d",  # EIP-2935, block hashes
    "0345a365d2f4c5975b9f1599abe0a2ee76b7a3a731bc68781bd04c84e4858f50",  # EIP-7002, withdrawal requests
    "78c6cb5202685228bbcbfb992b1c4e116c7ec5ef11e25b8e92716cfc628ddd60",  # EIP-7251, consolidation requests
}


def executed(text: str) -> tuple[pipeline.Block, Any, Any]:
    """The block, its output and the state after it."""
    cached = cachefile.parse(text)
    block = pipeline.Block(cached, forks.load(cached.network, cached.timestamp))
    database = pipeline.Database(block)
    state = database.state()
    return block, pipeline.apply(block, database, state), state


def receipts(block: pipeline.Block, output: Any) -> list[Any]:
    return [block.fork.blocks.decode_receipt(output.receipts_trie._data[key]) for key in output.receipt_keys]


def test_another_process_makes_the_same_bytes_whatever_its_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; from pytest_ethrex_perf.embedded.devblock import make;"
        "from pytest_ethrex_perf.embedded.recipe import MIXES, Recipe;"
        "sys.stdout.write(make(Recipe(4, MIXES, 7, 9000100)))"
    )
    for seed in ("0", "42"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        made = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert made.stdout == tiny_text()


def test_seed_number_and_mix_all_matter() -> None:
    texts = {
        tiny_text(),
        make(Recipe(4, MIXES, 8, 9_000_100)),
        make(Recipe(4, MIXES, 7, 9_000_101)),
        make(Recipe(4, MIXES[:2], 7, 9_000_100)),
    }
    assert len(texts) == 4


@pytest.mark.parametrize(
    "since", forks.NETWORKS["hoodi"].schedule.values(), ids=forks.NETWORKS["hoodi"].schedule
)
def test_blocks_of_every_fork_replay_with_all_checks(since: int) -> None:
    cached = cachefile.parse(make(Recipe(txs=4, timestamp=since + 12_000)))
    block = pipeline.Block(cached, forks.load(cached.network, cached.timestamp))
    execution = pipeline.execute(block, pipeline.Database(block))
    assert execution.error is None
    assert execution.opcodes > 0


def test_transfers_move_their_value() -> None:
    text = make(Recipe(txs=6, mix=("transfers",)))
    block, output, state = executed(text)
    before = pipeline.Database(block).state()
    assert [receipt.succeeded for receipt in receipts(block, output)] == [True] * 6
    assert output.block_gas_used == 6 * 21_000
    for transaction in json.loads(text)["blocks"][0]["body"]["transactions"]:
        to = bytes.fromhex(transaction["to"][2:])
        old = before.accounts[to].balance if before.accounts[to] else 0
        assert int(state.accounts[to].balance) - int(old) >= int(transaction["value"], 16) > 0


def test_erc20_transfers_move_balances_in_a_mapping_and_say_so() -> None:
    text = make(Recipe(txs=6, mix=("erc20",)))
    block, output, state = executed(text)
    transactions = json.loads(text)["blocks"][0]["body"]["transactions"]
    for receipt, transaction in zip(receipts(block, output), transactions, strict=True):
        data = bytes.fromhex(transaction["input"][2:])
        to, amount = data[4:36], data[36:68]
        (log,) = receipt.logs
        assert receipt.succeeded
        assert log.address.hex() == transaction["to"][2:]
        assert (log.topics[0], log.topics[2], log.data) == (TRANSFER, to, amount)
        balance = state.storages[log.address][keccak256(to + bytes(32))]
        assert int(balance) >= int.from_bytes(amount, "big")
    token = state.storages[bytes.fromhex(transactions[0]["to"][2:])]
    assert sum(map(int, token.values())) == sum(map(int, token.read.values())) > 0


def test_an_erc20_transfer_of_more_than_the_balance_reverts() -> None:
    assert (
        evm_succeeds(contracts.ERC20, bytes.fromhex("a9059cbb") + bytes(31) + b"\x01" + b"\xff" * 32) is False
    )
    assert evm_succeeds(contracts.ERC20, b"\x00\x00\x00\x00") is False


def evm_succeeds(code: bytes, data: bytes) -> bool:
    """Whether a call of `code` succeeds, in the tiny world."""
    from ethereum_types.numeric import U64, U256, Uint

    block, _, _ = executed(make(Recipe(txs=1)))
    database = pipeline.Database(block)
    state = database.state()
    vm, rules = block.fork.vm, block.fork.rules
    environment = vm.BlockEnvironment(
        chain_id=U64(1),
        state=state,
        block_gas_limit=Uint(10**7),
        block_hashes=[block.header.parent_hash],
        coinbase=block.header.coinbase,
        number=block.header.number,
        base_fee_per_gas=Uint(1),
        time=U256(1),
        prev_randao=block.header.prev_randao,
        excess_blob_gas=U64(0),
        parent_beacon_block_root=block.header.parent_beacon_block_root,
    )
    output = rules.process_system_transaction(environment, rules.BEACON_ROOTS_ADDRESS, code, data)
    return output.error is None


def test_storage_transactions_read_and_write_slots() -> None:
    text = make(Recipe(txs=3, mix=("storage",)))
    block, output, state = executed(text)
    assert all(receipt.succeeded for receipt in receipts(block, output))
    for transaction in json.loads(text)["blocks"][0]["body"]["transactions"]:
        data = bytes.fromhex(transaction["input"][2:])
        slots, first = (int.from_bytes(word, "big") for word in (data[:32], data[32:]))
        storage = state.storages[bytes.fromhex(transaction["to"][2:])]
        for slot in range(first, first + slots):
            here, beyond = (key.to_bytes(32, "big") for key in (slot, slot + 1))
            assert int(storage[here]) == int(storage.read[here]) + int(storage.read[beyond]) + 1


def test_keccak_transactions_log_the_end_of_a_chain_of_hashes() -> None:
    text = make(Recipe(txs=3, mix=("keccak",)))
    block, output, _ = executed(text)
    transactions = json.loads(text)["blocks"][0]["body"]["transactions"]
    for receipt, transaction in zip(receipts(block, output), transactions, strict=True):
        data = bytes.fromhex(transaction["input"][2:])
        digest = data[32:]
        for _ in range(int.from_bytes(data[:32], "big")):
            digest = keccak256(digest + bytes(104))
        (log,) = receipt.logs
        assert (log.topics, log.data) == ((digest,), digest)


def test_the_witness_is_partial_and_names_addresses_before_their_slots() -> None:
    tiny = tiny_content()
    sizes = [len(key) // 2 - 1 for key in tiny["witness"]["keys"]]
    assert sizes[0] == 20
    assert set(sizes) == {20, 32}
    # a full state trie has a leaf for each of the bystanders
    assert len(tiny["witness"]["state"]) < 150
    assert len(tiny["witness"]["headers"]) == 3


def test_the_assembler_knows_labels_data_and_comments() -> None:
    code = contracts.assemble("PUSH1 0x2a ; a comment\n there: POP @there JUMPI STOP")
    assert code.hex() == "602a5b5061000257" + "00"
    with pytest.raises(KeyError, match="nowhere"):
        contracts.assemble("@nowhere JUMPI")
    with pytest.raises(KeyError, match="NOOP"):
        contracts.assemble("NOOP")


def test_system_contracts_are_those_deployed_on_hoodi() -> None:
    ours = {keccak256(bytes.fromhex(code)).hex() for code in contracts.SYSTEM_CONTRACTS.values()}
    assert ours == DEPLOYED
    for real in beside.REAL_BLOCK:
        assert {keccak256(code).hex() for code in cachefile.read(real).witness.codes} >= DEPLOYED
