"""Times of files: the same moment on every machine."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.records import moment


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T02:00:00+00:00", "2026-03-01T02:00:00Z", "2026-03-01T04:30:00+02:30", "2026-03-01T02:00:00"],
)
def test_a_time_is_utc_whatever_zone_it_names_or_none(text: str) -> None:
    assert moment.utc(text).isoformat() == "2026-03-01T02:00:00+00:00"


@pytest.mark.parametrize("text", ["soon", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text[:4]):
        moment.utc(text)
