"""The items behave as any of pytest's: listed, rerun, stopped at, and strict settings hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def slow(bench: Bench) -> tuple[str, ...]:
    """Options that gate a slower program on three blocks and two metrics: exec fails, prep passes."""
    bench.cache(1, 2, 3)
    base, head = bench.program("base"), bench.program("head", exec_ms=66)
    return (
        "--ethrex-block=1..3",
        f"--ethrex-replay={head}",
        f"--ethrex-base={base}",
        "--ethrex-metrics=exec,prep",
    )


def test_all_items(bench: Bench, slow: tuple[str, ...]) -> None:
    bench.run(*slow).assert_outcomes(failed=3, passed=3)


def test_last_failed_runs_only_what_failed(bench: Bench, slow: tuple[str, ...]) -> None:
    bench.run(*slow)
    bench.run(*slow, "--lf").assert_outcomes(failed=3, deselected=3)
    bench.run(*slow, "--ff").assert_outcomes(failed=3, passed=3)


def test_x_stops_at_the_first_failure(bench: Bench, slow: tuple[str, ...]) -> None:
    bench.run(*slow, "-x").assert_outcomes(failed=1)
    bench.run(*slow, "--sw").assert_outcomes(failed=1)


def test_collect_only_measures_nothing_and_needs_no_program(bench: Bench) -> None:
    result = bench.run("--ethrex-block=1", "--co")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*<Folder mainnet/1>*", "*<MetricItem exec>*"])


@pytest.mark.parametrize(
    "options",
    [
        ("-W", "error"),
        ("--strict-markers", "--strict-config"),
        ("-p", "no:cacheprovider"),
        ("-p", "no:benchmark"),
        ("-p", "no:terminal"),
        ("-p", "no:capture"),
        ("-s",),
        ("-q",),
        ("-vv",),
        ("--tb=no",),
        ("-p", "no:junitxml"),
        ("-W", "error", "--junitxml=j.xml", "-o", "junit_family=xunit2"),
    ],
    ids=" ".join,
)
def test_usual_options_change_no_verdict(
    bench: Bench, slow: tuple[str, ...], options: tuple[str, ...]
) -> None:
    assert bench.run(*slow, "-k", "mainnet/1 and exec", *options).ret == pytest.ExitCode.TESTS_FAILED
    assert bench.run(*slow, "-k", "mainnet/1 and prep", *options).ret == pytest.ExitCode.OK


def test_an_unrelated_run_is_left_alone(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_other(): pass")
    result = bench.run()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*ethrex-perf 0*")
    assert not (bench.path / "baselines").exists()
