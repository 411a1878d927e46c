"""How measuring and judging end a test."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError, UsageError
from pytest_ethrex_perf.gate.plan import NothingToDo
from pytest_ethrex_perf.pytest_run.outcomes import Outcomes
from pytest_ethrex_perf.pytest_run.termination import Termination

if TYPE_CHECKING:
    from tests.conftest import Bench


class Screen:
    """Takes note of being cleared."""

    def __init__(self) -> None:
        self.cleared = 0

    def clear(self) -> None:
        self.cleared += 1


def measure(trouble: Exception | None, screen: Screen) -> None:
    """Measure a block that meets this trouble."""

    def gate_measure(_: object) -> None:
        if trouble is not None:
            raise trouble

    gate: Any = SimpleNamespace(measure=gate_measure)
    request: Any = "mainnet/1"
    anything: Any = screen
    Outcomes(gate, anything, anything, Termination(), 0, pytest.exit.Exception).measure(request)


@pytest.mark.parametrize("error", [MeasurementError, UsageError, EthrexPerfError])
def test_trouble_is_an_error_in_one_line(error: type[EthrexPerfError]) -> None:
    screen = Screen()
    with pytest.raises(pytest.fail.Exception, match=r"^mainnet/1: no gas$") as failure:
        measure(error("mainnet/1: no gas"), screen)
    assert not failure.value.pytrace
    assert screen.cleared == 1


def test_nothing_to_do_is_a_skip() -> None:
    screen = Screen()
    with pytest.raises(pytest.skip.Exception, match="the same program"):
        measure(NothingToDo("the same program"), screen)
    assert screen.cleared == 1


def test_what_is_no_trouble_of_ours_is_left_alone() -> None:
    screen = Screen()
    with pytest.raises(KeyboardInterrupt):
        measure(KeyboardInterrupt(), screen)  # type: ignore[arg-type] # no Exception
    measure(None, screen)
    assert screen.cleared == 2


def test_a_failure_begins_with_the_verdict_and_shows_the_blocks_table_once(bench: Bench) -> None:
    bench.cache(1)
    head, base = bench.program("head", exec_ms=66), bench.program("base")
    result = bench.compare(head, base, "--ethrex-metrics=exec,prep", block="1,24443168")
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(
        [
            "regression: mainnet/1 exec is *",
            "mainnet/1 *",
            "regression: mainnet/24443168 exec is *",
            "*= ethrex-perf: *",
        ]
    )
    assert result.stdout.str().count("reproduce: ") == 2, "among the failures alone"
