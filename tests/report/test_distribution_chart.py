"""The ECDF: what is at most so large, of base and of head, in steps."""

from __future__ import annotations

import re

from pytest_ethrex_perf.report.distribution_chart import Spread, ecdf


def test_a_line_rises_by_the_same_step_at_each_sample() -> None:
    drawn = ecdf([Spread("base", [60e6, 61e6]), Spread("head", [63e6, 62e6, 64e6, 65e6])], "exec")
    base, head = re.findall(
        r'<path class="rise (?:base|head)" d="M[\d.]+ [\d.]+((?:H[\d.]+V[\d.]+)+)"/>', drawn
    )
    assert base.count("H") == 2 + 1
    assert head.count("H") == 4 + 1
    heights = [float(height) for height in re.findall(r"V([\d.]+)", head)]
    steps = [before - after for before, after in zip([185.0, *heights], heights, strict=False)]
    assert {round(step) for step in steps} == {0, round(steps[0])}


def test_it_says_both_sides_to_who_does_not_see_it() -> None:
    drawn = ecdf([Spread("base", [60e6, 61e6]), Spread("head", [63e6])], "exec")
    label = 'aria-label="exec: base 60.50 ms (60.00 ms to 61.00 ms); head 63.00 ms (63.00 ms to 63.00 ms)"'
    assert label in drawn
    assert ">base</text>" in drawn
    assert ">head</text>" in drawn


def test_stored_sessions_are_lines_of_their_own() -> None:
    drawn = ecdf([Spread("base", [60e6]), Spread("base", [61e6]), Spread("head", [63e6])], "exec")
    assert drawn.count('class="rise base many"') == 2
    assert drawn.count('class="rise head" d="M54') == 1


def test_samples_that_are_all_the_same_are_drawn() -> None:
    assert "<svg" in ecdf([Spread("base", [5.0]), Spread("head", [5.0])], "instructions", "")
