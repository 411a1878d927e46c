from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_ethrex_perf.embedded import cachefile, forks, pipeline
from pytest_ethrex_perf.embedded.bundled import BLOCK, bundled_dir
from pytest_ethrex_perf.embedded.devblock import make
from pytest_ethrex_perf.embedded.errors import InvalidBlockError, MissingHeaderError, MissingNodeError
from pytest_ethrex_perf.embedded.opcodes import EnoughError, Opcodes
from pytest_ethrex_perf.embedded.recipe import Recipe
from pytest_ethrex_perf.embedded.trie import keccak256
from tests import beside

if TYPE_CHECKING:
    from pathlib import Path

BUNDLED = cachefile.cache_path(bundled_dir(), BLOCK.network, BLOCK.number)


def load(path: Path) -> pipeline.Block:
    cached = cachefile.read(path)
    return pipeline.Block(cached, forks.load(cached.network, cached.timestamp))


@pytest.fixture(scope="module")
def block() -> pipeline.Block:
    return load(BUNDLED)


@pytest.mark.parametrize(
    ("path", "opcodes", "gas"),
    [(BUNDLED, 8_880, 3_087_520), *((path, 111_652, 4_402_947) for path in beside.REAL_BLOCK)],
)
def test_a_block_replays_with_every_root_equal(path: Path, opcodes: int, gas: int) -> None:
    block = load(path)
    execution = pipeline.execute(block, pipeline.Database(block))
    assert execution.error is None
    assert execution.opcodes == opcodes
    assert block.cached.gas_used == gas


@pytest.mark.parametrize("path", [BUNDLED, *beside.REAL_BLOCK])
def test_a_witness_without_its_root_node_is_refused(path: Path) -> None:
    block = load(path)
    witness = block.cached.witness
    root = pipeline.Database(block).root
    state = tuple(raw for raw in witness.state if keccak256(raw) != root)
    block.cached = block.cached._replace(witness=witness._replace(state=state))
    with pytest.raises(MissingNodeError, match=root.hex()):
        pipeline.Database(block)


def test_every_repeat_executes_as_many_opcodes(block: pipeline.Block) -> None:
    counts = {pipeline.execute(block, pipeline.Database(block)).opcodes for _ in range(2)}
    assert len(counts) == 1
    assert counts.pop() > 5_000


def test_the_count_is_that_of_an_independent_tracer(block: pipeline.Block) -> None:
    from ethereum import trace

    seen = 0

    def on_event(evm: object, event: object) -> None:
        del evm
        nonlocal seen
        seen += isinstance(event, trace.OpStart)

    database = pipeline.Database(block)
    previous = trace.set_evm_trace(on_event)
    try:
        pipeline.apply(block, database, database.state())
    finally:
        trace.set_evm_trace(previous)
    assert pipeline.execute(block, pipeline.Database(block)).opcodes == seen


@pytest.mark.parametrize("percent", [0.5, 15, 250])
def test_extra_work_executes_that_many_more_opcodes(block: pipeline.Block, percent: float) -> None:
    plain = pipeline.execute(block, pipeline.Database(block))
    slowed = pipeline.execute(block, pipeline.Database(block), percent)
    assert plain.extra_opcodes == 0
    assert slowed.opcodes == plain.opcodes
    assert slowed.extra_opcodes == pytest.approx(plain.opcodes * percent / 100, abs=1)


def test_extra_work_changes_nothing_of_the_result(block: pipeline.Block) -> None:
    plain, slowed = pipeline.Database(block), pipeline.Database(block)
    assert pipeline.execute(block, plain).error is None
    assert pipeline.execute(block, slowed, 130).error is None
    assert plain.written == slowed.written


def test_a_block_beyond_the_size_limit_of_its_fork_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    cached = cachefile.parse(make(Recipe(txs=1, timestamp=forks.NETWORKS["hoodi"].schedule["osaka"] + 12)))
    block = pipeline.Block(cached, forks.load(cached.network, cached.timestamp))
    assert pipeline.execute(block, pipeline.Database(block)).error is None
    monkeypatch.setattr(block.fork.rules, "MAX_RLP_BLOCK_SIZE", 700)
    with pytest.raises(InvalidBlockError, match="Maximum block size exceeded: Maximum is 700 bytes"):
        pipeline.execute(block, pipeline.Database(block))


def test_the_phases_are_parts_of_the_whole(block: pipeline.Block) -> None:
    phases = pipeline.execute(block, pipeline.Database(block)).phases
    assert all(phase > 0 for phase in phases)
    assert phases.exec > phases.validate


def test_the_tracer_is_put_back_even_after_a_failure() -> None:
    from ethereum import trace

    before = trace._evm_trace
    with pytest.raises(RuntimeError), Opcodes():
        raise RuntimeError
    assert trace._evm_trace is before


def test_counting_stops_exactly_at_the_limit() -> None:
    from ethereum import trace

    with Opcodes() as opcodes:
        opcodes.limit = 2
        start = trace.OpStart(op=cast("Any", None))
        for event in (start, trace.OpEnd(), start):
            trace.evm_trace(None, event)
        with pytest.raises(EnoughError):
            trace.evm_trace(None, start)
        assert opcodes.count == 2


def test_ancestors_are_known_as_far_as_their_headers_link(block: pipeline.Block) -> None:
    number, headers = block.cached.number, block.cached.witness.headers
    hashes = pipeline.AncestorHashes(number, block.header.parent_hash, headers)
    assert hashes[-1] == block.header.parent_hash == keccak256(headers[2])
    assert hashes[-2] == keccak256(headers[1])
    assert hashes[-3] == keccak256(headers[0])
    assert len(hashes[-4]) == 32  # the oldest header names its parent
    with pytest.raises(MissingHeaderError, match=f"header for block {number - 5} not found"):
        hashes[-5]


def test_a_header_that_does_not_link_is_not_an_ancestor(block: pipeline.Block) -> None:
    headers = block.cached.witness.headers
    hashes = pipeline.AncestorHashes(block.cached.number, block.header.parent_hash, headers[::2])
    assert hashes[-2] == keccak256(headers[1])
    with pytest.raises(MissingHeaderError):
        hashes[-3]
