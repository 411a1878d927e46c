"""Times over wall time: a dot where each invocation ran, and what the machine did under it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from pytest_ethrex_perf.report import html
from pytest_ethrex_perf.report.wall_time_chart import Moment, over_time
from tests.report import builders


def moment(start: float, side: str = "head", **fields: Any) -> Moment:
    told: dict[str, Any] = {"value": 60e6, "load": 1.25, "steal": 3, "pressure": 0.02}
    return Moment(side=side, start=start, end=start + 2, **(told | fields))


def test_dots_stand_where_their_invocations_ran() -> None:
    drawn = over_time([moment(0, "base"), moment(4), moment(98)], "exec over wall time")
    places = re.findall(
        r'<path class="dots moments (base|head)" d="m(\d+) \d+h0(?:m(\d+)[ -]?\d+h0)?"/>', drawn
    )
    (base, first, _), (head, second, step) = places
    assert (base, head) == ("base", "head")
    assert int(second) - int(first) == 14  # 4 s of 100 s, on an axis of 354 units
    assert abs(int(step) - 333) <= 1
    assert [label for label in ("0 s", "20 s", "100 s") if f">{label}</text>" not in drawn] == []


def test_what_the_machine_did_is_said_and_drawn_in_its_units() -> None:
    drawn = over_time([moment(0), moment(4, load=2.5, steal=0, pressure=0.5)], "exec over wall time")
    label = re.search('aria-label="([^"]*)"', drawn)
    assert label is not None
    assert label[1].endswith(
        "load average of one minute 1.25 to 2.5; steal: clock ticks of all CPUs 0 to 3; "
        "PSI: share of the time that something waited for a CPU 2.0 % to 50.0 %"
    )
    assert drawn.count('<path class="lane"') == 3
    assert ">50.0 %</text>" in drawn


def test_what_a_machine_does_not_tell_is_said_to_be_unknown() -> None:
    drawn = over_time([moment(0, steal=None), moment(4, steal=None)], "exec over wall time")
    assert ">steal: clock ticks of all CPUs: not known here</text>" in drawn
    assert drawn.count('<path class="lane"') == 2


def test_a_start_that_cannot_be_read_leaves_the_picture_out() -> None:
    block = builders.interleaved(1, 0.0)
    assert "over wall time" in html.dump(builders.run([block]))
    first = msgspec.structs.replace(block.pairs[0].base, started="yesterday")
    pairs = (msgspec.structs.replace(block.pairs[0], base=first), *block.pairs[1:])
    block = msgspec.structs.replace(block, pairs=pairs)
    assert "over wall time" not in html.dump(builders.run([block]))
