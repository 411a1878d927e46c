"""What a gate does to a pytest run: passes, failures, errors, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import junitparser
import pytest
from junitparser import xunit2

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_an_unchanged_program_passes_and_says_so(bench: Bench) -> None:
    result = bench.compare(bench.program("head"), bench.program("base"))
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*ethrex-perf: 1 unchanged*", "Block*Txs*Gas*Baseline*Head*Delta", "mainnet/24443168*✅*"]
    )


def test_a_slower_program_fails_with_the_verdict_first(bench: Bench) -> None:
    result = bench.compare(bench.program("head", exec_ms=64), bench.program("base"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"_+ ethrex-block::mainnet/24443168::exec _+",
            r"regression: mainnet/24443168 exec is \d\.\d % slower \(.* to .*\): .* → .*\. Sure \(p = ",
        ],
        consecutive=True,
    )
    result.stdout.fnmatch_lines(
        ["*reproduce: pytest --ethrex-block=mainnet/24443168 *--ethrex-base=bin/base*"]
    )


def test_a_faster_program_passes(bench: Bench) -> None:
    result = bench.compare(bench.program("head", exec_ms=56), bench.program("base"))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*ethrex-perf: 1 improvement*"])


def test_a_program_that_fails_is_an_error_that_names_the_kept_output(bench: Bench) -> None:
    result = bench.compare(bench.program("head", behaviour="execution error"), bench.program("base"))
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    kept = bench.path / "ethrex-perf-logs" / "mainnet-24443168-head-001.log"
    result.stdout.fnmatch_lines([f"mainnet/24443168: *the whole output is in {kept}"])
    assert "Execution Error" in kept.read_text()
    result.stdout.no_fnmatch_line("*During handling of*")


def test_one_broken_block_leaves_the_others_their_verdicts(bench: Bench) -> None:
    bench.cache(1, 3)
    result = bench.compare(bench.program("head"), bench.program("base"), block="1..3")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["mainnet/2: no cache file */replay_cache/cache_mainnet_2.json*--ethrex-rpc-url*"]
    )


def test_the_same_program_twice_is_skipped_in_plain_sight(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.compare(program, program)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["mainnet/24443168: skipped: base and head are the same program*--ethrex-aa*"]
    )
    assert bench.calls(program) == []


def test_junit_has_the_verdict_first_and_the_numbers_as_properties(bench: Bench) -> None:
    bench.compare(bench.program("head", exec_ms=64), bench.program("base"), "--junitxml=junit.xml")
    (suite,) = xunit2.JUnitXml.fromfile(str(bench.path / "junit.xml"))
    (case,) = cast("list[xunit2.TestCase]", list(suite))
    (failure,) = case.result
    assert failure.message.startswith("Failed: regression: mainnet/24443168 exec is ")
    properties = {item.name: item.value for item in case.properties()}
    assert properties["ethrex_block"] == "mainnet/24443168"
    assert properties["ethrex_verdict"] == "regression"
    assert float(properties["ethrex_estimate"]) > 0.03


def test_a_block_and_its_error_are_found_in_junit(bench: Bench) -> None:
    bench.compare(bench.program("head", behaviour="killed"), bench.program("base"), "--junitxml=junit.xml")
    (suite,) = junitparser.JUnitXml.fromfile(str(bench.path / "junit.xml"))
    assert suite.errors == 1
    assert suite.failures == 0


def test_every_invocation_is_cached_and_of_the_block_asked_for(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    bench.compare(head, base, "--ethrex-repeat=5")
    for program in (head, base):
        for call in bench.calls(program):
            line = " ".join(call["argv"])
            assert "block 24443168" in line
            assert "--cached --network mainnet" in line
            assert "--no-zkvm --repeat 5" in line
            assert "--rpc-url" not in line
            assert "PYTEST_CURRENT_TEST" not in call["environ"]


def test_sides_alternate_abba(bench: Bench) -> None:
    bench.compare(bench.program("head"), bench.program("base"), "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    firsts = [pair.first for pair in block.pairs]
    assert firsts[:4] == ["base", "head", "base", "head"]
    starts = [(pair.base.started, pair.head.started) for pair in block.pairs]
    assert all((base < head) == (first == "base") for (base, head), first in zip(starts, firsts, strict=True))
