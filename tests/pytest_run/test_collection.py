"""What a run gates: the items that are selected, and the blocks of declared tests, as one family."""

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


def test_k_selects_and_only_what_is_selected_is_measured(bench: Bench, slow: tuple[str, ...]) -> None:
    bench.run(*slow, "-k", "mainnet/2 and prep", "--ethrex-json=r.json").assert_outcomes(
        passed=1, deselected=5
    )
    (block,) = bench.results("r.json").blocks
    assert block.block == "mainnet/2"
    assert [metric.metric for metric in block.metrics] == ["prep"]
    assert bench.results("r.json").gatings == 1


def test_m_selects_by_our_mark(bench: Bench, slow: tuple[str, ...]) -> None:
    bench.pytester.makepyfile("def test_other(): pass")
    bench.run(*slow, ".", "-m", "ethrex_block", "-k", "mainnet/1").assert_outcomes(
        failed=1, passed=1, deselected=5
    )
    bench.run(*slow, ".", "-m", "not ethrex_block").assert_outcomes(passed=1, deselected=6)


def test_deselect_by_node_id(bench: Bench, slow: tuple[str, ...]) -> None:
    result = bench.run(
        *slow, "--deselect=ethrex-block::mainnet/1", "--deselect=ethrex-block::mainnet/2::exec"
    )
    result.assert_outcomes(failed=1, passed=2, deselected=3)


def test_deselecting_everything_is_never_green(bench: Bench, slow: tuple[str, ...]) -> None:
    assert bench.run(*slow, "-k", "nothing").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_one_test_a_block(bench: Bench) -> None:
    bench.cache(1)
    declare(bench, "24443168, 1")
    result = bench.run("-v", *sides(bench))
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*::test_block[[]mainnet/24443168] PASSED*", "*::test_block[[]mainnet/1] PASSED*"]
    )


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
    ("arguments", "line"),
    [
        ("24443168, margn='2%'", "*unknown name 'margn': did you mean 'margin'?*"),
        ("24443168, margin=5", "*margin=*5 is not a value of it: write 5% for a percentage*"),
        ("24443168, margin='5%', tolerance='3%'", "*margin (0.05) must be below the tolerance (0.03)*"),
        ("'nonsense'", "*bad block spec 'nonsense'*the form is*"),
        ("", "*name a block: ethrex_block(24443168)*"),
    ],
)
def test_a_bad_marker_is_one_clear_line(bench: Bench, arguments: str, line: str) -> None:
    declare(bench, arguments)
    result = bench.run(*sides(bench))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([line])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_without_a_marker_the_blocks_of_the_command_line_are_taken(bench: Bench) -> None:
    bench.pytester.makepyfile(
        "def test_it(ethrex_block): assert ethrex_block.gate().block == 'mainnet/24443168'"
    )
    bench.gate(".", *sides(bench)).assert_outcomes(passed=2)


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
