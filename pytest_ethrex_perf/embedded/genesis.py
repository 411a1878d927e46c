"""The world of a self-made block before it is executed, and its transactions: all that the seed decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from coincurve import PrivateKey

from pytest_ethrex_perf.embedded import contracts
from pytest_ethrex_perf.embedded.cachefile import to_hex
from pytest_ethrex_perf.embedded.forks import NETWORKS
from pytest_ethrex_perf.embedded.recipe import NETWORK, Recipe
from pytest_ethrex_perf.embedded.state import encode_account
from pytest_ethrex_perf.embedded.trie import Trie, keccak256, secure_path
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import rlp
from pytest_ethrex_perf.records.header import encode as encode_header

if TYPE_CHECKING:
    from collections.abc import Sequence

GAS_LIMIT = 60_000_000
BASE_FEE = 10**9
ANCESTORS = 3
BYSTANDERS = 150
"""Accounts that receive, hold the token or do nothing: they give the tries their depth."""
EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"


class _Call(NamedTuple):
    to: bytes
    gas: int
    value: int = 0
    data: bytes = b""


@dataclass(frozen=True)
class _Account:
    balance: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)
    nonce: int = 0


class Genesis:
    """The world before the block, and the block's transactions: everything that the seed decides."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._keys = [PrivateKey(self._draw("sender", number)) for number in range(1 + recipe.txs // 3)]
        self._senders = [_address_of(key) for key in self._keys]
        self._bystanders = [self._address("bystander", number) for number in range(BYSTANDERS)]
        self._calls = [self._call(index) for index in range(recipe.txs)]
        gas = sum(call.gas for call in self._calls)
        if gas > GAS_LIMIT:
            raise UsageError(
                f"{recipe.txs} transactions may use {gas} gas, a block holds {GAS_LIMIT}: lower --txs",
            )

    def content(self) -> dict[str, Any]:
        """The cache file before execution: a header without results, all of the state as the witness."""
        alloc = self._alloc()
        root, nodes = _tries(alloc)
        ancestors = self._ancestors(root)
        header = self._header(self.recipe.number, keccak256(encode_header(ancestors[-1])))
        withdrawals = [
            {
                "index": hex(1000 + number),
                "validatorIndex": hex(2000 + number),
                "address": to_hex(self._bystanders[number]),
                "amount": hex(10**7 + self._number(10**6, "withdrawal", number)),
            }
            for number in range(4)
        ]
        return {
            "blocks": [
                {
                    "header": header,
                    "body": {"transactions": self._transactions(), "uncles": [], "withdrawals": withdrawals},
                },
            ],
            "witness": {
                "state": [to_hex(raw) for raw in nodes],
                "keys": [],
                "codes": sorted({to_hex(account.code) for account in alloc.values() if account.code}),
                "headers": [to_hex(encode_header(header)) for header in ancestors],
            },
            "network": {"PublicNetwork": NETWORK.capitalize()},
        }

    def _draw(self, *labels: object) -> bytes:
        return keccak256("/".join(map(str, (self.recipe.seed, *labels))).encode())

    def _number(self, below: int, *labels: object) -> int:
        return int.from_bytes(self._draw(*labels), "big") % below

    def _address(self, *labels: object) -> bytes:
        return self._draw(*labels)[12:]

    def _call(self, index: int) -> _Call:
        """What transaction `index` does. Its gas limit is what its contract can use at most."""
        kind = self.recipe.mix[index % len(self.recipe.mix)]
        contract = self._address("contract", kind)
        fresh = self._number(2, "fresh", index)
        friend = self._address("fresh", index) if fresh else self._bystanders[index % BYSTANDERS]
        if kind == "transfers":
            return _Call(friend, gas=21_000, value=1 + self._number(10**15, "value", index))
        if kind == "erc20":
            amount = 1 + self._number(10**6, "amount", index)
            return _Call(contract, gas=80_000, data=bytes.fromhex("a9059cbb") + _words(_int(friend), amount))
        if kind == "storage":
            slots = 6 + self._number(6, "slots", index)
            return _Call(contract, gas=30_000 + 7_500 * (slots + 1), data=_words(slots, index * 64))
        rounds = 10 + self._number(12, "rounds", index)
        return _Call(
            contract, gas=30_000 + 150 * rounds, data=_words(rounds, _int(self._draw("start", index)))
        )

    def _alloc(self) -> dict[bytes, _Account]:
        """Every account before the block."""
        tokens = {_balance_slot(address): 10**12 for address in self._senders + self._bystanders}
        slots = {
            index * 64 + offset: 1 + self._number(2**64, "slot", index, offset)
            for index in range(self.recipe.txs)
            for offset in range(12)
            if self.recipe.mix[index % len(self.recipe.mix)] == "storage"
        }
        workloads = {
            "erc20": _Account(code=contracts.ERC20, storage=tokens, nonce=1),
            "storage": _Account(code=contracts.STORAGE, storage=slots, nonce=1),
            "keccak": _Account(code=contracts.KECCAK, nonce=1),
        }
        return {
            **{address: _Account(balance=10**19) for address in self._senders},
            **{
                address: _Account(balance=1 + self._number(10**18, "balance", number))
                for number, address in enumerate(self._bystanders)
            },
            **{self._address("contract", kind): account for kind, account in workloads.items()},
            **{
                bytes.fromhex(address): _Account(code=bytes.fromhex(code), nonce=1)
                for address, code in contracts.SYSTEM_CONTRACTS.items()
            },
        }

    def _ancestors(self, state_root: bytes) -> list[dict[str, str]]:
        """Headers of the block's ancestors, oldest first; the parent's state is the block's pre-state."""
        headers: list[dict[str, str]] = []
        for number in range(self.recipe.number - ANCESTORS, self.recipe.number):
            parent = keccak256(encode_header(headers[-1])) if headers else self._draw("ancestor")
            header = self._header(number, parent)
            header["stateRoot"] = to_hex(self._draw("state root", number))
            header["gasUsed"] = hex(GAS_LIMIT // 2)  # the target: the base fee stays as it is
            headers.append(header)
        headers[-1]["stateRoot"] = to_hex(state_root)
        return headers

    def _header(self, number: int, parent: bytes) -> dict[str, str]:
        """A header, with roots and results that are still to be filled in."""
        zero = "0x" + "00" * 32
        return {
            "parentHash": to_hex(parent),
            "sha3Uncles": EMPTY_UNCLES,
            "miner": to_hex(self._address("coinbase")),
            "stateRoot": zero,
            "transactionsRoot": zero,
            "receiptsRoot": zero,
            "logsBloom": "0x" + "00" * 256,
            "difficulty": "0x0",
            "number": hex(number),
            "gasLimit": hex(GAS_LIMIT),
            "gasUsed": "0x0",
            "timestamp": hex(self.recipe.timestamp - 12 * (self.recipe.number - number)),
            "extraData": to_hex(b"ethrex-perf devblock"),
            "mixHash": to_hex(self._draw("randao", number)),
            "nonce": "0x0000000000000000",
            "baseFeePerGas": hex(BASE_FEE),
            "withdrawalsRoot": zero,
            "blobGasUsed": "0x0",
            "excessBlobGas": "0x0",
            "parentBeaconBlockRoot": to_hex(self._draw("beacon", number)),
            "requestsHash": zero,
        }

    def _transactions(self) -> list[dict[str, Any]]:
        """The calls as signed EIP-1559 transactions, in ethrex's JSON."""
        chain_id = NETWORKS[NETWORK].chain_id
        nonces = [0] * len(self._keys)
        transactions = []
        for index, call in enumerate(self._calls):
            sender = index % len(self._keys)
            tip = 1 + self._number(10**9, "tip", index)
            unsigned = [
                chain_id,
                nonces[sender],
                tip,
                3 * BASE_FEE,
                call.gas,
                call.to,
                call.value,
                call.data,
                [],
            ]
            parity, r, s = _sign(self._keys[sender], unsigned)
            transactions.append(
                {
                    "type": "0x2",
                    "nonce": hex(nonces[sender]),
                    "to": to_hex(call.to),
                    "gas": hex(call.gas),
                    "value": hex(call.value),
                    "input": to_hex(call.data),
                    "maxPriorityFeePerGas": hex(tip),
                    "maxFeePerGas": hex(3 * BASE_FEE),
                    "gasPrice": hex(3 * BASE_FEE),
                    "accessList": [],
                    "chainId": hex(chain_id),
                    "yParity": hex(parity),
                    "v": hex(parity),
                    "r": hex(r),
                    "s": hex(s),
                },
            )
            nonces[sender] += 1
        return transactions


def _tries(alloc: dict[bytes, _Account]) -> tuple[bytes, list[bytes]]:
    """The root and all nodes of the state trie and the storage tries."""
    nodes: dict[bytes, bytes] = {}
    state = Trie({})
    for address, account in alloc.items():
        storage = Trie({})
        for slot, value in account.storage.items():
            storage.set(secure_path(_words(slot)), rlp.encode(rlp.integer(value)))
        root, fresh = storage.commit()
        nodes |= fresh
        state.set(secure_path(address), encode_account(account, root, keccak256(account.code)))
    root, fresh = state.commit()
    nodes |= fresh
    return root, list(nodes.values())


def _sign(key: Any, unsigned: Sequence[Any]) -> tuple[int, int, int]:  # coincurve has no types
    """Parity, r and s of a type 2 transaction (RFC 6979: the same every time)."""
    fields = [rlp.integer(field) if isinstance(field, int) else field for field in unsigned]
    signature = key.sign_recoverable(keccak256(b"\x02" + rlp.encode(fields)), hasher=None)
    return signature[64], _int(signature[:32]), _int(signature[32:64])


def _address_of(key: Any) -> bytes:  # coincurve has no types
    return keccak256(key.public_key.format(compressed=False)[1:])[12:]


def _balance_slot(address: bytes) -> int:
    return _int(keccak256(_words(_int(address), 0)))


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def _int(data: bytes) -> int:
    return int.from_bytes(data, "big")
