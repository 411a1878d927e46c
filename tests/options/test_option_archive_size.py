"""--ethrex-archive-size: how much the archive may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config import readers

if TYPE_CHECKING:
    from tests.conftest import Bench

KEEP = "--ethrex-archive=programs"


@pytest.mark.parametrize(
    ("told", "size"),
    [("0", 0), ("500MB", 500_000_000), ("5 GiB", 5 * 2**30), ("1.5kib", 1536), ("7B", 7), ("1TB", 10**12)],
)
def test_sizes_have_a_unit(told: str, size: int) -> None:
    assert readers.archive_size(told) == size


@pytest.mark.parametrize("told", ["5", "-1GB", "5 GB more", "much", ""])
def test_what_is_no_size_is_wrong_usage(bench: Bench, told: str) -> None:
    message = bench.refuse("--ethrex-block=1", f"--ethrex-archive-size={told}")
    assert message == (
        f"--ethrex-archive-size: {told!r} is not a value of it: write a size like 5GiB or 500MB, or 0"
    )


def test_the_least_recently_used_program_makes_room(bench: Bench) -> None:
    programs = [bench.program(name) for name in ("one", "two", "three")]
    size = max((bench.path / program).stat().st_size for program in programs)
    for program in programs:
        bench.record(program, KEEP, f"--ethrex-archive-size={2 * size + 100}B")
    kept = {file.read_bytes() for file in (bench.path / "programs").iterdir()}
    assert kept == {(bench.path / program).read_bytes() for program in programs[1:]}


def test_0_switches_it_off(bench: Bench) -> None:
    bench.record(bench.program("base"), KEEP, "--ethrex-invocations=6")
    bench.record(bench.program("other"), KEEP, "--ethrex-archive-size=0", "--ethrex-baselines=others")
    assert len(list((bench.path / "programs").iterdir())) == 1
    bench.configure("archive_size = 0")
    head = f"--ethrex-replay={bench.program('head')}"
    bench.gate(head, KEEP, "--ethrex-repeat=3", "--ethrex-json=r.json")
    (block,) = bench.results("r.json").blocks
    assert block.mode == "stored"
    assert any("the archive is off (--ethrex-archive-size 0)" in note for note in block.notes)
