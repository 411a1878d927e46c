"""What the workers of a distributed run send becomes one result, as far as it belongs together."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ethrex_perf.gate.worker import WorkerMessage
from pytest_ethrex_perf.pytest_run.xdist_results import Inbox
from pytest_ethrex_perf.records.result import BlockResult
from tests.report import builders

BLOCKS = tuple(builders.interleaved(number, 0.0, gatings=3.0) for number in (1, 2, 12))
UNMEASURED = tuple(builders.block(block.block, rules=block.rules) for block in BLOCKS)


def message(*numbers: int, **run: object) -> str:
    """What a worker tells that has measured these of the blocks."""
    content = WorkerMessage(
        run=builders.run([], gatings=3, **run),
        measured={number: BLOCKS[number] for number in numbers},
        unmeasured=UNMEASURED,
    )
    return msgspec.json.encode(content).decode()


@pytest.fixture
def inbox() -> Inbox:
    """One that has heard of a worker with the second block."""
    inbox = Inbox()
    assert not inbox
    inbox.read("gw0", message(1))
    assert inbox
    return inbox


def test_results_stand_in_the_order_of_the_run_whoever_measured_them(inbox: Inbox) -> None:
    inbox.read("gw1", message(2))
    inbox.read("gw1", message(0))
    assert inbox.result().blocks == BLOCKS
    assert inbox.result().gatings == 3
    assert inbox.troubles() == []


def test_what_nobody_measured_is_in_the_result_too(inbox: Inbox) -> None:
    assert inbox.result().blocks == (UNMEASURED[0], BLOCKS[1], UNMEASURED[2])
    assert inbox.troubles() == []


def test_a_test_that_its_worker_did_not_survive_is_an_error_of_its_block_alone(
    inbox: Inbox,
) -> None:
    inbox.lose("gw1", "ethrex-block::mainnet/12::exec", "worker 'gw1' crashed")
    first, second, third = inbox.result().blocks
    assert (first, second) == (UNMEASURED[0], BLOCKS[1])
    assert third.error == "mainnet/12: worker 'gw1' crashed"


def test_what_was_measured_before_a_crash_stays_unless_it_is_measured_again(inbox: Inbox) -> None:
    inbox.lose("gw0", "test_it.py::test_it[a-mainnet/2]", "worker 'gw0' crashed")
    assert inbox.result().blocks[1] == BLOCKS[1]
    again = msgspec.structs.replace(BLOCKS[1], notes=("again",))
    second = WorkerMessage(run=builders.run([], gatings=3), measured={1: again})
    inbox.read("gw2", msgspec.json.encode(second).decode())
    assert inbox.result().blocks[1] == again
    assert inbox.troubles() == []


def test_a_block_that_two_have_measured_is_named(inbox: Inbox) -> None:
    inbox.read("gw1", message(1, 2))
    (trouble,) = inbox.troubles()
    assert trouble.startswith("mainnet/2 was measured by gw0 and gw1, only the first is in the results")
    assert len(inbox.result().blocks) == 3


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ({"machine": "another"}, "machine amd-epyc-9454p-32c-4f1d and another"),
        ({"version": "9"}, "version 0.1.0 and 9"),
        ({"settings": {"margin": "0.05"}}, "margin 0.01 and 0.05"),
    ],
)
def test_results_that_do_not_belong_together_are_not_mixed(
    inbox: Inbox, run: dict[str, object], why: str
) -> None:
    inbox.read("gw1", message(0, **run))
    assert inbox.troubles() == [f"gw0 and gw1 do not belong together: {why}: the results of gw1 are left out"]
    result = inbox.result()
    assert result.machine == builders.MACHINE.key
    left_out = result.blocks[0]
    assert left_out.error == f"mainnet/1: its result is left out: gw0 and gw1 do not belong together: {why}"
    assert isinstance(left_out, BlockResult)
    assert not left_out.pairs
    assert result.blocks[1] == BLOCKS[1]


def test_a_worker_of_another_version_is_named() -> None:
    inbox = Inbox()
    inbox.read("gw0", '{"run": {}, "newer": 1}')
    assert not inbox
    (trouble,) = inbox.troubles()
    assert trouble.startswith("gw0 tells what cannot be read: ")


def test_programs_of_baselines_may_differ_from_block_to_block(inbox: Inbox) -> None:
    assert BLOCKS[0].base is not None
    other = msgspec.structs.replace(builders.BASE, sha256="ef" * 32)
    block = msgspec.structs.replace(BLOCKS[0], base=msgspec.structs.replace(BLOCKS[0].base, program=other))
    inbox.read(
        "gw1",
        msgspec.json.encode(WorkerMessage(run=builders.run([], gatings=3), measured={0: block})).decode(),
    )
    assert inbox.troubles() == []
    assert inbox.result().blocks[0] == block
