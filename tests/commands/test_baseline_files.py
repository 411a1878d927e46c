"""Which sessions of a baseline a selector means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.commands.baseline_files import select
from tests.baseline.builders import two_epochs

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.schema import Baseline


@pytest.fixture
def baseline() -> Baseline:
    return two_epochs()


@pytest.mark.parametrize(
    ("selector", "found"),
    [(None, ["04", "05"]), ("first", ["04"]), ("last", ["05"]), ("v1", ["03"])],
)
def test_sessions_are_selected_by_place_or_tag(
    baseline: Baseline, selector: str | None, found: list[str]
) -> None:
    assert [session.started[8:10] for session in select(baseline, selector, "b").sessions] == found


def test_sessions_are_selected_by_the_start_of_their_id(baseline: Baseline) -> None:
    wanted = next(baseline.sessions())
    assert select(baseline, wanted.id[:9], "b").sessions == (wanted,)


@pytest.mark.parametrize("selector", ["v2", ""])
def test_a_selector_of_none_or_several_sessions_lists_them(baseline: Baseline, selector: str) -> None:
    with pytest.raises(BaselineError, match=r"session.* for .*say `first`, `last`, a tag or an id: v1, "):
        select(baseline, selector, "b")
