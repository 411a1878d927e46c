"""--ethrex-aa: base against itself, through the same path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_the_program_is_run_against_itself_without_a_baseline(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.gate(f"--ethrex-replay={program}", "--ethrex-aa", "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["ethrex-perf *: head bin/head (*) | base bin/head (*) | machine * | interleaved, A/A", "*, A/A *"]
    )
    (block,) = bench.results().blocks
    assert block.aa
    assert len(bench.calls(program)) == 2 * len(block.pairs)
    assert len(block.pairs) >= 6


def test_with_a_base_it_is_the_base_that_runs(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    bench.compare(head, base, "--ethrex-aa", "--ethrex-repeat=3").assert_outcomes(passed=1)
    assert bench.calls(head) == []
    assert len(bench.calls(base)) >= 12


def test_a_difference_to_itself_says_that_the_gate_is_broken_here(bench: Bench) -> None:
    program = bench.program("odd", drift=[1, 1.5, 1.5, 1])  # base, head, head, base
    result = bench.gate(f"--ethrex-replay={program}", "--ethrex-aa", "--ethrex-repeat=3")
    result.assert_outcomes(failed=1)
    told = (
        "regression: mainnet/24443168 exec is * – base against itself: the gate is broken on this machine, "
        "trust none of its verdicts"
    )
    result.stdout.fnmatch_lines([told])
