from __future__ import annotations

from typing import Any

import pytest
from ethereum.forks.prague.trie import Trie as SpecTrie
from ethereum.forks.prague.trie import root as spec_root
from ethereum.forks.prague.trie import trie_set
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.embedded.errors import MissingNodeError
from pytest_ethrex_perf.embedded.trie import (
    EMPTY_ROOT,
    Node,
    Trie,
    decode_node,
    keccak256,
    nibbles,
    secure_path,
)

# two-byte keys of few nibbles: long shared prefixes, branches that collapse, nodes that embed
KEYS = st.sampled_from(
    [bytes((a, b)) for a in (0x00, 0x01, 0x10, 0x11, 0xA0) for b in (0x00, 0x01, 0x0F, 0xF0)]
)
VALUES = st.binary(min_size=1, max_size=40)
STEPS = st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=30)


def expected_root(values: dict[bytes, bytes], *, secured: bool = False) -> bytes:
    trie: Any = SpecTrie(secured=secured, default=b"")
    for key, value in values.items():
        trie_set(trie, key, value)
    return bytes(spec_root(trie))


def build(values: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, Node]]:
    trie = Trie({})
    for key, value in values.items():
        trie.set(nibbles(key), value)
    root, fresh = trie.commit()
    return root, {digest: decode_node(raw) for digest, raw in fresh.items()}


class Recorded(dict[bytes, Node]):
    def __init__(self, nodes: dict[bytes, Node]) -> None:
        super().__init__(nodes)
        self.needed: set[bytes] = set()

    def __getitem__(self, node: bytes) -> Node:
        self.needed.add(node)
        return super().__getitem__(node)


@given(STEPS)
def test_the_root_after_any_updates_and_deletes_is_that_of_the_specs(
    steps: list[tuple[bytes, bytes | None]],
) -> None:
    trie = Trie({})
    values: dict[bytes, bytes] = {}
    for key, value in steps:
        if value is None:
            trie.delete(nibbles(key))
            values.pop(key, None)
        else:
            trie.set(nibbles(key), value)
            values[key] = value
    assert trie.commit()[0] == expected_root(values)
    assert {key: trie.get(nibbles(key)) for key in values} == values


@given(st.dictionaries(KEYS, VALUES, min_size=1), STEPS, st.lists(KEYS))
def test_the_nodes_that_were_needed_are_enough_for_the_same_reads_updates_and_root(
    before: dict[bytes, bytes],
    steps: list[tuple[bytes, bytes | None]],
    reads: list[bytes],
) -> None:
    root, nodes = build(before)
    after = {**before, **dict(steps)}

    def work(trie: Trie) -> bytes:
        assert [trie.get(nibbles(key)) for key in reads] == [before.get(key) for key in reads]
        for key, value in after.items():
            if value is not None and value != before.get(key):
                trie.set(nibbles(key), value)
        for key, value in after.items():
            if value is None:
                trie.delete(nibbles(key))
        return trie.commit()[0]

    recorded = Recorded(nodes)
    expected = expected_root({key: value for key, value in after.items() if value is not None})
    assert work(Trie(recorded, root)) == expected
    witness = {digest: nodes[digest] for digest in recorded.needed}
    assert work(Trie(witness, root)) == expected


@given(st.dictionaries(KEYS, VALUES, min_size=1))
def test_without_a_node_the_path_through_it_is_refused_and_others_are_not(values: dict[bytes, bytes]) -> None:
    root, nodes = build(values)
    for missing in nodes:
        trie = Trie({digest: node for digest, node in nodes.items() if digest != missing}, root)
        refusals = []
        for key, value in values.items():
            try:
                assert trie.get(nibbles(key)) == value
            except MissingNodeError as error:
                refusals.append(str(error))
        assert refusals
        assert all(missing.hex() in refusal for refusal in refusals)


def test_a_delete_that_collapses_a_branch_needs_the_sibling_that_is_left() -> None:
    values = {b"\x10\x00": b"a" * 40, b"\x20\x00": b"b" * 40}
    root, nodes = build(values)
    sibling = next(digest for digest in nodes if digest != root and b"b" * 40 in leaf_value(nodes[digest]))
    trie = Trie({digest: node for digest, node in nodes.items() if digest != sibling}, root)
    with pytest.raises(MissingNodeError, match=sibling.hex()):
        trie.delete(nibbles(b"\x10\x00"))


def leaf_value(node: Node) -> bytes:
    return getattr(node, "value", b"")


def test_deleting_everything_leaves_the_empty_root() -> None:
    trie = Trie({})
    trie.set(nibbles(b"ab"), b"1")
    trie.delete(nibbles(b"ab"))
    assert trie.commit() == (EMPTY_ROOT, {})


def test_deleting_what_is_not_there_changes_nothing() -> None:
    root, nodes = build({b"ab": b"1" * 40, b"xy": b"2" * 40})
    trie = Trie(nodes, root)
    trie.delete(nibbles(b"aa"))
    assert trie.commit() == (root, {})


def test_secure_paths_give_the_root_of_the_specs_secured_trie() -> None:
    values = {bytes((i,)) * 20: bytes((i,)) * 33 for i in range(1, 60)}
    trie = Trie({})
    for key, value in values.items():
        trie.set(secure_path(key), value)
    assert trie.commit()[0] == expected_root(values, secured=True)


def test_a_change_leaves_decoded_nodes_alone() -> None:
    root, nodes = build({b"ab": b"1" * 40, b"xy": b"2" * 40})
    for _ in range(2):
        trie = Trie(nodes, root)
        assert trie.get(nibbles(b"ab")) == b"1" * 40
        trie.set(nibbles(b"ab"), b"3" * 40)
        trie.delete(nibbles(b"xy"))


@pytest.mark.parametrize(
    "raw", [b"\x80", b"\xc0", b"\xc2\x20", b"\xc3\x01\x02\x03", b"\xc2\x80\x01", b"\xc2\x00\x01"]
)
def test_what_is_not_a_node_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not"):
        decode_node(raw)


def test_keccak_is_the_one_before_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
