"""Declared tests: the marker and the fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


def test_one_test_a_block(bench: Bench) -> None:
    bench.cache(1)
    declare(bench, "24443168, 1")
    result = bench.run("-v", *sides(bench))
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*::test_block[[]mainnet/24443168] PASSED*", "*::test_block[[]mainnet/1] PASSED*"]
    )


def test_gate_fails_the_test_on_a_regression(bench: Bench) -> None:
    declare(bench, "24443168")
    result = bench.run(*sides(bench, exec_ms=66))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["regression: mainnet/24443168 exec +*"])


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


def test_marker_settings_win_over_the_command_line(bench: Bench) -> None:
    bench.cache(7, network="Hoodi")
    declare(bench, '7, network="hoodi", margin="20%", tolerance="40%", repeat=7, metrics="exec,prep"')
    result = bench.run(
        *sides(bench, exec_ms=66), "--ethrex-margin=2%", "--ethrex-repeat=5", "--ethrex-json=r.json"
    )
    result.assert_outcomes(passed=1)
    (block,) = bench.results("r.json").blocks
    assert block.block == "hoodi/7"
    assert block.repeat == 7
    assert [metric.metric for metric in block.metrics] == ["exec", "prep"]
    assert {metric.rules.margin for metric in block.metrics} == {0.2}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("24443168, margn='2%'", "*unknown name 'margn': did you mean 'margin'?*"),
        ("24443168, margin=5", "*margin=*5 is not a value of it: write 5% for a percentage*"),
        ("24443168, margin='5%', tolerance='3%'", "*margin (0.05) must be below the tolerance (0.03)*"),
        ("'nonsense'", "*bad block spec 'nonsense'*the form is*"),
        ("", "*name a block: ethrex_block(24443168)*"),
    ],
)
def test_a_bad_marker_is_one_clear_line(bench: Bench, arguments: str, told: str) -> None:
    declare(bench, arguments)
    result = bench.run(*sides(bench))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([told])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_without_a_marker_the_blocks_of_the_command_line_are_taken(bench: Bench) -> None:
    bench.pytester.makepyfile(
        "def test_it(ethrex_block): assert ethrex_block.gate().block == 'mainnet/24443168'"
    )
    bench.gate(".", *sides(bench)).assert_outcomes(passed=2)


def test_no_block_at_all_is_an_error_that_says_what_to_do(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_it(ethrex_block): pass")
    result = bench.run(*sides(bench))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no block to gate: mark the test with @pytest.mark.ethrex_block(24443168)*"])


def test_declared_and_synthetic_items_are_one_family_and_share_measurements(bench: Bench) -> None:
    declare(bench, "24443168")
    head, base = sides(bench)
    result = bench.gate(".", head, base, "--ethrex-json=r.json", "--ethrex-metrics=exec,prep")
    result.assert_outcomes(passed=3)
    run = bench.results("r.json")
    assert run.gatings == 2
    assert len(run.blocks) == 1


def test_the_same_block_under_other_limits_is_another_gating_of_the_family(bench: Bench) -> None:
    declare(bench, "24443168, margin='2%'")
    result = bench.gate(".", *sides(bench), "--ethrex-json=r.json")
    result.assert_outcomes(passed=2)
    assert bench.results("r.json").gatings == 2


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
    result = bench.run(f"--ethrex-replay={bench.program('head', behaviour='nothing')}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["mainnet/24443168: *"])


def test_classes_and_modules_can_be_marked(bench: Bench) -> None:
    bench.cache(1)
    bench.pytester.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.ethrex_block(24443168)

        @pytest.mark.ethrex_block(1)
        class TestBlocks:
            def test_it(self, ethrex_block):
                ethrex_block.gate()
        """
    )
    bench.run(*sides(bench)).assert_outcomes(passed=2)
