"""The world of a mixed block: transactions of several kinds in turn, drawn from the seed of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coincurve import PrivateKey

from pytest_ethrex_perf.embedded import contracts
from pytest_ethrex_perf.embedded.cachefile import to_hex
from pytest_ethrex_perf.embedded.draw import Draw
from pytest_ethrex_perf.embedded.genesis import (
    GAS_LIMIT,
    Account,
    Call,
    World,
    address_of,
    balance_slot,
    int_of,
    words,
)
from pytest_ethrex_perf.embedded.recipe import NETWORK
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from pytest_ethrex_perf.embedded.recipe import Recipe

BYSTANDERS = 150
"""Accounts that receive, hold the token or do nothing: they give the tries their depth."""
_ANCESTORS = 3


class Mixture:
    """What the seed of a recipe decides."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._draw = Draw(recipe.seed)
        senders = range(1 + recipe.txs // 3)
        self._keys = [PrivateKey(self._draw.digest("sender", number)) for number in senders]
        self._bystanders = [self._draw.address("bystander", number) for number in range(BYSTANDERS)]

    def world(self) -> World:
        """The block and everything before it. Raises `UsageError` for more than a block holds."""
        recipe = self.recipe
        calls = [self._call(index) for index in range(recipe.txs)]
        gas = sum(call.gas for call in calls)
        if gas > GAS_LIMIT:
            raise UsageError(
                f"{recipe.txs} transactions may use {gas} gas, a block holds {GAS_LIMIT}: lower --txs",
            )
        return World(
            draw=self._draw,
            network=NETWORK,
            network_in_file={"PublicNetwork": NETWORK.capitalize()},
            number=recipe.number,
            timestamp=recipe.timestamp,
            ancestors=_ANCESTORS,
            keys=self._keys,
            calls=calls,
            alloc=self._alloc(),
            withdrawals=[
                {
                    "index": hex(1000 + number),
                    "validatorIndex": hex(2000 + number),
                    "address": to_hex(self._bystanders[number]),
                    "amount": hex(10**7 + self._draw.number(10**6, "withdrawal", number)),
                }
                for number in range(4)
            ],
            extra_data=b"ethrex-perf devblock",
        )

    def _call(self, index: int) -> Call:
        """What transaction `index` does. Its gas limit is what its contract can use at most."""
        kind = self.recipe.mix[index % len(self.recipe.mix)]
        contract = self._draw.address("contract", kind)
        fresh = self._draw.number(2, "fresh", index)
        friend = self._draw.address("fresh", index) if fresh else self._bystanders[index % BYSTANDERS]
        if kind == "transfers":
            return Call(friend, gas=21_000, value=1 + self._draw.number(10**15, "value", index))
        if kind == "erc20":
            amount = 1 + self._draw.number(10**6, "amount", index)
            return Call(contract, gas=80_000, data=bytes.fromhex("a9059cbb") + words(int_of(friend), amount))
        if kind == "storage":
            slots = 6 + self._draw.number(6, "slots", index)
            return Call(contract, gas=30_000 + 7_500 * (slots + 1), data=words(slots, index * 64))
        rounds = 10 + self._draw.number(12, "rounds", index)
        return Call(
            contract, gas=30_000 + 150 * rounds, data=words(rounds, int_of(self._draw.digest("start", index)))
        )

    def _alloc(self) -> dict[bytes, Account]:
        """Every account before the block."""
        senders = [address_of(key) for key in self._keys]
        tokens = {balance_slot(address): 10**12 for address in senders + self._bystanders}
        slots = {
            index * 64 + offset: 1 + self._draw.number(2**64, "slot", index, offset)
            for index in range(self.recipe.txs)
            for offset in range(12)
            if self.recipe.mix[index % len(self.recipe.mix)] == "storage"
        }
        workloads = {
            "erc20": Account(code=contracts.ERC20, storage=tokens, nonce=1),
            "storage": Account(code=contracts.STORAGE, storage=slots, nonce=1),
            "keccak": Account(code=contracts.KECCAK, nonce=1),
        }
        return {
            **{address: Account(balance=10**19) for address in senders},
            **{
                address: Account(balance=1 + self._draw.number(10**18, "balance", number))
                for number, address in enumerate(self._bystanders)
            },
            **{self._draw.address("contract", kind): account for kind, account in workloads.items()},
        }
