"""--ethrex-profile-frames: how perf unwinds the stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.options.fake_profiler import compare

if TYPE_CHECKING:
    from tests.conftest import Bench
    from tests.options.fake_profiler import Profiler


def test_dwarf_unless_said_otherwise(bench: Bench, profiler: Profiler) -> None:
    compare(bench)
    assert {sampling.frames for sampling in profiler.samplings} == {"dwarf"}


def test_frame_pointers_are_asked_for(bench: Bench, profiler: Profiler) -> None:
    compare(bench, "--ethrex-profile-frames=fp")
    assert {sampling.frames for sampling in profiler.samplings} == {"fp"}


def test_it_may_stand_in_the_file(bench: Bench, profiler: Profiler) -> None:
    bench.configure('profile_frames = "fp"')
    compare(bench)
    assert {sampling.frames for sampling in profiler.samplings} == {"fp"}


def test_a_bad_value_is_wrong_usage(bench: Bench) -> None:
    assert bench.refuse("--ethrex-block=1", "--ethrex-profile-frames=lbr") == (
        "--ethrex-profile-frames: 'lbr' is not a value of it: choose from dwarf, fp"
    )
