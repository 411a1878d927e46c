"""A Merkle-Patricia trie of which only a part is known (Ethereum Yellow Paper, appendix D).

A witness holds the nodes that a block reads; every other subtree stays a hash. Reading or changing what is
not there raises `MissingNodeError`: a partial trie never guesses. Updates copy the path they change and leave
decoded nodes alone, so the nodes of a witness can be shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from Crypto.Hash import keccak as _keccak

from pytest_ethrex_perf.embedded.errors import MissingNodeError
from pytest_ethrex_perf.records import rlp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path: TypeAlias = bytes
"""A key's nibbles, one a byte."""


class Leaf:
    """The last node of a path: the rest of the key, and the value."""

    __slots__ = ("path", "value")

    def __init__(self, path: Path, value: bytes) -> None:
        self.path = path
        self.value = value


class Extension:
    """Nibbles that all keys below share."""

    __slots__ = ("child", "path")

    def __init__(self, path: Path, child: Reference) -> None:
        self.path = path
        self.child = child


class Branch:
    """One child for each next nibble. It has no value: all keys of a state trie have the same length."""

    __slots__ = ("children",)

    def __init__(self, children: list[Reference]) -> None:
        self.children = children


Node: TypeAlias = Leaf | Extension | Branch
Reference: TypeAlias = Node | bytes | None
"""What a parent holds: nothing, a node that is new or embedded, or the hash of a node."""

_FROM_HEX = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")
_HASH = 32
_CHILDREN = 16


def keccak256(data: bytes | bytearray) -> bytes:
    """Keccak-256 as Ethereum uses it (not SHA3-256)."""
    return _keccak.new(digest_bits=256, data=data).digest()


EMPTY_NODE = rlp.encode(b"")
EMPTY_ROOT = keccak256(EMPTY_NODE)


def nibbles(key: bytes) -> Path:
    """The nibbles of a key, high one first."""
    return key.hex().encode().translate(_FROM_HEX)


def secure_path(key: bytes) -> Path:
    """The path of an address or a storage slot: state tries hash their keys."""
    return nibbles(keccak256(key))


def decode_node(raw: bytes) -> Node:
    """Read a node's RLP. Raises `ValueError` where it is not a node of a trie with keys of one length."""
    return _node(rlp.decode(raw))


class Trie:
    """A trie over `nodes` (hash -> node), with the root hash `root`."""

    def __init__(self, nodes: Mapping[bytes, Node], root: bytes = EMPTY_ROOT) -> None:
        self._nodes = nodes
        self._root: Reference = None if root == EMPTY_ROOT else root

    def get(self, path: Path) -> bytes | None:
        """The value at `path`, None where the trie proves that there is none."""
        reference, rest = self._root, path
        while reference is not None:
            node = self._resolve(reference, path, rest)
            if type(node) is Branch:
                reference, rest = node.children[rest[0]], rest[1:]
            elif type(node) is Leaf:
                return node.value if node.path == rest else None
            elif type(node) is Extension:
                if not rest.startswith(node.path):
                    return None
                reference, rest = node.child, rest[len(node.path) :]
        return None

    def values(self) -> Iterator[bytes]:
        """Yield every value that can be reached, in order; not what is behind a node that is not there.

        Raises `MissingNodeError` without the root's node.
        """
        if self._root is None:
            return
        waiting: list[Reference] = [self._resolve(self._root, b"", b"")]
        while waiting:
            reference = waiting.pop()
            node = self._nodes.get(reference) if isinstance(reference, bytes) else reference
            if isinstance(node, Leaf):
                yield node.value
            elif isinstance(node, Extension):
                waiting.append(node.child)
            elif isinstance(node, Branch):
                waiting.extend(reversed(node.children))

    def set(self, path: Path, value: bytes) -> None:
        """Store a non-empty value."""
        self._root = self._insert(self._root, path, path, value)

    def delete(self, path: Path) -> None:
        """Remove the value at `path`, if there is one.

        A branch left with one child joins it, which needs that child's node. To need no more than the witness
        promises, do all of `set` before any `delete`: then only joins of the final trie happen.
        """
        self._root = self._remove(self._root, path, path)

    def commit(self) -> tuple[bytes, dict[bytes, bytes]]:
        """Merkleize: return the root hash, and the RLP of the nodes that are new, by hash."""
        fresh: dict[bytes, bytes] = {}
        if self._root is None:
            return EMPTY_ROOT, fresh
        if isinstance(self._root, bytes):
            return self._root, fresh
        raw = _encode(self._root, fresh)
        root = keccak256(raw)
        fresh[root] = raw
        return root, fresh

    def _resolve(self, reference: Node | bytes, path: Path, rest: Path) -> Node:
        if not isinstance(reference, bytes):
            return reference
        try:
            return self._nodes[reference]
        except KeyError:
            raise MissingNodeError(reference, path[: len(path) - len(rest)]) from None

    def _insert(self, reference: Reference, path: Path, rest: Path, value: bytes) -> Node:
        if reference is None:
            return Leaf(rest, value)
        node = self._resolve(reference, path, rest)
        if isinstance(node, Branch):
            children = node.children.copy()
            children[rest[0]] = self._insert(children[rest[0]], path, rest[1:], value)
            return Branch(children)
        shared = _shared(node.path, rest)
        if shared == len(node.path):
            if isinstance(node, Leaf):
                return Leaf(rest, value)
            return Extension(node.path, self._insert(node.child, path, rest[shared:], value))
        children = [None] * _CHILDREN
        below = node.path[shared + 1 :]
        if isinstance(node, Leaf):
            children[node.path[shared]] = Leaf(below, node.value)
        else:
            children[node.path[shared]] = Extension(below, node.child) if below else node.child
        children[rest[shared]] = Leaf(rest[shared + 1 :], value)
        branch = Branch(children)
        return Extension(rest[:shared], branch) if shared else branch

    def _remove(self, reference: Reference, path: Path, rest: Path) -> Reference:
        if reference is None:
            return None
        node = self._resolve(reference, path, rest)
        if isinstance(node, Leaf):
            return None if node.path == rest else reference
        if isinstance(node, Extension):
            if not rest.startswith(node.path):
                return reference
            below = rest[len(node.path) :]
            child = self._remove(node.child, path, below)
            return reference if child is node.child else self._join(node.path, child, path, below)
        return self._remove_below(node, reference, path, rest)

    def _remove_below(self, node: Branch, reference: Reference, path: Path, rest: Path) -> Reference:
        child = self._remove(node.children[rest[0]], path, rest[1:])
        if child is node.children[rest[0]]:
            return reference
        children = node.children.copy()
        children[rest[0]] = child
        left = [nibble for nibble, other in enumerate(children) if other is not None]
        if len(left) > 1:
            return Branch(children)
        return self._join(bytes(left), children[left[0]], path, rest)

    def _join(self, prefix: Path, reference: Reference, path: Path, rest: Path) -> Node | None:
        """Put `prefix` before a node: leaves and extensions take it in, a branch needs an extension."""
        if reference is None:
            return None
        node = self._resolve(reference, path, rest)
        if isinstance(node, Leaf):
            return Leaf(prefix + node.path, node.value)
        if isinstance(node, Extension):
            return Extension(prefix + node.path, node.child)
        return Extension(prefix, reference)


def _shared(left: Path, right: Path) -> int:
    for position, (nibble, other) in enumerate(zip(left, right, strict=False)):
        if nibble != other:
            return position
    return min(len(left), len(right))


def _node(item: rlp.Item) -> Node:
    match item:
        case [*children, b""] if len(children) == _CHILDREN:
            return Branch([_reference(child) for child in children])
        case [bytes(compact), content] if compact:
            # hex prefix: bit 1 of the first nibble marks a leaf, bit 0 an odd number of nibbles
            flagged = nibbles(compact)
            path = flagged[1:] if flagged[0] & 1 else flagged[2:]
            if not flagged[0] & 2:
                return Extension(path, _reference(content))
            if isinstance(content, bytes):
                return Leaf(path, content)
    raise ValueError("not a node of a state trie")


def _reference(item: rlp.Item) -> Reference:
    if isinstance(item, list):
        return _node(item)
    if len(item) not in {0, _HASH}:
        raise ValueError("not a reference to a node")
    return item or None


def _compact(path: Path, flag: int) -> bytes:
    odd = len(path) & 1
    flagged = bytes((flag | odd,)) + (b"" if odd else b"\0") + path
    return bytes.fromhex(flagged.translate(_TO_HEX).decode())


def _encode(node: Node, fresh: dict[bytes, bytes]) -> bytes:
    if isinstance(node, Branch):
        return rlp.wrap(b"".join([_embed(child, fresh) for child in node.children]) + b"\x80")
    if isinstance(node, Leaf):
        return rlp.wrap(rlp.encode(_compact(node.path, 2)) + rlp.encode(node.value))
    return rlp.wrap(rlp.encode(_compact(node.path, 0)) + _embed(node.child, fresh))


def _embed(reference: Reference, fresh: dict[bytes, bytes]) -> bytes:
    """A child as its parent's RLP holds it: a node shorter than a hash stands there itself."""
    if reference is None:
        return b"\x80"
    if isinstance(reference, bytes):
        return b"\xa0" + reference
    raw = _encode(reference, fresh)
    if len(raw) < _HASH:
        return raw
    digest = keccak256(raw)
    fresh[digest] = raw
    return b"\xa0" + digest
