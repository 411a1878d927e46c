"""The charts of the page's table: a change on the scale that all rows share."""

from __future__ import annotations

import itertools
import math

import pytest

from pytest_ethrex_perf.report import charts


@pytest.mark.parametrize(
    ("change", "shape"),
    [(0.1, "<circle"), (0.8, "M179.5 10L171.5 5"), (-0.8, "M0.5 10L8.5 5")],
    ids=["dot", "right", "left"],
)
def test_a_change_beyond_the_scale_is_an_arrow(change: float, shape: str) -> None:
    log = math.log1p(change)
    assert shape in charts.bar(log, (log - 0.01, log + 0.01), 0.25)


def test_the_scale_holds_the_widest_interval_within_reason() -> None:
    assert charts.reach([(-0.1, 0.02), None]) == pytest.approx(0.105)
    assert charts.reach([(-0.01, 0.01)]) == pytest.approx(0.0525)
    assert charts.reach([(-1.0, math.inf)]) == pytest.approx(0.2625)


def test_the_axis_has_names_that_do_not_overlap() -> None:
    for reach in (0.0525, 0.1, 0.105, 0.158, 0.2625):
        labels = charts.forest_axis(reach).split("<text")[1:]
        assert 3 <= len(labels) <= 5
        places = [float(label.split('x="')[1].split('"')[0]) for label in labels]
        assert all(right - left >= 42 for left, right in itertools.pairwise(places))
        assert places[0] >= 28  # else its sign is cut off
        assert places[-1] <= charts.FOREST_WIDTH - 28
