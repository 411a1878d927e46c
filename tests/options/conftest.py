"""What more than one option's tests start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.profile import record
from tests.conftest import PROFILE
from tests.options.fake_profiler import Profiler

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def profiler(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Profiler:
    """A machine with a profiler, and the option's real default."""
    assert bench
    profiler = Profiler()
    monkeypatch.setattr(record, "find", lambda _: profiler)
    monkeypatch.setattr(record.Recorder, "record", profiler.recording())
    monkeypatch.setitem(OPTIONS, "profile", PROFILE)
    return profiler
