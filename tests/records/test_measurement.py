"""What can be read off one invocation or pair."""

from __future__ import annotations

import msgspec

from tests.report import builders

PAIR = builders.one().blocks[0].pairs[0]


def test_a_pair_tells_its_invocations_in_the_order_they_ran() -> None:
    for first, second in (("base", "head"), ("head", "base")):
        pair = msgspec.structs.replace(PAIR, first=first)
        assert [side for side, _ in pair.in_order()] == [first, second]
        assert dict(pair.in_order()) == {"base": pair.base, "head": pair.head}


def test_usage_sums_up_what_the_kernel_counted_apart() -> None:
    usage = msgspec.structs.replace(PAIR.head.usage, user_ns=5, system_ns=2, minor_faults=30, major_faults=1)
    assert (usage.cpu_ns, usage.faults) == (7, 31)
    assert msgspec.structs.replace(usage, major_faults=None).faults is None


def test_cpu_pressure_is_a_share_of_the_invocations_wall_time() -> None:
    noise = msgspec.structs.replace(PAIR.head.noise, psi_some_us=250)
    pressed = msgspec.structs.replace(PAIR.head, wall_ns=1_000_000, noise=noise)
    assert pressed.cpu_pressure == 0.25
    silent = msgspec.structs.replace(noise, psi_some_us=None)
    assert msgspec.structs.replace(pressed, noise=silent).cpu_pressure is None
