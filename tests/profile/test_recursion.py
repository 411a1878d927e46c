"""Stacks of a deep recursion, recorded for real."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import perf as perf_tool
from pytest_ethrex_perf.profile import recursion
from pytest_ethrex_perf.profile.sampling import Sampling

if TYPE_CHECKING:
    from pytest_ethrex_perf.profile.perf import Perf


def test_the_recursion_needs_more_than_8_kib_and_not_64(perf: Perf) -> None:
    assert recursion.cut_off(perf, Sampling(stack_bytes=8192), os.environ) > 0.9
    assert recursion.cut_off(perf, Sampling(stack_bytes=65_528), os.environ) < 0.05


def test_a_profiler_that_fails_is_trouble() -> None:
    with pytest.raises(MeasurementError, match="nothing could be recorded: exit code 1"):
        recursion.cut_off(perf_tool.Perf("false", "6.1"), Sampling(), os.environ)
