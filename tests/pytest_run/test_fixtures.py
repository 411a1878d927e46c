"""The fixtures of declared tests: a block that is gated, and a replay that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench

DECLARED = """
    import pytest

    @pytest.mark.ethrex_block({arguments})
    def test_block(ethrex_block):
        result = ethrex_block.gate()
        assert result.head.ggas_per_s > 0.5
"""


def declare(bench: Bench, arguments: str) -> None:
    bench.pytester.makepyfile(DECLARED.format(arguments=arguments))


def sides(bench: Bench, exec_ms: float = 60) -> tuple[str, str]:
    return (
        f"--ethrex-replay={bench.program('head', exec_ms=exec_ms)}",
        f"--ethrex-base={bench.program('base')}",
    )


def test_gate_fails_the_test_on_a_regression(bench: Bench) -> None:
    declare(bench, "24443168")
    result = bench.run(*sides(bench, exec_ms=66))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["regression: mainnet/24443168 exec is *"])


def test_what_the_test_asserts_besides_fails_it_too(bench: Bench) -> None:
    declare(bench, "24443168")
    head, base = bench.program("head", exec_ms=90), bench.program("base", exec_ms=90)
    result = bench.run(f"--ethrex-replay={head}", f"--ethrex-base={base}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 0.4* > 0.5*"])


def test_trouble_while_measuring_is_an_error(bench: Bench) -> None:
    declare(bench, "24443168")
    head, base = bench.program("head", behaviour="half"), bench.program("base")
    bench.run(f"--ethrex-replay={head}", f"--ethrex-base={base}").assert_outcomes(errors=1)


def test_no_block_at_all_is_an_error_that_says_what_to_do(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_it(ethrex_block): pass")
    result = bench.run(*sides(bench))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no block to gate: mark the test with @pytest.mark.ethrex_block(24443168)*"])


def test_the_lower_fixture_replays_without_baseline_or_verdict(bench: Bench) -> None:
    bench.pytester.makepyfile(
        """
        def test_replay(ethrex_replay):
            measured = ethrex_replay(24443168, repeat=3)
            assert len(measured.exec_ns) == len(measured.prep_ns) == 3
            assert measured.gas == 37_500_000
            assert 40e6 < measured.exec_ns[1] < 90e6
            assert len(ethrex_replay(24443168, repeat=1).exec_ns) == 1
        """
    )
    bench.run(f"--ethrex-replay={bench.program('head')}").assert_outcomes(passed=1)


def test_the_lower_fixture_fails_the_test_when_the_program_fails(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_replay(ethrex_replay): ethrex_replay(24443168)")
    result = bench.run(f"--ethrex-replay={bench.program('head', behaviour='half')}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["mainnet/24443168: *"])
