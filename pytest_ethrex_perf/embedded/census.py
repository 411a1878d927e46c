"""What a cached block makes the EVM do: how often each opcode and each precompile runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.embedded import cachefile
from pytest_ethrex_perf.embedded.errors import InvalidBlockError, NoBlockError, ReplayError
from pytest_ethrex_perf.embedded.identity import require
from pytest_ethrex_perf.errors import MeasurementError

if TYPE_CHECKING:
    from pathlib import Path


class Census(NamedTuple):
    """How often something was executed."""

    opcodes: Counter[str]
    """By mnemonic: `SLOAD`, `SSTORE`, …; those of the system's own calls included."""
    precompiles: Counter[int]
    """By address: 1 is ecrecover."""


def take(path: Path) -> Census:
    """Execute the block of a cache file once and count.

    Raises `UsageError` without ethereum-execution, and `MeasurementError`, a clause, for a block that does
    not execute to its gas.
    """
    require()
    from ethereum import trace

    from pytest_ethrex_perf.embedded import forks, pipeline

    census = Census(Counter(), Counter())

    def on_event(evm: object, event: object) -> None:  # noqa: ARG001  # the specs' signature
        if isinstance(event, trace.OpStart):
            census.opcodes[event.op.name] += 1
        elif isinstance(event, trace.PrecompileStart):
            census.precompiles[int.from_bytes(event.address, "big")] += 1

    try:
        cached = cachefile.read(path)
        block = pipeline.Block(cached, forks.load(cached.network, cached.timestamp))
        database = pipeline.Database(block)
        state = database.state()
        before = trace.set_evm_trace(on_event)
        try:
            output = pipeline.apply(block, database, state)
        finally:
            trace.set_evm_trace(before)
        if int(output.block_gas_used) != cached.gas_used:
            raise InvalidBlockError(f"it uses {output.block_gas_used} gas, its header says {cached.gas_used}")
    except (ReplayError, OSError, ValueError, NoBlockError) as error:
        raise MeasurementError(f"the embedded program can't execute it: {error}") from None
    return census
