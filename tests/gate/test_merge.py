"""Shards joined: only what belongs together, and without a change to any verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.gate import merge
from pytest_ethrex_perf.records.measurement import Machine
from pytest_ethrex_perf.records.origin import Change, Job, Origin, Source
from tests.report import builders

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.result import RunResult


def shards(count: int = 3, **fields: Any) -> list[RunResult]:
    """Shards of one run of six blocks."""
    blocks = [builders.interleaved(number, 0.01 * number) for number in range(6)]
    return [
        builders.run(
            blocks[index::count], gatings=6, shard=f"{index + 1}/{count}", wall_s=100.0 + index, **fields
        )
        for index in range(count)
    ]


def merged(runs: list[RunResult]) -> RunResult:
    return merge.merge({Path(f"{index}.json"): run for index, run in enumerate(runs, 1)})


def test_every_block_is_there_as_it_was() -> None:
    runs = shards()
    whole = merged(runs)
    assert list(whole.blocks) == [block for run in runs for block in run.blocks]
    assert whole.shard is None
    assert whole.gatings == 6
    assert whole.wall_s == 102.0


def test_of_the_jobs_it_keeps_what_all_of_them_say_alike() -> None:
    run = Job(url="https://github.com/o/r/actions/runs/1", change=Change(name="#1"))
    other = msgspec.structs.replace(run, url="https://github.com/o/r/actions/runs/2")
    runs = [
        msgspec.structs.replace(shard, origin=Origin(builds={digit: Source(commit=40 * digit)}, job=job))
        for shard, digit, job in zip(shards(), "abc", (run, run, other), strict=True)
    ]
    assert merged(runs).origin == Origin(
        builds={digit: Source(commit=40 * digit) for digit in "abc"}, job=Job(change=Change(name="#1"))
    )


def test_a_missing_shard_is_named() -> None:
    first, _, third = shards()
    with pytest.raises(UsageError, match="shard 2/3 is missing"):
        merged([first, third])


def test_a_block_that_no_shard_has_is_missed() -> None:
    first, second, third = shards()
    second = msgspec.structs.replace(second, blocks=second.blocks[:1])
    with pytest.raises(
        UsageError, match="1 of the 6 comparisons that share the risk of a false alarm are in"
    ):
        merged([first, second, third])


def test_a_shard_that_is_there_twice_is_named() -> None:
    first, second, third = shards()
    with pytest.raises(UsageError, match=r"^mainnet/1 is in 2\.json and in 4\.json: merge each shard once"):
        merged([first, second, third, second])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "0.2.0"}, "version 0.1.0 and 0.2.0"),
        ({"machine": "another"}, "machine amd-epyc-9454p-32c-4f1d and another"),
        ({"gatings": 7}, "number of comparisons 6 and 7"),
        ({"shard": "2/4"}, "number of shards 3 and 4"),
        ({"shard": None}, "number of shards 3 and none"),
        ({"settings": {"margin": "0.02"}}, "margin 0.01 and 0.02"),
    ],
)
def test_what_does_not_belong_together_is_refused(change: dict[str, Any], told: str) -> None:
    first, second, third = shards()
    with pytest.raises(UsageError, match=rf"1\.json and 2\.json do not belong together: {told}"):
        merged([first, msgspec.structs.replace(second, **change), third])


def test_another_program_is_refused() -> None:
    first, second, third = shards()
    block = second.blocks[0]
    assert block.head is not None
    other = msgspec.structs.replace(block.head, program=builders.BASE)
    second = msgspec.structs.replace(
        second, blocks=(msgspec.structs.replace(block, head=other), *second.blocks[1:])
    )
    with pytest.raises(UsageError, match="head program 5e43acebcd96 and 546016627a1c, 5e43acebcd96"):
        merged([first, second, third])


def test_a_shard_whose_blocks_were_all_errors_belongs_to_it() -> None:
    first, second, third = shards()
    broken = tuple(
        builders.block(block.block, rules=block.rules, error="no cache file") for block in second.blocks
    )
    assert len(merged([first, msgspec.structs.replace(second, blocks=broken), third]).blocks) == 6


def test_runs_of_their_own_are_not_parts_of_one() -> None:
    """Each spent the whole alpha: together they would be wrong twice as often as promised."""
    runs = [builders.run([builders.interleaved(number, 0.0)]) for number in (1, 2)]
    with pytest.raises(UsageError, match="2 runs of their own, each with the whole alpha"):
        merged(runs)


def test_files_may_lie_elsewhere_on_each_machine() -> None:
    first, second = shards(2)
    second = msgspec.structs.replace(
        second, settings=second.settings | {"cache_dir": "/elsewhere", "json": "b"}
    )
    assert "cache_dir" not in merged([first, second]).settings


def test_facts_that_differ_are_left_out() -> None:
    first, second = shards(2)
    machine = msgspec.structs.replace(
        second.measured_on, recorded={**second.measured_on.recorded, "host": "other"}
    )
    whole = merged([first, msgspec.structs.replace(second, measured_on=machine)])
    assert "host" not in whole.measured_on.recorded
    assert whole.measured_on.keyed == first.measured_on.keyed


def test_one_file_is_merged_with_itself_alone() -> None:
    run = builders.several()
    assert merged([run]).blocks == run.blocks


def test_nothing_to_merge() -> None:
    with pytest.raises(UsageError, match="nothing to merge"):
        merged([])


def test_counts_of_another_valgrind_do_not_belong_together() -> None:
    def counted(version: str) -> Machine:
        return Machine(key=f"callgrind-x86-64-v3-valgrind-{version}", keyed={}, recorded={})

    first, second, third = shards(counted_on=counted("3.19.0"))
    assert merged([first, second, third]).counted_on == counted("3.19.0")
    third = msgspec.structs.replace(third, counted_on=counted("3.20.0"))
    with pytest.raises(UsageError, match=r"machine of counts callgrind-.*3\.19\.0 and callgrind-.*3\.20\.0"):
        merged([first, second, third])
