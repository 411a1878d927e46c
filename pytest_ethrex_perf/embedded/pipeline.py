"""One repeat: prepare a database from the witness, then execute the block on it and check every header field.

`execute` covers what ethrex's `add_block_pipeline` covers: validation, execution, merkleization, storing.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pytest_ethrex_perf.embedded.errors import (
    InvalidBlockError,
    InvalidWitnessError,
    MissingHeaderError,
    ReplayError,
)
from pytest_ethrex_perf.embedded.opcodes import EnoughError, Opcodes
from pytest_ethrex_perf.embedded.state import Commit, WitnessState
from pytest_ethrex_perf.embedded.trie import EMPTY_NODE, Node, decode_node, keccak256
from pytest_ethrex_perf.records import rlp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ethrex_perf.embedded.cachefile import CachedBlock
    from pytest_ethrex_perf.embedded.forks import Fork

ADDRESS_SIZE = 20
_PARENT_HASH, _STATE_ROOT = 0, 3  # positions in a header's RLP
STATE_ROOT_MISMATCH = "World State Root does not match the one in the header after executing"


class Phases(NamedTuple):
    """What the parts of one execution took, in ns; their sum is `exec`."""

    validate: int
    exec: int
    merkle: int
    store: int


class Execution(NamedTuple):
    """One execution of the block, whatever it came to."""

    phases: Phases
    opcodes: int
    """Executed for the block itself."""
    extra_opcodes: int
    """Executed for `extra_work`."""
    error: ReplayError | None
    """Why the block is not valid after all: ethrex finds a wrong state root only when all is done."""


class AncestorHashes:
    """Hashes of the block's ancestors as the specs index them: [-1] is the parent's."""

    def __init__(self, number: int, parent_hash: bytes, headers: Iterable[bytes]) -> None:
        by_hash = {keccak256(raw): raw for raw in headers}
        self._number = number
        self._hashes = [parent_hash]
        while self._hashes[-1] in by_hash:
            self._hashes.append(_field(by_hash[self._hashes[-1]], _PARENT_HASH))

    def __getitem__(self, index: Any) -> Any:  # the specs' integers and Hash32
        from ethereum.crypto.hash import Hash32

        distance = -int(index)
        if distance > len(self._hashes):
            raise MissingHeaderError(self._number - distance)
        return Hash32(self._hashes[distance - 1])


class Block:
    """A cached block in the types of its fork, made once per process."""

    def __init__(self, cached: CachedBlock, fork: Fork) -> None:
        """Raise `InvalidBlockError` for fields that do not fit their types."""
        from ethereum_rlp import rlp as spec_rlp
        from ethereum_rlp.exceptions import RLPException

        self.cached = cached
        self.fork = fork
        try:
            self.header = spec_rlp.decode_to(fork.blocks.Header, cached.header)
            self.transactions = tuple(
                spec_rlp.decode_to(fork.transactions.LegacyTransaction, raw) if raw[0] >= rlp.LIST else raw
                for raw in cached.transactions
            )
            self.withdrawals = tuple(
                spec_rlp.decode_to(fork.blocks.Withdrawal, raw) for raw in cached.withdrawals
            )
        except RLPException as error:
            raise InvalidBlockError(str(error)) from error


class Database:
    """What `prepare` makes of a witness: nodes, codes and headers by hash, and the block's pre-state root."""

    def __init__(self, block: Block) -> None:
        """Decode the witness and look up every account that it names, or without names all that it leads to.

        Raises `MissingHeaderError` without the parent's header, `MissingNodeError` without the nodes that
        lead to a named account, `InvalidWitnessError` for bytes that are not what they should be.
        """
        from ethereum_rlp import rlp as spec_rlp
        from ethereum_rlp.exceptions import RLPException

        cached, witness = block.cached, block.cached.witness
        self.nodes: dict[bytes, Node] = {}
        for raw in witness.state:
            if raw != EMPTY_NODE:
                try:
                    self.nodes[keccak256(raw)] = decode_node(raw)
                except ValueError as error:
                    raise InvalidWitnessError(raw, str(error)) from error
        self.codes: dict[bytes, bytes] = {keccak256(code): code for code in witness.codes}
        self.headers: dict[bytes, bytes] = {keccak256(raw): raw for raw in witness.headers}
        self.written: dict[bytes, bytes] = {}
        """What executing the block adds, by hash."""
        parent = self.headers.get(bytes(block.header.parent_hash))
        if parent is None:
            raise MissingHeaderError(cached.number - 1)
        try:
            self.parent: Any = spec_rlp.decode_to(block.fork.blocks.Header, parent)
        except RLPException as error:
            raise InvalidWitnessError(parent, "not a header of this fork") from error
        self.root = _field(parent, _STATE_ROOT)
        self.account_type = block.fork.types.Account
        state = self.state()
        for key in witness.keys:
            if len(key) == ADDRESS_SIZE:
                state.read_account(key)
        if not witness.keys:
            try:
                state.walk()
            except ValueError as error:
                raise InvalidWitnessError(self.root, str(error)) from error

    def state(self) -> WitnessState:
        """The state before the block, nothing of it read yet."""
        return WitnessState(self.nodes, self.codes, self.root, self.account_type)

    def store(self, commit: Commit, header: bytes) -> None:
        """Keep the block and its post-state."""
        self.written |= commit.nodes
        self.written |= commit.codes
        self.written[keccak256(header)] = header


def execute(block: Block, database: Database, extra_work: float = 0) -> Execution:
    """Execute and check the block. Raises `ReplayError` where it is invalid or its witness is incomplete.

    `extra_work` is a percentage: that many more opcodes are executed, by starting the block again (and again)
    on a state of its own that is thrown away. The block's own result is untouched by it.
    """
    clock = time.perf_counter_ns
    with Opcodes() as opcodes:
        begin = clock()
        _validate(block, database)
        validated = clock()
        state = database.state()
        output = apply(block, database, state)
        own = opcodes.count
        discarded = _discarded_work(block, database, opcodes, extra_work)
        executed = clock()
        _check_output(block, output)
        commit = state.commit()
        for other in discarded:
            other.commit()
        merkleized = clock()
        database.store(commit, block.cached.header)
        stored = clock()
    return Execution(
        phases=Phases(validated - begin, executed - validated, merkleized - executed, stored - merkleized),
        opcodes=own,
        extra_opcodes=opcodes.count - own,
        error=None if commit.root == block.header.state_root else InvalidBlockError(STATE_ROOT_MISMATCH),
    )


def apply(block: Block, database: Database, state: WitnessState) -> Any:  # a fork's BlockOutput
    """Run the block's system calls, transactions, withdrawals and requests on `state`; check nothing yet."""
    from ethereum.exceptions import EthereumException
    from ethereum_rlp.exceptions import RLPException
    from ethereum_types.numeric import U64

    header = block.header
    environment = block.fork.vm.BlockEnvironment(
        chain_id=U64(block.fork.network.chain_id),
        state=state,
        block_gas_limit=header.gas_limit,
        block_hashes=AncestorHashes(block.cached.number, header.parent_hash, database.headers.values()),
        coinbase=header.coinbase,
        number=header.number,
        base_fee_per_gas=header.base_fee_per_gas,
        time=header.timestamp,
        prev_randao=header.prev_randao,
        excess_blob_gas=header.excess_blob_gas,
        parent_beacon_block_root=header.parent_beacon_block_root,
    )
    try:
        return block.fork.rules.apply_body(environment, block.transactions, block.withdrawals)
    except (EthereumException, RLPException) as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise InvalidBlockError(f"Invalid transaction: {reason}") from error


def _validate(block: Block, database: Database) -> None:
    from ethereum.exceptions import EthereumException
    from ethereum_rlp import rlp as spec_rlp

    rules, blocks = block.fork.rules, block.fork.blocks
    limit = getattr(rules, "MAX_RLP_BLOCK_SIZE", None)  # EIP-7934, since Osaka
    if limit is not None:
        whole = blocks.Block(block.header, block.transactions, (), block.withdrawals)
        if len(spec_rlp.encode(whole)) > limit:
            raise InvalidBlockError(f"Maximum block size exceeded: Maximum is {limit} bytes")
    parent = blocks.Block(database.parent, (), (), ())
    chain = rules.BlockChain([parent], None, block.fork.network.chain_id)
    try:
        rules.validate_header(chain, block.header)
    except EthereumException as error:
        reason = f"Invalid Header, validation failed pre-execution: {type(error).__name__} {error}".rstrip()
        raise InvalidBlockError(reason) from error


def _discarded_work(
    block: Block,
    database: Database,
    opcodes: Opcodes,
    percent: float,
) -> list[WitnessState]:
    """Execute `percent` % more opcodes than have been counted, and return the states that they changed."""
    states: list[WitnessState] = []
    opcodes.limit = opcodes.count + round(opcodes.count * percent / 100)
    with contextlib.suppress(EnoughError):
        while opcodes.count < opcodes.limit:
            states.append(database.state())
            apply(block, database, states[-1])
    opcodes.limit = None
    return states


def header_fields(block: Block, output: Any) -> dict[str, object]:  # a fork's BlockOutput
    """Every header field that execution determines, except the state root, by its name in the specs."""
    root = block.fork.trie.root
    return {
        "gas_used": output.block_gas_used,
        "blob_gas_used": output.blob_gas_used,
        "transactions_root": root(output.transactions_trie),
        "receipt_root": root(output.receipts_trie),
        "bloom": block.fork.bloom.logs_bloom(output.block_logs),
        "withdrawals_root": root(output.withdrawals_trie),
        "requests_hash": block.fork.requests.compute_requests_hash(output.requests),
    }


_MISMATCHES = {
    "blob_gas_used": "Blob gas used doesn't match value in header",
    "transactions_root": "Transactions Root does not match the one in the header after executing",
    "receipt_root": "Receipts Root does not match the one in the header after executing",
    "bloom": "Logs Bloom does not match the one in the header after executing",
    "withdrawals_root": "Withdrawals Root does not match the one in the header after executing",
    "requests_hash": "Requests hash does not match the one in the header after executing",
}


def _check_output(block: Block, output: Any) -> None:  # a fork's BlockOutput
    used, expected = output.block_gas_used, block.header.gas_used
    if used != expected:
        raise InvalidBlockError(f"Gas used doesn't match value in header. Used: {used}, Expected: {expected}")
    for name, value in header_fields(block, output).items():
        if value != getattr(block.header, name):
            raise InvalidBlockError(_MISMATCHES[name])


def _field(header: bytes, position: int) -> bytes:
    """One field of a header that is known by its hash (of any fork: the first fields never moved)."""
    return cast("list[bytes]", rlp.decode(header))[position]
