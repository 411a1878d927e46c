"""How pytest-xdist hands out tests: as ever, but for those of a block, which go to one worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScheduling

from pytest_ethrex_perf.pytest_run.xdist_scheduling import BlockScheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Bench


class Node:
    """A worker that only takes note of what it is sent."""

    shutting_down = False
    gateway = SimpleNamespace(id="gw")

    def __init__(self) -> None:
        self.sent: list[int] = []

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def distributed(kind: type[LoadScheduling], tests: list[str], config: pytest.Config) -> list[list[int]]:
    """What each of two workers is sent, if both take a test in turn."""
    scheduler = kind(config)
    nodes: list[Any] = [Node(), Node()]
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    done = [0, 0]
    while any(done[number] < len(node.sent) for number, node in enumerate(nodes)):
        for number, node in enumerate(nodes):
            if done[number] < len(node.sent):
                done[number] += 1
                scheduler.mark_test_complete(node, node.sent[done[number] - 1])
    return [node.sent for node in nodes]


@pytest.fixture
def config(bench: Bench) -> pytest.Config:
    """A configuration with two workers."""
    return bench.pytester.parseconfig("-n2", "--tx=2*popen", "--dist=load")


def test_tests_without_blocks_are_distributed_as_ever(config: pytest.Config) -> None:
    for count in (1, 3, 8, 400):
        tests = [f"test_{number % 7}.py::test_it[api/{number % 3}]" for number in range(count)]
        assert distributed(BlockScheduling, tests, config) == distributed(LoadScheduling, tests, config)


def test_the_tests_of_a_block_stay_together(bench: Bench) -> None:
    config = bench.pytester.parseconfig("-n2", "--tx=2*popen", "--dist=load", "--ethrex-block=1..40")
    tests = [f"ethrex-block::mainnet/{n}::{metric}" for n in range(40) for metric in ("exec", "prep", "x")]
    tests += [f"test_a.py::test_a[{n % 3}-mainnet/{n}]" for n in range(40)]
    tests += [f"test_b.py::test_b[{n}]" for n in range(30)]
    first, second = distributed(BlockScheduling, tests, config)
    assert sorted([*first, *second]) == list(range(len(tests)))
    names = BlockScheduling(config)
    blocks = [{names.block(tests[index]) for index in sent} - {None} for sent in (first, second)]
    assert not blocks[0] & blocks[1]
    assert all(len(share) > 10 for share in blocks)


def test_names_of_other_networks_count_where_they_are_asked_for(bench: Bench) -> None:
    config = bench.pytester.parseconfig("-n2", "--tx=2*popen", "--ethrex-network=local-net")
    names = BlockScheduling(config)
    assert names.block("t.py::test_a[local-net/7]") == "local-net/7"
    assert names.block("t.py::test_a[x-hoodi/7-y]") == "hoodi/7"
    assert names.block("t.py::test_a[x-workload/keccak,gas=30M,seed=0-y]") == "workload/keccak,gas=30M,seed=0"
    assert names.block("t.py::test_a[workload/keccak]") is None
    assert names.block("mainnet/7/t.py::test_a[1]") is None
    assert names.block("t.py::test_a[api/7]") is None
