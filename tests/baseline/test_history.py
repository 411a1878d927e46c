"""The levels of a baseline's sessions, and the earlier ones that results are shown beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline.history import earlier_sessions, level, past
from tests.baseline.builders import two_epochs

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.schema import Baseline


@pytest.fixture
def baseline() -> Baseline:
    return two_epochs()


def test_results_hold_every_epoch_with_the_level_of_each_metric(baseline: Baseline) -> None:
    first, second = past(baseline, ("exec", "prep"), 1)
    assert second.reason.startswith("EIP-7702")
    assert [one.tags for one in first.sessions] == [(), (), ("v1",)]
    assert [one.invocations for one in first.sessions] == [3, 2, 1]
    assert first.sessions[0].levels == {
        "exec": pytest.approx((50e6 * 51e6 * 49e6) ** (1 / 3)),
        "prep": pytest.approx((100e6 * 102e6 * 98e6) ** (1 / 3)),
    }
    assert second.sessions[1].levels["exec"] == pytest.approx(60.5e6)


def test_levels_leave_the_first_repeat_out(baseline: Baseline) -> None:
    assert level(baseline, baseline.epochs[0].sessions[:1], "exec") == pytest.approx(50e6)
    assert level(baseline, baseline.epochs[0].sessions[:1], "prep") == pytest.approx(100e6)
    assert level(baseline, baseline.epochs[0].sessions[:1], "exec", drop=0) == pytest.approx(50e6), (
        "the slowest repeat is left out anyway"
    )


def test_results_are_held_against_the_first_session_and_the_tagged_ones(baseline: Baseline) -> None:
    labels = [(earlier.label, earlier.session.started[8:10]) for earlier in earlier_sessions(baseline)]
    assert labels == [("epoch's first session", "04"), ("session tagged v1", "03")]
