"""The world of a self-made block before it is executed, and the block as far as its transactions make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_ethrex_perf.embedded import contracts
from pytest_ethrex_perf.embedded.cachefile import to_hex
from pytest_ethrex_perf.embedded.forks import NETWORKS
from pytest_ethrex_perf.embedded.state import encode_account
from pytest_ethrex_perf.embedded.trie import Trie, keccak256, secure_path
from pytest_ethrex_perf.records import rlp
from pytest_ethrex_perf.records.header import encode as encode_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.embedded.draw import Draw

GAS_LIMIT = 60_000_000
BASE_FEE = 10**9
EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"


class Call(NamedTuple):
    """What a transaction does; its gas limit is what it can use at most."""

    to: bytes
    gas: int
    value: int = 0
    data: bytes = b""


@dataclass(frozen=True)
class Account:
    """An account before the block."""

    balance: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)
    nonce: int = 0


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything before a block, and its transactions."""

    draw: Draw
    network: str
    network_in_file: dict[str, str] | str
    """As the cache file has it."""
    number: int
    timestamp: int
    ancestors: int
    keys: Sequence[Any]  # coincurve has no types
    """Of the senders, who send in turn."""
    calls: Sequence[Call]
    alloc: dict[bytes, Account]
    """Without the system contracts."""
    withdrawals: Sequence[dict[str, str]] = ()
    extra_data: bytes = b""
    gas_limit: int = GAS_LIMIT

    def content(self) -> dict[str, Any]:
        """The cache file before execution: a header without results, all of the state as the witness."""
        alloc = self.alloc | {
            bytes.fromhex(address): Account(code=bytes.fromhex(code), nonce=1)
            for address, code in contracts.SYSTEM_CONTRACTS.items()
        }
        root, nodes = _tries(alloc)
        ancestors = self._ancestors(root)
        header = self._header(self.number, keccak256(encode_header(ancestors[-1])))
        return {
            "blocks": [
                {
                    "header": header,
                    "body": {
                        "transactions": self._transactions(),
                        "uncles": [],
                        "withdrawals": list(self.withdrawals),
                    },
                },
            ],
            "witness": {
                "state": [to_hex(raw) for raw in nodes],
                "keys": [],
                "codes": sorted({to_hex(account.code) for account in alloc.values() if account.code}),
                "headers": [to_hex(encode_header(header)) for header in ancestors],
            },
            "network": self.network_in_file,
        }

    def _ancestors(self, state_root: bytes) -> list[dict[str, str]]:
        """Headers of the block's ancestors, oldest first; the parent's state is the block's pre-state."""
        headers: list[dict[str, str]] = []
        for number in range(self.number - self.ancestors, self.number):
            parent = keccak256(encode_header(headers[-1])) if headers else self.draw.digest("ancestor")
            header = self._header(number, parent)
            header["stateRoot"] = to_hex(self.draw.digest("state root", number))
            header["gasUsed"] = hex(self.gas_limit // 2)  # the target: the base fee stays as it is
            headers.append(header)
        headers[-1]["stateRoot"] = to_hex(state_root)
        return headers

    def _header(self, number: int, parent: bytes) -> dict[str, str]:
        """A header, with roots and results that are still to be filled in."""
        zero = "0x" + "00" * 32
        return {
            "parentHash": to_hex(parent),
            "sha3Uncles": EMPTY_UNCLES,
            "miner": to_hex(self.draw.address("coinbase")),
            "stateRoot": zero,
            "transactionsRoot": zero,
            "receiptsRoot": zero,
            "logsBloom": "0x" + "00" * 256,
            "difficulty": "0x0",
            "number": hex(number),
            "gasLimit": hex(self.gas_limit),
            "gasUsed": "0x0",
            "timestamp": hex(self.timestamp - 12 * (self.number - number)),
            "extraData": to_hex(self.extra_data),
            "mixHash": to_hex(self.draw.digest("randao", number)),
            "nonce": "0x0000000000000000",
            "baseFeePerGas": hex(BASE_FEE),
            "withdrawalsRoot": zero,
            "blobGasUsed": "0x0",
            "excessBlobGas": "0x0",
            "parentBeaconBlockRoot": to_hex(self.draw.digest("beacon", number)),
            "requestsHash": zero,
        }

    def _transactions(self) -> list[dict[str, Any]]:
        """The calls as signed EIP-1559 transactions, in ethrex's JSON."""
        chain_id = NETWORKS[self.network].chain_id
        nonces = [0] * len(self.keys)
        transactions = []
        for index, call in enumerate(self.calls):
            sender = index % len(self.keys)
            tip = 1 + self.draw.number(10**9, "tip", index)
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
            parity, r, s = _sign(self.keys[sender], unsigned)
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


def _tries(alloc: dict[bytes, Account]) -> tuple[bytes, list[bytes]]:
    """The root and all nodes of the state trie and the storage tries."""
    nodes: dict[bytes, bytes] = {}
    state = Trie({})
    for address, account in alloc.items():
        storage = Trie({})
        for slot, value in account.storage.items():
            storage.set(secure_path(words(slot)), rlp.encode(rlp.integer(value)))
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
    return signature[64], int_of(signature[:32]), int_of(signature[32:64])


def address_of(key: Any) -> bytes:  # coincurve has no types
    """Return the address of a private key."""
    return keccak256(key.public_key.format(compressed=False)[1:])[12:]


def balance_slot(address: bytes) -> int:
    """Return the slot of the token's balance of `address`: its mapping is at slot 0."""
    return int_of(keccak256(words(int_of(address), 0)))


def words(*numbers: int) -> bytes:
    """Return numbers as EVM words, 32 bytes each."""
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def int_of(data: bytes) -> int:
    """Return what bytes are as a number, high byte first."""
    return int.from_bytes(data, "big")
