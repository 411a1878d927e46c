"""Under pytest-xdist a block is one worker's, one measures at a time, and results meet in the controller."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult
    from tests.conftest import Bench

GREEN = ("--ethrex-margin=20%", "--ethrex-tolerance=25%")  # for the head that is 10 % slower
HOLD = """
import sys
from pytest_ethrex_perf.host.lock import measuring
with measuring("pytest of somebody else", timeout=0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def sides(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options that gate a slower program on blocks of which there are six, quickly."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # pytest-benchmark looks at it
    bench.cache(*range(1, 7))
    head, base = bench.program("head", exec_ms=66), bench.program("base")
    return (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-repeat=3", "--ethrex-looks=6")


def run(bench: Bench, *arguments: str) -> pytest.RunResult:
    """Run pytest with two workers."""
    idle = ("-p", "no:hypothesispytest", "-p", "no:cacheprovider")  # three processes load what is not needed
    return bench.pytester.runpytest_subprocess("-n2", *idle, "--ethrex-profile=off", *arguments)


def taken(block: BlockResult) -> list[Invocation]:
    """All its invocations."""
    return [side for pair in block.pairs for side in (pair.base, pair.head)] + list(block.invocations)


def times(block: BlockResult) -> tuple[datetime, datetime]:
    """When its first invocation began and its last one ended."""
    starts = [(datetime.fromisoformat(each.started), each.wall_ns) for each in taken(block)]
    return min(starts)[0], max(start + timedelta(microseconds=wall / 1e3) for start, wall in starts)


def test_verdicts_and_results_are_those_of_the_whole_run(bench: Bench, sides: tuple[str, ...]) -> None:
    options = (*sides, "--ethrex-block=1..4", "--ethrex-metrics=exec,prep")
    result = run(bench, *options, "--ethrex-json=r.json", "-v", "--junitxml=j.xml", "--ethrex-report=html")
    result.assert_outcomes(failed=4, passed=4)
    whole = bench.results("r.json")
    assert [block.block for block in whole.blocks] == [f"mainnet/{number}" for number in range(1, 5)]
    assert whole.gatings == 8
    assert {m.rules.gatings for block in whole.blocks for m in block.metrics} == {8}
    result.stdout.fnmatch_lines(
        [
            "ethrex-perf 0*: head *",
            "*ethrex-perf: 4 regressions, 4 unchanged*",
            "no mean over blocks: *, without -n",
            "written: */r.json *",
        ]
    )
    assert {word for word in ("[gw0]", "[gw1]") if word in result.stdout.str()} == {"[gw0]", "[gw1]"}
    # each block by itself, and nothing twice
    assert len(bench.calls("bin/head")) == sum(len(block.pairs) for block in whole.blocks)
    in_order = sorted(map(times, whole.blocks))
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(in_order))
    assert (bench.path / "j.xml").read_text().count('"ethrex_verdict" value="regression"') == 4
    assert "4 of 4 blocks got slower: worst +" in (bench.path / "html" / "index.html").read_text()


def test_whoever_asks_for_a_block_shares_its_measurement(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.pytester.makepyfile(
        test_one="""
        import pytest

        @pytest.mark.ethrex_block(1, 2, gate=False)
        @pytest.mark.parametrize("other", ["a", "b"])
        def test_one(ethrex_block, other):
            assert ethrex_block.result.metrics

        def test_apart():
            pass
        """,
        test_two="""
        import pytest

        @pytest.mark.ethrex_block(2, 1)
        def test_two(ethrex_block, benchmark):
            ethrex_block.gate()
        """,
    )
    result = run(bench, *sides, "--ethrex-json=r.json", ".")
    result.assert_outcomes(passed=5, failed=2)
    whole = bench.results("r.json")
    assert sorted(block.block for block in whole.blocks) == ["mainnet/1", "mainnet/2"]
    assert whole.gatings == 2
    assert len(bench.calls("bin/head")) == 12
    result.stdout.fnmatch_lines(["*ethrex-perf: 2 regressions*"])


def test_only_the_controller_writes(
    bench: Bench, sides: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "summary.md"))
    result = run(bench, *sides, "--ethrex-block=1,2", "--ethrex-markdown=m.md", "--ethrex-csv=t.csv")
    result.assert_outcomes(failed=2)
    assert (bench.path / "summary.md").read_text().count("2 of 2 blocks got slower: worst +") == 1
    assert (bench.path / "t.csv").read_text().count("regression") == 2
    assert result.stdout.str().count("written: ") == 3


def test_selecting_narrows_the_family_as_without_it(bench: Bench, sides: tuple[str, ...]) -> None:
    run(bench, *sides, "--ethrex-block=1..6", "-k", "mainnet/2 or mainnet/3", "--ethrex-json=r.json")
    assert [block.block for block in bench.results("r.json").blocks] == ["mainnet/2", "mainnet/3"]
    assert bench.results("r.json").gatings == 2
    run(bench, *sides, "--ethrex-block=1..6", "--ethrex-shard=1/2", "--ethrex-json=s.json")
    shard = bench.results("s.json")
    assert (len(shard.blocks), shard.gatings, shard.shard) == (3, 6, "1/2")


def test_last_failed_and_stopping_at_the_first_failure(bench: Bench, sides: tuple[str, ...]) -> None:
    last = bench.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    last.parent.mkdir(parents=True)
    last.write_text('{"ethrex-block::mainnet/1::exec": true, "ethrex-block::mainnet/2::exec": true}')
    both = bench.pytester.runpytest_subprocess
    options = ("-n2", *sides, "--ethrex-metrics=exec,prep")
    both(*options, "--ethrex-block=1,2", "--lf").assert_outcomes(failed=2)
    result = both(*options, "--ethrex-block=1..5", "-x", "--ethrex-json=r.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    blocks = bench.results("r.json").blocks
    assert len(blocks) == 5, "also what was not measured"
    assert any(block.metrics for block in blocks)
    result.stdout.fnmatch_lines(["*ethrex-perf: *regression*not measured*"])


def test_baselines_are_recorded_and_compared_with(bench: Bench, sides: tuple[str, ...]) -> None:
    base = sides[1].replace("base", "replay", 1)
    short = ("--ethrex-repeat=3", "--ethrex-invocations=2", "--ethrex-block=1,2")
    result = run(bench, base, *short, "--ethrex-update-baseline", "--ethrex-json=r.json")
    result.assert_outcomes(passed=2)
    assert len(list((bench.path / "baselines").rglob("*.json"))) == 2
    assert all(block.recorded for block in bench.results("r.json").blocks)
    options = (sides[0], "--ethrex-repeat=3", "--ethrex-block=1,2", "--ethrex-json=s.json")
    run(bench, *options, "--ethrex-looks=6").assert_outcomes(failed=2)
    assert {block.mode for block in bench.results("s.json").blocks} == {"interleaved"}


def test_counts_are_judged_as_without_it(bench: Bench, sides: tuple[str, ...]) -> None:
    perf = bench.perf(per_repeat={"instructions:u": 688_000_000}, noise=0.002)
    bench.pytester.makeconftest(
        f"""
        from pytest_ethrex_perf.counters import probe
        from pytest_ethrex_perf.host.perf_tool import PerfTool

        probe.find = lambda *_, **__: PerfTool({str(perf)!r}, "6.8.12")
        """
    )
    options = (*sides, "--ethrex-block=1,2", "--ethrex-metrics=exec,instructions", "--ethrex-json=r.json")
    run(bench, *options).assert_outcomes(failed=2, passed=2)
    for block in bench.results("r.json").blocks:
        assert block.metric("instructions").decision.verdict == "unchanged"
        assert all("instructions" in pair.head.counts for pair in block.pairs)


def test_the_time_budget_is_shared_out_over_the_blocks(bench: Bench, sides: tuple[str, ...]) -> None:
    head = bench.program("noisy", noise=0.3)  # so that nothing is ever proven
    options = (*sides[1:-1], f"--ethrex-replay={head}", "--ethrex-block=1..6", "--ethrex-looks=6,200")
    result = run(bench, *options, "--ethrex-time-budget=6s", "--ethrex-json=r.json")
    result.assert_outcomes(passed=6)
    blocks = bench.results("r.json").blocks
    assert {m.decision.verdict for block in blocks for m in block.metrics} == {"inconclusive"}
    # a worker that knew of no other block would have left nothing to its second one
    assert all(0 < len(block.pairs) < 200 for block in blocks)


def test_workers_of_one_run_wait_for_each_other_as_long_as_it_takes(
    bench: Bench, sides: tuple[str, ...]
) -> None:
    result = run(bench, *sides, "--ethrex-block=1..6", "--ethrex-lock-timeout=1ms", "--ethrex-json=r.json")
    result.assert_outcomes(failed=6)
    assert "waiting up to" not in result.stderr.str()


def test_another_run_is_waited_for_and_given_up_once(bench: Bench, sides: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        result = run(bench, *sides, "--ethrex-block=1..6", "--ethrex-lock-timeout=1200ms")
        other.stdin.close()
    result.assert_outcomes(errors=6)
    result.stdout.fnmatch_lines(["another run measures on this machine: pytest of somebody else *"])
    assert result.stderr.str().count("waiting up to 1 s for pytest of somebody else") == 2, "one a worker"


@pytest.mark.parametrize("phase", ["setup", "call"])
def test_a_worker_that_crashes_leaves_what_was_measured(
    bench: Bench, sides: tuple[str, ...], phase: str
) -> None:
    bench.pytester.makeconftest(
        f"""
        import os

        def pytest_runtest_{phase}(item):
            if "mainnet/5" in item.nodeid:
                os._exit(3)
        """
    )
    result = run(bench, *sides, "--ethrex-block=1..6", *GREEN, "--ethrex-json=r.json", ".")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=5, failed=1)
    blocks = {block.block: block for block in bench.results("r.json").blocks}
    assert len(blocks) == 6
    crashed = blocks.pop("mainnet/5")
    if phase == "setup":
        assert crashed.error is not None
        assert "crashed while running" in crashed.error
    else:
        assert crashed.metrics
    assert all(block.metrics for block in blocks.values())


def test_another_machines_results_are_not_mixed_in(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.pytester.makeconftest(
        """
        import os
        from pytest_ethrex_perf.host import machine

        identify = machine.identify
        if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
            machine.identify = lambda **_: identify(name="another")
        """
    )
    result = run(bench, *sides, "--ethrex-block=1..6", *GREEN, "--ethrex-json=r.json", ".")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=6)
    line = "ethrex-perf: gw* and gw* do not belong together: machine *: the results of gw* are left out"
    result.stdout.fnmatch_lines([line])
    whole = bench.results("r.json")
    left_out = [block for block in whole.blocks if block.error]
    assert 0 < len(left_out) < 6
    assert "do not belong together: machine" in str(left_out[0].error)


def test_who_chooses_a_distribution_is_told_when_it_measures_twice(
    bench: Bench, sides: tuple[str, ...]
) -> None:
    options = (*sides, "--ethrex-block=1,2", *GREEN, "--dist=each", "--ethrex-json=r.json")
    result = run(bench, *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ethrex-perf: mainnet/1 was measured by gw? and gw?, *--dist=load*"])
    assert len(bench.results("r.json").blocks) == 2


def test_a_wrong_setting_is_wrong_usage_as_without_it(bench: Bench) -> None:
    result = run(bench, "--ethrex-block=1", "--ethrex-margin=much")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    program = f"--ethrex-replay={bench.program('head')}"
    # only the workers know how many there are
    result = run(bench, "--ethrex-block=1", program, "--ethrex-shard=2/3")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*only 1 blocks for 3 shards*"])


def test_workers_make_a_workload_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    base, head = bench.program("base"), bench.program("head")
    options = (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-repeat=3", "--ethrex-looks=6")
    run(bench, *options, "--ethrex-block=workload:keccak,workload:mulmod").assert_outcomes(passed=2)
    made = [call for call in bench.calls(base) if "--cached" not in call["argv"]]
    assert len(made) == 2
    assert all("--cached" in call["argv"] for call in bench.calls(head))
