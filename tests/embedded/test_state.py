"""The journal over a partial trie behaves as the specs' own state: Cancun's, which nothing here replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ethereum.crypto.hash import keccak256
from ethereum.forks.cancun import state as spec
from ethereum.forks.cancun.fork_types import Account, Address
from ethereum_types.bytes import Bytes32
from ethereum_types.numeric import U256, Uint
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.embedded import forks
from pytest_ethrex_perf.embedded import state as ours
from pytest_ethrex_perf.embedded.errors import MissingCodeError
from pytest_ethrex_perf.embedded.trie import Trie, decode_node, secure_path
from pytest_ethrex_perf.records import rlp

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESSES = [Address(bytes((i,)) * 20) for i in range(3)]
KEYS = [Bytes32(bytes((i,)) * 32) for i in range(2)]
CODE = b"\x60\x00"

addresses, keys, values = st.sampled_from(ADDRESSES), st.sampled_from(KEYS), st.integers(0, 3)
WORLD = st.dictionaries(addresses, st.dictionaries(keys, st.integers(1, 3)), max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin")),
        st.tuples(st.just("commit")),
        st.tuples(st.just("rollback")),
        st.tuples(st.just("balance"), addresses, values),
        st.tuples(st.just("code"), addresses, st.sampled_from([b"", CODE, b"\xef\x01\x00"])),
        st.tuples(st.just("storage"), addresses, keys, values),
        st.tuples(st.just("transient"), addresses, keys, values),
        st.tuples(st.just("create"), addresses),
        st.tuples(st.just("destroy"), addresses),
    ),
    max_size=25,
)


def account(code: bytes = CODE) -> Account:
    return Account(nonce=Uint(1), balance=U256(1), code=code)


def spec_world(world: dict[Address, dict[Bytes32, int]]) -> spec.State:
    state = spec.State()
    for address, storage in world.items():
        spec.set_account(state, address, account())
        for key, value in storage.items():
            spec.set_storage(state, address, key, U256(value))
    return state


def our_world(world: dict[Address, dict[Bytes32, int]]) -> ours.WitnessState:
    raw: dict[bytes, bytes] = {}
    accounts = Trie({})
    for address, slots in world.items():
        storage = Trie({})
        for key, value in slots.items():
            storage.set(secure_path(key), rlp.encode(rlp.integer(value)))
        root, fresh = storage.commit()
        raw |= fresh
        accounts.set(secure_path(address), ours.encode_account(account(), root, keccak256(CODE)))
    root, fresh = accounts.commit()
    nodes = {digest: decode_node(data) for digest, data in (raw | fresh).items()}
    return ours.WitnessState(nodes, {bytes(keccak256(CODE)): CODE}, root, Account)


class Subject:
    """One of the two implementations, behind the same few steps."""

    def __init__(self, module: Any, state: Any, set_account: Callable[..., None]) -> None:
        self.module, self.state, self._set_account = module, state, set_account
        self.transient = module.TransientStorage()

    def do(self, step: tuple[Any, ...], *, depth: int) -> None:
        match step:
            case ("begin",):
                self.module.begin_transaction(self.state, self.transient)
            case ("commit",) if depth:
                self.module.commit_transaction(self.state, self.transient)
            case ("rollback",) if depth:
                self.module.rollback_transaction(self.state, self.transient)
            case ("balance", address, value):
                self._set_account(self.state, address, Account(Uint(0), U256(value), CODE))
            case ("code", address, code):
                self._set_account(self.state, address, account(code))
            case ("storage", address, key, value) if self.account(address) is not None:
                self.module.set_storage(self.state, address, key, U256(value))
            case ("transient", address, key, value):
                self.module.set_transient_storage(self.transient, address, key, U256(value))
            case ("create", address) if depth:
                # as `process_create_message`: what was there is wiped, and the account is marked
                self.module.destroy_storage(self.state, address)
                self.state.created_accounts.add(address)
            case ("destroy", address) if not depth:
                self.module.destroy_storage(self.state, address)
                self._set_account(self.state, address, None)

    def account(self, address: Address) -> Any:
        return self.module.get_account_optional(self.state, address)

    def view(self, *, depth: int) -> list[object]:
        module, state = self.module, self.state
        originals = [
            module.get_storage_original(state, address, key) if depth else None
            for address in ADDRESSES
            for key in KEYS
        ]
        return [
            *(self.account(address) for address in ADDRESSES),
            *(module.get_storage(state, address, key) for address in ADDRESSES for key in KEYS),
            *(module.get_transient_storage(self.transient, a, key) for a in ADDRESSES for key in KEYS),
            *originals,
        ]


A, K = ADDRESSES[0], KEYS[0]


@given(WORLD, STEPS)
@example({A: {}}, [("begin",), ("storage", A, K, 2), ("begin",), ("storage", A, K, 3), ("rollback",)])
@example({A: {K: 1}}, [("storage", A, K, 0)])
@example({A: {K: 1}}, [("begin",), ("create", A), ("storage", A, K, 2), ("commit",), ("begin",)])
def test_any_steps_give_the_values_and_the_root_of_the_specs(
    world: dict[Address, dict[Bytes32, int]], steps: list[tuple[Any, ...]]
) -> None:
    theirs = Subject(spec, spec_world(world), spec.set_account)
    mine = Subject(ours, our_world(world), ours.set_account)
    depth = 0
    for step in steps:
        for subject in (theirs, mine):
            subject.do(step, depth=depth)
        change = {"begin": 1, "commit": -1, "rollback": -1}.get(step[0], 0)
        depth = max(0, depth + change)
        assert mine.view(depth=depth) == theirs.view(depth=depth)
        for address in ADDRESSES:
            if spec.account_has_storage(theirs.state, address):
                assert ours.account_has_storage(mine.state, address)
    for _ in range(depth):
        for subject in (theirs, mine):
            subject.do(("commit",), depth=1)
    assert mine.state.commit().root == spec.state_root(theirs.state)


def test_code_that_the_witness_lacks_is_known_by_its_hash_and_refused_when_read() -> None:
    state = our_world({ADDRESSES[0]: {}})
    state._codes = {}
    code = ours.get_account_optional(state, ADDRESSES[0]).code
    digest = bytes(keccak256(CODE))
    assert code != b""
    assert code
    assert ours.code_hash(code) == digest
    for read in (len, lambda absent: absent[0]):
        with pytest.raises(MissingCodeError, match=digest.hex()):
            read(code)


def test_an_account_whose_code_was_not_needed_keeps_its_hash() -> None:
    world: dict[Address, dict[Bytes32, int]] = {ADDRESSES[0]: {}, ADDRESSES[1]: {}}
    state, expected = our_world(world), spec_world(world)
    state._codes = {}
    code = ours.get_account_optional(state, ADDRESSES[0]).code
    ours.set_account(state, ADDRESSES[0], Account(Uint(1), U256(9), code))
    spec.set_account(expected, ADDRESSES[0], Account(Uint(1), U256(9), CODE))
    assert state.commit().root == spec.state_root(expected)


def test_extcodehash_needs_no_code() -> None:
    forks.load("hoodi", 1_750_000_000)
    from ethereum.forks.prague.vm.instructions import environment

    hashed = vars(environment)["keccak256"](ours.AbsentCode(b"\x07" * 32))
    assert hashed == b"\x07" * 32


def test_every_fork_of_the_schedule_uses_the_witness_state() -> None:
    for name, since in forks.NETWORKS["hoodi"].schedule.items():
        fork = forks.load("hoodi", since)
        assert fork.name == name
        assert fork.rules.TransientStorage is ours.TransientStorage
        assert fork.rules.set_account_balance.__globals__["set_account"] is ours.set_account
