"""Beside pytest-benchmark: our samples in its table, and no conflict where it is off, away or replaced."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.pytest_run.benchmark_table import Playback
from tests import sampling

if TYPE_CHECKING:
    from tests.conftest import Bench

TEST = """
    import pytest

    @pytest.mark.benchmark(group="replays")
    @pytest.mark.ethrex_block(24443168)
    def test_block(ethrex_block, benchmark):
        ethrex_block.gate()
"""


@pytest.fixture
def sides(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # it looks at it, and these tests may run there
    bench.pytester.makepyfile(TEST)
    head, base = bench.program("head"), bench.program("base")
    return (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-looks=6", "--ethrex-repeat=5")


def test_the_samples_are_its_rounds(bench: Bench, sides: tuple[str, ...]) -> None:
    result = bench.run(*sides, "--benchmark-json=b.json", "--ethrex-json=r.json", "-W", "error")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*benchmark 'replays': 1 tests*", "test_block*"])
    (benchmark,) = bench.json("b.json")["benchmarks"]
    (block,) = bench.results("r.json").blocks
    samples = sampling.seconds([pair.head for pair in block.pairs])
    assert all(map(math.isclose, benchmark["stats"]["data"], samples))
    assert benchmark["stats"]["rounds"] == 6
    assert benchmark["group"] == "replays"
    assert benchmark["extra_info"] == {"ethrex_exec_verdict": str(block.metrics[0].decision.verdict)}


@pytest.mark.parametrize("option", ["--benchmark-disable", "--benchmark-only", "--benchmark-save=x"])
def test_its_own_options_change_no_verdict(bench: Bench, sides: tuple[str, ...], option: str) -> None:
    bench.run(*sides, option).assert_outcomes(passed=1)


def test_skipping_benchmarks_skips_it(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.run(*sides, "--benchmark-skip").assert_outcomes(skipped=1)


def test_a_regression_fails_the_test_all_the_same(bench: Bench, sides: tuple[str, ...]) -> None:
    slow = bench.program("slow", exec_ms=70)
    bench.run(*sides[1:], f"--ethrex-replay={slow}").assert_outcomes(failed=1)


def test_without_it_a_test_that_does_not_ask_for_it_runs(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.pytester.makepyfile(
        TEST.replace(", benchmark)", ")").replace('@pytest.mark.benchmark(group="replays")', "")
    )
    bench.run(*sides, "-p", "no:benchmark").assert_outcomes(passed=1)


def test_anothers_fixture_of_that_name_is_left_alone(bench: Bench, sides: tuple[str, ...]) -> None:
    bench.pytester.makeconftest(
        """
        import pytest

        class Other:
            def __getattr__(self, name):
                raise AssertionError(name)

        @pytest.fixture
        def benchmark():
            return Other()
        """
    )
    bench.run(*sides, "-p", "no:benchmark").assert_outcomes(passed=1)


def test_pytest_codspeed_measures_by_itself_and_changes_no_verdict(
    bench: Bench, sides: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pytest_codspeed")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p tests.instant_programs -p tests.whole_programs")
    bench.pytester.makepyfile(
        TEST
        + """
    @pytest.mark.benchmark
    @pytest.mark.ethrex_block(24443168)
    def test_again_and_again(ethrex_block):
        ethrex_block.gate()
    """
    )
    options = ("--codspeed", "--codspeed-max-rounds=3", "--codspeed-warmup-time=0", "-W", "error")
    result = bench.pytester.runpytest_subprocess(*sides, *options, "--junitxml=j.xml", "--ethrex-json=r.json")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_again_and_again*", "*1 benchmarked*", "*ethrex-perf: 1 *"])
    assert len(bench.results("r.json").blocks[0].pairs) == 6
    # once for each of the two, however often the second one judged
    assert (bench.path / "j.xml").read_text().count('name="ethrex_verdict"') == 2
    slow = bench.program("slow", exec_ms=70)
    slower = (*sides[1:], f"--ethrex-replay={slow}", "--ethrex-profile=off")
    result = bench.pytester.runpytest_subprocess(*slower, *options)
    result.assert_outcomes(failed=2)
    result = bench.pytester.runpytest_subprocess("--codspeed", "--ethrex-block=1")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED, "it deselects what is no benchmark: never green"


def test_a_playback_that_has_nothing_to_tell_is_a_clock() -> None:
    timer = Playback()
    assert timer() <= timer()
    timer.load([0.5, 0.25])
    assert [timer(), timer(), timer(), timer()] == [0.0, 0.5, 0.0, 0.25]
    assert timer() > 1.0
