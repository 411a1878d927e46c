"""A history with everything that its pages can show."""

from __future__ import annotations

from msgspec.structs import replace

from pytest_ethrex_perf.baseline.change_points import with_changes
from pytest_ethrex_perf.records.history import History, Release
from tests.baseline import years

METRICS = ("exec", "prep", "instructions")
PAGE = "blocks/mainnet-24443168/bench-ethrex.html"
"""Of the block whose level changes."""


def year() -> History:
    """Two blocks of one machine, of which one has three changes, an epoch, a tag, a waiver and a release."""
    year = years.year((40, 5), (70, -4), (100, 8), nights=120, epochs=[(73, "agreed")], metrics=METRICS)
    sessions = list(year.sessions)
    sessions[43] = replace(sessions[43], waived={"exec": "until the fork"})
    sessions[60] = replace(sessions[60], tags=("v8",), note="after an update")
    blocks = (
        with_changes(replace(year, sessions=tuple(sessions)), METRICS),
        years.year(block="hoodi/5", nights=30, metrics=METRICS),
    )
    release = Release(name="v9.0.0", date=sessions[80].started, commit="ab" * 20)
    return replace(years.history(*blocks), releases=(release,))
