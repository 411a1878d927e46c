"""--ethrex-timeout: the limit for one invocation (what it kills is in tests/plugin/test_interrupts.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

FORM = "write a duration above 0 like 90s, 10m or 1h"


@pytest.mark.parametrize(("value", "told"), [("200ms", "0.2 s"), ("0.2", "0.2 s"), ("0.2s", "0.2 s")])
def test_a_hanging_program_is_an_error_that_names_the_option(bench: Bench, value: str, told: str) -> None:
    result = bench.record(bench.program("head", behaviour="hang"), f"--ethrex-timeout={value}")
    result.assert_outcomes(errors=1)
    told = (
        f"mainnet/24443168: the program timed out after {told} and was killed; "
        "--ethrex-timeout gives it longer; the whole output is in *"
    )
    result.stdout.fnmatch_lines([told])


@pytest.mark.parametrize("value", ["0", "-1s", "soon", "", "1d", "0ms"])
def test_what_is_no_duration_is_wrong_usage(bench: Bench, value: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-timeout={value}")
    assert told == f"--ethrex-timeout: {value!r} is not a value of it: {FORM}"
