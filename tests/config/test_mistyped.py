"""Mistyped options of pytest: what ours are like, and others' are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config.mistyped import meant

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.mark.parametrize(
    "word", ["--ethrex-blok", "--ethrex-blok=1", "--ethrex_block", "--etrex-block", "--ethrex-blocks"]
)
def test_a_slip_is_recognized(word: str) -> None:
    assert meant([word]) == ["--ethrex-block"]


@pytest.mark.parametrize(
    "word", ["--ethrex-block", "--ethrex-block=x", "--exitfirst", "--ethrex", "--ethrex-zzz", "ethrex-blok"]
)
def test_what_is_ours_or_is_like_nothing_of_ours_is_left_alone(word: str) -> None:
    assert meant([word]) == []


def test_what_stands_after_two_dashes_is_no_option() -> None:
    assert meant(["--", "--ethrex-blok"]) == []


def test_pytest_says_it_with_its_own_error(bench: Bench) -> None:
    result = bench.run("--ethrex-blok=1", "--ethrex-bse=x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*error: unrecognized arguments: --ethrex-blok=1 --ethrex-bse=x",
            "  did you mean: --ethrex-block, --ethrex-base",
        ]
    )


def test_others_errors_are_not_touched(bench: Bench) -> None:
    result = bench.run("--no-such-option", "--ethrex-block=1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.no_fnmatch_line("*did you mean*")


def test_an_option_of_another_plugin_with_a_name_like_ours_works(bench: Bench) -> None:
    bench.pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--ethrex-blok')")
    bench.pytester.makepyfile(
        "def test_it(pytestconfig): assert pytestconfig.getoption('ethrex_blok') == '1'"
    )
    bench.run("--ethrex-blok=1").assert_outcomes(passed=1)
