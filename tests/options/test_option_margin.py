"""--ethrex-margin: a slowdown smaller than this is never a regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture
def slower(bench: Bench) -> tuple[str, str]:
    """A head that takes about 10 % longer than its base."""
    return bench.program("head", exec_ms=66), bench.program("base")


def test_a_slowdown_below_it_is_no_regression(bench: Bench, slower: tuple[str, str]) -> None:
    options = ("--ethrex-repeat=3", "--ethrex-tolerance=40%")
    bench.compare(*slower, *options, "--ethrex-margin=20%").assert_outcomes(passed=1)
    result = bench.compare(*slower, *options)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["regression: *beyond the 1 % margin*"])


@pytest.mark.parametrize("value", ["2%", "2 %", "0.02", " 2.0% "])
def test_it_is_a_percentage_or_a_fraction(bench: Bench, slower: tuple[str, str], value: str) -> None:
    bench.compare(*slower, f"--ethrex-margin={value}", "--ethrex-looks=6", "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    assert block.metric("exec").rules.margin == pytest.approx(0.02)


def test_it_may_be_nothing_at_all(bench: Bench) -> None:
    assert bench.run("--ethrex-block=1", "--ethrex-margin=0", "--co", "-q").ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1", "write 1% for a percentage, or a fraction below 0.5"),
        ("2.5", "write 2.5% for a percentage, or a fraction below 0.5"),
        ("-1%", "it must be a finite number, not negative"),
        ("nan", "it must be a finite number, not negative"),
        ("inf%", "it must be a finite number, not negative"),
        ("100%", "it must be below 100%"),
        ("1,5%", "write a percentage like 1% or a fraction like 0.01"),
        ("", "write a percentage like 1% or a fraction like 0.01"),
        ("%", "write a percentage like 1% or a fraction like 0.01"),
    ],
)
def test_what_is_no_fraction_is_wrong_usage(bench: Bench, value: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-margin={value}")
    assert told == f"--ethrex-margin: {value!r} is not a value of it: {why}"


def test_it_must_lie_below_the_tolerance(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-margin=3%")
    assert told == (
        "every block, exec: the margin (0.03) must be below the tolerance (0.03): "
        "a change between them would be both unchanged and a regression: "
        "set both, for one metric in ethrex-perf.toml under [metric.exec]"
    )
