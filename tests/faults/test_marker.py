"""A test that is marked with a block, or takes one, is gated: a marker or a fixture alone is never green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

FUNCTION = """
    import pytest

    @pytest.mark.ethrex_block(24443168)
    def test_block():
        pass
"""
CLASS = """
    import pytest

    @pytest.mark.ethrex_block(24443168)
    class TestBlock:
        def test_block(self):
            pass
"""
TEST_CASE = """
    import unittest

    import pytest

    @pytest.mark.ethrex_block(24443168)
    class TestBlock(unittest.TestCase):
        def test_block(self):
            pass
"""
UNGATED = """
    import pytest

    @pytest.mark.ethrex_block(24443168{arguments})
    def test_block(ethrex_block):
        assert ethrex_block.result.metrics
"""
BY_NAME = """
    def test_block(request):
        request.getfixturevalue("ethrex_block")
"""


@pytest.mark.parametrize("content", [FUNCTION, CLASS, TEST_CASE])
def test_a_marker_that_nobody_reads_is_an_error_that_says_what_to_add(bench: Bench, content: str) -> None:
    bench.pytester.makepyfile(content)
    result = bench.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_block: @pytest.mark.ethrex_block measures nothing *add the*"])


def sides(bench: Bench) -> tuple[str, str]:
    """Ten per cent of a regression."""
    head = bench.program("head", exec_ms=66)
    return f"--ethrex-replay={head}", f"--ethrex-base={bench.program('base')}"


def test_a_test_that_does_not_call_gate_is_judged(bench: Bench) -> None:
    bench.pytester.makepyfile(UNGATED.format(arguments=""))
    result = bench.run(*sides(bench))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["regression: mainnet/24443168 exec is *"])


@pytest.mark.parametrize("skip", ["pytest.skip('no')", "raise unittest.SkipTest('no')"])
def test_a_test_that_skips_itself_after_the_measurement_is_judged(bench: Bench, skip: str) -> None:
    test = UNGATED.format(arguments="").replace("import pytest", "import pytest, unittest", 1)
    bench.pytester.makepyfile(f"{test.rstrip()}\n        {skip}\n")
    bench.run(*sides(bench)).assert_outcomes(failed=1)


def test_a_test_that_skips_itself_without_a_regression_is_skipped(bench: Bench) -> None:
    bench.pytester.makepyfile(f"{UNGATED.format(arguments='').rstrip()}\n        pytest.skip('no')\n")
    same = f"--ethrex-base={bench.program('base')}"
    bench.run(f"--ethrex-replay={bench.program('head')}", same, "--ethrex-repeat=3").assert_outcomes(
        skipped=1
    )


def test_it_says_so_if_it_judges_by_itself(bench: Bench) -> None:
    bench.pytester.makepyfile(UNGATED.format(arguments=", gate=False"))
    bench.run(*sides(bench)).assert_outcomes(passed=1)


def test_a_fixture_without_a_block_says_how_to_take_it(bench: Bench) -> None:
    bench.pytester.makepyfile(BY_NAME)
    result = bench.run(f"--ethrex-replay={bench.program('head')}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*take it as an argument of the test*"])
    result.stdout.no_fnmatch_line("*AttributeError*")
