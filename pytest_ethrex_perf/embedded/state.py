"""The state of the Ethereum execution specs, backed by a witness instead of by all accounts.

`install` puts the functions below in place of those of a fork's `state` module. Two things differ from the
originals, neither of them visible to the rules of the fork: accounts and slots are read from a partial trie
when first needed, and a call frame that reverts is undone from a journal, not from a copy of everything.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias, cast

from ethereum_types.numeric import U256, Uint

from pytest_ethrex_perf.embedded.errors import MissingCodeError
from pytest_ethrex_perf.embedded.trie import EMPTY_ROOT, Node, Trie, keccak256, secure_path
from pytest_ethrex_perf.records import rlp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

Account: TypeAlias = Any  # each fork has a class of its own: nonce, balance, code
EMPTY_CODE = keccak256(b"")
_ACCOUNT_FIELDS = 4  # nonce, balance, storage root, code hash


class AbsentCode:
    """Stands for code that the witness lacks: known by its hash, not empty, refused when it is looked at."""

    def __init__(self, code_hash: bytes) -> None:
        self.code_hash = code_hash

    def __len__(self) -> NoReturn:
        raise MissingCodeError(self.code_hash)

    def __getitem__(self, index: object) -> NoReturn:
        raise MissingCodeError(self.code_hash)

    def __bool__(self) -> bool:
        return True


class _Stored(NamedTuple):
    """What an account's leaf holds that `Account` does not, and the account as it was read."""

    account: Account
    storage_root: bytes
    code_hash: bytes


class Commit(NamedTuple):
    """What a block adds to the database: by hash, RLP of new trie nodes and new code."""

    root: bytes
    nodes: dict[bytes, bytes]
    codes: dict[bytes, bytes]


class _Accounts(dict[bytes, Account]):
    """Address -> account (None where there is none), read from the state trie when first asked for."""

    def __init__(self, state: WitnessState) -> None:
        super().__init__()
        self._state = state

    def __missing__(self, address: bytes) -> Account:
        stored = self._state.read_account(address)
        account = self[address] = stored.account if stored else None
        return account


class _Storage(dict[bytes, U256]):
    """Slot -> value of one account, read from its storage trie when first asked for; `trie` None: wiped."""

    def __init__(self, trie: Trie | None) -> None:
        super().__init__()
        self.trie = trie
        self.read: dict[bytes, U256] = {}

    def __missing__(self, key: bytes) -> U256:
        raw = self.trie.get(secure_path(key)) if self.trie else None
        value = U256(0) if raw is None else U256.from_be_bytes(cast("bytes", rlp.decode(raw)))
        self[key] = self.read[key] = value
        return value

    def changes(self) -> list[tuple[bytes, U256]]:
        """Slots whose value is not the one in the trie."""
        return [(key, value) for key, value in self.items() if value != self.read[key]]


class _Storages(dict[bytes, _Storage]):
    """Address -> storage, opened when first asked for."""

    def __init__(self, state: WitnessState) -> None:
        super().__init__()
        self._state = state

    def __missing__(self, address: bytes) -> _Storage:
        storage = self[address] = _Storage(Trie(self._state.nodes, self._state.storage_root(address)))
        return storage


class WitnessState:
    """The state that a block executes on: a state root over known nodes and codes, and what changed since.

    `account_type` is the fork's `Account`. Reading what is not in `nodes` raises `MissingNodeError`, looking
    at code that is not in `codes` raises `MissingCodeError`.
    """

    def __init__(
        self,
        nodes: Mapping[bytes, Node],
        codes: Mapping[bytes, bytes],
        root: bytes,
        account_type: type,
    ) -> None:
        self.nodes = nodes
        self._codes = codes
        self._trie = Trie(nodes, root)
        self._account_type = account_type
        self._stored: dict[bytes, _Stored | None] = {}
        self.accounts = _Accounts(self)
        self.storages = _Storages(self)
        self.created_accounts: set[bytes] = set()
        self.originals: dict[tuple[bytes, bytes], U256] = {}
        """Values at the start of the transaction of the slots that it wrote."""
        self._journal: list[tuple[dict[bytes, Any], bytes, Any]] = []
        self._marks: list[int] = []

    def read_account(self, address: bytes) -> _Stored | None:
        """The account in the trie, whatever has been changed since; None where there is none."""
        if address in self._stored:
            return self._stored[address]
        raw = self._trie.get(secure_path(address))
        stored = None
        if raw is not None:
            nonce, balance, storage_root, code_hash = cast("list[bytes]", rlp.decode(raw))
            code = b"" if code_hash == EMPTY_CODE else self._codes.get(code_hash) or AbsentCode(code_hash)
            account = self._account_type(Uint.from_be_bytes(nonce), U256.from_be_bytes(balance), code)
            stored = _Stored(account, storage_root, code_hash)
        self._stored[address] = stored
        return stored

    def walk(self) -> int:
        """Decode every account that the known nodes lead to, as a witness without keys asks for; count them.

        Raises `MissingNodeError` without the root's node, and ValueError for a leaf that is no account.
        """
        accounts = [rlp.decode(raw) for raw in self._trie.values()]
        if any(len(account) != _ACCOUNT_FIELDS for account in accounts):
            raise ValueError("a leaf of the state trie is not an account")
        return len(accounts)

    def storage_root(self, address: bytes) -> bytes:
        """Root of an account's storage before the block."""
        stored = self.read_account(address)
        return stored.storage_root if stored else EMPTY_ROOT

    def write(self, mapping: dict[bytes, Any], key: bytes, value: object) -> None:
        """Change an entry that has been read, so that a rollback can undo it."""
        if self._marks:
            self._journal.append((mapping, key, mapping[key]))
        mapping[key] = value

    def begin(self) -> None:
        """Open a call frame; the first one of a transaction makes the present values the original ones."""
        if not self._marks:
            self.originals.clear()
        self._marks.append(len(self._journal))

    def end(self, *, undo: bool) -> None:
        """Close a call frame, keeping or undoing its changes."""
        mark = self._marks.pop()
        if undo:
            while len(self._journal) > mark:
                mapping, key, value = self._journal.pop()
                mapping[key] = value
        if not self._marks:
            self._journal.clear()
            self.created_accounts.clear()

    def commit(self) -> Commit:
        """Merkleize what has changed: the post-state root and the nodes and codes that are new.

        Meant to be called once. Values are set before others are deleted: see `Trie.delete`.
        """
        nodes: dict[bytes, bytes] = {}
        codes: dict[bytes, bytes] = {}
        gone: list[bytes] = []
        for address, account in self.accounts.items():
            stored = self._stored[address]
            changes = self.storages[address].changes() if address in self.storages else []
            wiped = address in self.storages and self.storages[address].trie is None
            if account is (stored.account if stored else None) and not changes and not wiped:
                continue
            if account is None:
                gone.append(address)
                continue
            root = self._storage_root_after(address, changes, nodes)
            if stored and account.code is stored.account.code:
                code_hash = stored.code_hash
            else:
                code_hash = keccak256(account.code)
                codes[code_hash] = account.code
            self._trie.set(secure_path(address), encode_account(account, root, code_hash))
        for address in gone:
            self._trie.delete(secure_path(address))
        root, fresh = self._trie.commit()
        return Commit(root, nodes | fresh, codes)

    def _storage_root_after(
        self,
        address: bytes,
        changes: list[tuple[bytes, U256]],
        nodes: dict[bytes, bytes],
    ) -> bytes:
        if address not in self.storages:
            return self.storage_root(address)
        trie = self.storages[address].trie or Trie(self.nodes)
        for key, value in changes:
            if value != 0:
                trie.set(secure_path(key), rlp.encode(rlp.integer(value)))
        for key, value in changes:
            if value == 0:
                trie.delete(secure_path(key))
        root, fresh = trie.commit()
        nodes.update(fresh)
        return root


def encode_account(account: Account, storage_root: bytes, code_hash: bytes) -> bytes:
    """Encode an account as its leaf in the state trie holds it (Yellow Paper, section 4.1)."""
    return rlp.encode([rlp.integer(account.nonce), rlp.integer(account.balance), storage_root, code_hash])


def install(fork: str) -> None:
    """Make the loaded modules of `ethereum.forks.<fork>` use `WitnessState` (once per process and fork).

    Raises `AttributeError` where the fork's `state` module lacks what is replaced: then the installed release
    of ethereum-execution is laid out in another way.
    """
    package = f"ethereum.forks.{fork}"
    originals = {name: getattr(sys.modules[f"{package}.state"], name) for name in _REPLACEMENTS}
    environment = sys.modules[f"{package}.vm.instructions.environment"]
    for module in [module for name, module in sys.modules.items() if name.startswith(f"{package}.")]:
        _replace(module, originals)
    # EXTCODEHASH needs no code: its account's hash is known
    environment.__dict__["keccak256"] = code_hash


def _replace(module: ModuleType, originals: dict[str, object]) -> None:
    for name, original in originals.items():
        if module.__dict__.get(name) is original:
            setattr(module, name, _REPLACEMENTS[name])


def code_hash(code: bytes | AbsentCode) -> Any:  # the specs' Hash32
    """Keccak-256 of an account's code, as the specs' EXTCODEHASH computes it."""
    from ethereum.crypto.hash import Hash32

    return Hash32(code.code_hash if isinstance(code, AbsentCode) else keccak256(code))


class TransientStorage:
    """Storage that lasts for one transaction (EIP-1153)."""

    def __init__(self) -> None:
        self.values: dict[tuple[bytes, bytes], U256] = {}
        self.snapshots: list[dict[tuple[bytes, bytes], U256]] = []


def get_transient_storage(transient_storage: TransientStorage, address: bytes, key: bytes) -> U256:
    """Value of a transient slot, 0 where it was never set."""
    return transient_storage.values.get((address, key), U256(0))


def set_transient_storage(
    transient_storage: TransientStorage,
    address: bytes,
    key: bytes,
    value: U256,
) -> None:
    """Set a transient slot."""
    transient_storage.values[address, key] = value


def begin_transaction(state: WitnessState, transient_storage: TransientStorage) -> None:
    """Open a call frame."""
    state.begin()
    transient_storage.snapshots.append(transient_storage.values.copy())


def commit_transaction(state: WitnessState, transient_storage: TransientStorage) -> None:
    """Close a call frame that succeeded."""
    state.end(undo=False)
    transient_storage.snapshots.pop()


def rollback_transaction(state: WitnessState, transient_storage: TransientStorage) -> None:
    """Close a call frame that failed: everything is as it was when it began."""
    state.end(undo=True)
    transient_storage.values = transient_storage.snapshots.pop()


def get_account_optional(state: WitnessState, address: bytes) -> Account:
    """Return the account at `address`, None where there is none."""
    return state.accounts[address]


def set_account(state: WitnessState, address: bytes, account: Account) -> None:
    """Set the account at `address`; None deletes it."""
    state.accounts[address]
    state.write(state.accounts, address, account)


def destroy_storage(state: WitnessState, address: bytes) -> None:
    """Remove all storage of `address`."""
    storage = state.storages[address]
    if storage or state.storage_root(address) != EMPTY_ROOT:
        state.write(state.storages, address, _Storage(trie=None))


def account_has_storage(state: WitnessState, address: bytes) -> bool:
    """Whether `address` has any storage."""
    storage = state.storages[address]
    unread = storage.trie is not None and state.storage_root(address) != EMPTY_ROOT
    return unread or any(value != 0 for value in storage.values())


def get_storage(state: WitnessState, address: bytes, key: bytes) -> U256:
    """Value of a slot, 0 where it was never set."""
    return state.storages[address][key]


def set_storage(state: WitnessState, address: bytes, key: bytes, value: U256) -> None:
    """Set a slot of an account that exists; 0 deletes it."""
    storage = state.storages[address]
    state.originals.setdefault((address, key), storage[key])
    state.write(storage, key, value)


def get_storage_original(state: WitnessState, address: bytes, key: bytes) -> U256:
    """Value of a slot when the transaction began; 0 for an account that the transaction created."""
    if address in state.created_accounts:
        return U256(0)
    original = state.originals.get((address, key))
    return state.storages[address][key] if original is None else original


_REPLACEMENTS: dict[str, object] = {
    replacement.__name__: replacement
    for replacement in (
        TransientStorage,
        get_transient_storage,
        set_transient_storage,
        begin_transaction,
        commit_transaction,
        rollback_transaction,
        get_account_optional,
        set_account,
        destroy_storage,
        account_has_storage,
        get_storage,
        set_storage,
        get_storage_original,
    )
}
