"""--ethrex-profile-time: how long the profile of a block may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.options.fake_profiler import compare, words

if TYPE_CHECKING:
    from tests.conftest import Bench
    from tests.options.fake_profiler import Profiler


def test_it_limits_each_recording(bench: Bench, profiler: Profiler) -> None:
    compare(bench, "--ethrex-profile-time=90s")
    assert 60 < profiler.samplings[0].limits.timeout_s <= 90


def test_it_may_stand_in_the_file(bench: Bench, profiler: Profiler) -> None:
    bench.configure('profile_time = "1m"')
    compare(bench)
    assert 30 < profiler.samplings[0].limits.timeout_s <= 60


def test_a_block_that_is_too_slow_for_the_time_says_so(bench: Bench, profiler: Profiler) -> None:
    result = compare(bench, "--ethrex-profile-time=1ms")
    told = "note: not profiled: its invocations take too long for --ethrex-profile-time (0.001 s): raise it"
    assert told in words(result)
    assert profiler.taken == []


def test_a_bad_value_is_wrong_usage(bench: Bench) -> None:
    assert bench.refuse("--ethrex-block=1", "--ethrex-profile-time=0") == (
        "--ethrex-profile-time: '0' is not a value of it: write a duration above 0 like 90s, 10m or 1h"
    )
