"""Which fork's rules a block follows, and the modules of the execution specs that hold them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from pytest_ethrex_perf.embedded.errors import UnsupportedError
from pytest_ethrex_perf.records.workload import DEVNET


class Network(NamedTuple):
    """A public network: what ethrex's chain configuration says of it."""

    chain_id: int
    deposit_contract: str
    schedule: dict[str, int]
    """Fork -> activation timestamp, oldest first."""


_MAINNET_DEPOSITS = "00000000219ab540356cbb839cbe05303d7705fa"
NETWORKS = {
    "mainnet": Network(
        chain_id=1,
        deposit_contract=_MAINNET_DEPOSITS,
        schedule={"prague": 1746612311, "osaka": 1764798551, "bpo1": 1765290071, "bpo2": 1767747671},
    ),
    "sepolia": Network(
        chain_id=11155111,
        deposit_contract="7f02c3e3c98b133055b8b348b2ac625669ed295d",
        schedule={"prague": 1741159776, "osaka": 1760427360, "bpo1": 1761017184, "bpo2": 1761607008},
    ),
    "holesky": Network(
        chain_id=17000,
        deposit_contract="4242424242424242424242424242424242424242",
        schedule={"prague": 1740434112, "osaka": 1759308480, "bpo1": 1759800000, "bpo2": 1760389824},
    ),
    "hoodi": Network(
        chain_id=560048,
        deposit_contract=_MAINNET_DEPOSITS,
        schedule={"prague": 1742999832, "osaka": 1761677592, "bpo1": 1762365720, "bpo2": 1762955544},
    ),
    DEVNET: Network(chain_id=9, deposit_contract=_MAINNET_DEPOSITS, schedule={"prague": 0}),
}
"""Timestamps: the upgrade schedules in the docstrings of `ethereum.forks.*` 2.20; deposit contracts: EIP-6110
and the networks' published configurations."""


class Fork:
    """The modules of one fork (`blocks`, `fork`, `vm`, …), working on `WitnessState`."""

    def __init__(self, name: str, network: Network) -> None:
        rules = _module(name, "fork")
        from pytest_ethrex_perf.embedded import state

        if rules.TransientStorage is not state.TransientStorage:  # of modules loaded anew, too
            state.install(name)
        self.name = name
        self.network = network
        self.blocks: Any = _module(name, "blocks")
        self.bloom: Any = _module(name, "bloom")
        self.rules: Any = rules
        self.requests: Any = _module(name, "requests")
        self.transactions: Any = _module(name, "transactions")
        self.trie: Any = _module(name, "trie")
        self.types: Any = _module(name, "fork_types")
        self.vm: Any = _module(name, "vm")
        deposits = self.types.Address(bytes.fromhex(network.deposit_contract))
        self.requests.DEPOSIT_CONTRACT_ADDRESS = deposits  # the specs know mainnet's only


def fork_name(network: str, timestamp: int) -> str:
    """Name the fork of a block.

    Raises `UnsupportedError` for a network that is not known and for a time before Prague.
    """
    if network not in NETWORKS:
        raise UnsupportedError(
            f"unknown network {network!r}: the embedded program knows {', '.join(NETWORKS)}"
        )
    active = [fork for fork, since in NETWORKS[network].schedule.items() if since <= timestamp]
    if not active:
        raise UnsupportedError(
            f"the block is older than Prague on {network}: the embedded program cannot replay it"
        )
    return active[-1]


def load(network: str, timestamp: int) -> Fork:
    """Import the fork of a block (0.5 s the first time), and only that. Raises as `fork_name`."""
    return Fork(fork_name(network, timestamp), NETWORKS[network])


def _module(fork: str, name: str) -> Any:
    return import_module(f"ethereum.forks.{fork}.{name}")
