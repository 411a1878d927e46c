"""One block of one network, or one custom workload."""

from __future__ import annotations

from typing import NamedTuple

from pytest_ethrex_perf.records import workload as workloads


class BlockId(NamedTuple):
    """One block of one network; `str()` is the form used everywhere, `mainnet/24443168`.

    A custom workload is block 1 of the network `workload`, and its parameters are a part of what it is:
    `workload/keccak,gas=30M,seed=0`.
    """

    network: str
    number: int
    workload: str = ""
    """Name and parameters in their canonical form; empty for a block of a network."""

    def __str__(self) -> str:
        return f"{self.network}/{self.workload or self.number}"

    @property
    def name(self) -> str:
        """What it is called in its network, as a part of paths: `24443168`, `keccak-gas30M-seed0`."""
        return self.workload.replace(",", "-").replace("=", "") or str(self.number)

    @property
    def file_name(self) -> str:
        """The beginning of files' names: `mainnet-24443168`, `workload-keccak-gas30M-seed0`."""
        return f"{self.network}-{self.name}"


def of_workload(workload: workloads.Workload) -> BlockId:
    """Return the block of a custom workload."""
    return BlockId(workloads.NETWORK, workloads.BLOCK_NUMBER, str(workload))


class Work(NamedTuple):
    """How much executing a block is, by its header and body: what every invocation must report."""

    gas: int
    txs: int
    """Number of transactions."""
