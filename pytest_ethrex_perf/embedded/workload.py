"""The blocks of custom workloads: one kind of transaction each, as ethrex-replay's `custom block` makes them.

The same workload gives the same bytes, on every machine. They are not the blocks that ethrex-replay makes of
the same name: those of one program are compared with themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coincurve import PrivateKey

from pytest_ethrex_perf.embedded import contracts
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
from pytest_ethrex_perf.embedded.recipe import TIMESTAMP
from pytest_ethrex_perf.records.workload import BLOCK_NUMBER, DEVNET, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

_BALANCE = 10**30  # as the devnet's rich accounts have
_INTRINSIC = 21_000


class _Kind(NamedTuple):
    """One workload: what its transactions do, and what they take."""

    call: Callable[[Draw, bytes, int, int], Call]
    """The transaction of an index, to the contract, for so many turns of its loop."""
    fixed_gas: int
    turn_gas: int = 0
    """Of one turn of the loop; 0 where there is none."""
    code: bytes = b""


def _transfer(draw: Draw, _: bytes, index: int, __: int) -> Call:
    return Call(draw.address("recipient", index), gas=_INTRINSIC, value=1)


def _erc20(draw: Draw, contract: bytes, index: int, _: int) -> Call:
    to = int_of(draw.address("recipient", index))
    return Call(contract, gas=80_000, data=bytes.fromhex("a9059cbb") + words(to, 1))


def _keccak(draw: Draw, contract: bytes, index: int, turns: int) -> Call:
    data = words(turns, int_of(draw.digest("start", index)))
    return Call(contract, gas=25_000 + 850 * turns, data=data)


def _sstore(_: Draw, contract: bytes, index: int, turns: int) -> Call:
    return Call(contract, gas=25_000 + 22_500 * turns, data=words(turns, 1 + index * turns))


_KINDS = {
    "eth-transfer": _Kind(_transfer, fixed_gas=_INTRINSIC),
    "erc20-transfer": _Kind(_erc20, fixed_gas=51_000, code=contracts.ERC20),
    "keccak": _Kind(_keccak, fixed_gas=22_300, turn_gas=834, code=contracts.HASHES),
    "sstore-fresh": _Kind(_sstore, fixed_gas=21_450, turn_gas=22_150, code=contracts.FRESH),
}
"""Gas by what their opcodes cost in Prague; a test compares it with what they use."""
NAMES = tuple(_KINDS)


def world(workload: Workload) -> World:
    """Return the world of a workload's block. Raises KeyError for a name that is not in `NAMES`."""
    kind, draw = _KINDS[workload.name], Draw(workload.seed)
    keys = [PrivateKey(draw.digest("sender", number)) for number in range(workload.senders)]
    contract = draw.address("contract")
    txs, turns = _size(workload, kind)
    calls = [kind.call(draw, contract, index, turns) for index in range(txs)]
    senders = [address_of(key) for key in keys]
    tokens = {balance_slot(address): 10**12 for address in senders}
    target = Account(code=kind.code, storage=tokens if workload.name == "erc20-transfer" else {}, nonce=1)
    return World(
        draw=draw,
        network=DEVNET,
        network_in_file="LocalDevnet",
        number=BLOCK_NUMBER,
        timestamp=TIMESTAMP,
        ancestors=1,
        keys=keys,
        calls=calls,
        alloc={address: Account(balance=_BALANCE) for address in senders}
        | ({contract: target} if kind.code else {}),
        gas_limit=max(GAS_LIMIT, sum(call.gas for call in calls)),
    )


def _size(workload: Workload, kind: _Kind) -> tuple[int, int]:
    """Number of transactions, and of turns that each takes of its loop (0 where it has none)."""
    if not kind.turn_gas:
        return workload.txs or max(1, round((workload.gas or 0) / kind.fixed_gas)), 0
    txs = workload.txs or -(-(workload.gas or 0) // workload.tx_gas)
    each = workload.tx_gas if workload.txs else (workload.gas or 0) / txs
    return txs, max(1, round((each - kind.fixed_gas) / kind.turn_gas))
