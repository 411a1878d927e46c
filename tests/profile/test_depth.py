"""How much of each stack is taken, and how often, after a short recording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ethrex_perf.profile import depth
from pytest_ethrex_perf.profile.depth import Depth, Trial
from pytest_ethrex_perf.profile.sampling import Limits

KIB32, KIB64 = 32_768, 65_528
TRIAL = Trial(
    stack_bytes=KIB32, cut=0.0, samples=1000, file_bytes=8_000_000, reading_s=0.5, loading_s=0.6, repeat_s=0.2
)


def plan(*trials: Trial, frequency: int = 997, limits: Limits | None = None, repeat: int = 10) -> Depth:
    return depth.plan(trials, frequency=frequency, repeat=repeat, recordings=8, limits=limits or Limits())


@pytest.mark.parametrize(
    ("cut", "taken"),
    [
        ((0.0,), KIB32),
        ((0.94, 0.0), KIB64),
        ((0.94, 0.30), KIB64),
        ((0.30, 0.29), KIB32),
        ((1.0, 1.0), KIB32),
    ],
)
def test_more_of_each_stack_is_taken_only_where_that_helps(cut: tuple[float, ...], taken: int) -> None:
    trials = [replace(TRIAL, cut=c, stack_bytes=size) for c, size in zip(cut, (KIB32, KIB64), strict=False)]
    assert plan(*trials) == Depth(taken, 997)


def test_within_the_limits_the_rate_is_the_one_asked_for() -> None:
    assert plan(TRIAL) == Depth(KIB32, 997)
    assert plan(TRIAL, frequency=4999) == Depth(KIB32, 4999)


def test_a_file_that_would_be_too_large_is_sampled_less_often_and_it_says_so() -> None:
    # 0.6 + 10 * 0.2 s of CPU, 8 kB a sample: at 997 Hz 21 MB, of 16 MiB half is to be used
    found = plan(TRIAL, limits=Limits(mib=16))
    assert found.frequency == int(8 * 2**20 / 8000 / 2.6)
    assert found.notes == (
        "sampled at 403 Hz instead of 997: stacks of 32 KiB would fill more than half of 16 MiB",
    )


def test_reading_that_would_take_too_long_does_the_same() -> None:
    # 0.5 ms a sample, of 10 s half is to be used by eight recordings
    found = plan(TRIAL, limits=Limits(timeout_s=10))
    assert found.frequency == int(5 / 8 / 0.0005 / 2.6)
    assert found.notes[0].endswith("of 10 s")


def test_a_limit_that_nothing_fits_into_is_left_to_be_hit() -> None:
    assert plan(TRIAL, limits=Limits(timeout_s=0.1)).frequency == 49


def test_a_program_too_short_for_a_sample_is_recorded_as_asked() -> None:
    nothing = Trial(KIB32, cut=0.0, samples=0, file_bytes=20_000, reading_s=0.1, loading_s=0.0, repeat_s=0.0)
    assert plan(nothing) == Depth(KIB32, 997)
