"""--ethrex-counters: what the clock can't see, with what there is; --ethrex-metrics on what was counted."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline import acceptance, store
from pytest_ethrex_perf.baseline.recording import ContradictionError
from pytest_ethrex_perf.cli import main
from pytest_ethrex_perf.counters import callgrind, perf_stat
from pytest_ethrex_perf.host import perf_tool
from pytest_ethrex_perf.records.decision import Rules
from tests.counters import conftest as counters
from tests.counters.conftest import build

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.measurement import Count
    from tests.conftest import Bench

GUIDE = {
    "instructions:u": 688_000_000,
    "cycles:u": 270_000_000,
    "branches:u": 120_000_000,
    "branch-misses:u": 800_000,
    "cache-references:u": 9_000_000,
    "cache-misses:u": 1_200_000,
    "L1-dcache-load-misses:u": 5_000_000,
    "task-clock:u": 90,
    "page-faults:u": 3_000,
}
FAST = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-json=results.json")


@pytest.fixture(scope="session")
def known_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled program whose work is known (tests/counters/program.c)."""
    return build(counters.SOURCE, tmp_path_factory.mktemp("known") / "known-work")


def of_counts_and_of_times(bench: Bench) -> tuple[Baseline, Baseline]:
    """The two baselines of a block of which callgrind counted."""
    baselines = [store.load(file) for file in store.files(bench.path / "baselines")]
    apart, timed = sorted(baselines, key=lambda baseline: baseline.times)
    return apart, timed


@pytest.fixture
def valgrind() -> callgrind.Tool:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    return callgrind.find(os.environ)


# --- perf -------------------------------------------------------------------------------------------------


def test_auto_counts_with_perf_and_shows_both_sides_beside_each_other(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE, noise=0.002)
    result = bench.compare(bench.program("head"), bench.program("base"), *FAST)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "counters: perf 6.8 counts this CPU's events, method window",
            "  instructions (window) * 6[89]?.? M ? 0.? % * 6[89]?.? M ? 0.? % *",
            "  branch-misses (window) *",
            "  IPC * 2.55 *",
        ]
    )
    (block,) = bench.results().blocks
    turns = [set(pair.head.counts) for pair in block.pairs]
    assert [set(pair.base.counts) for pair in block.pairs] == turns, "both sides of a pair count the same"
    assert turns[0] == turns[2] != turns[1]
    assert "cache-misses" in turns[0] ^ turns[1]
    assert set.union(*turns) == {event.removesuffix(":u") for event in GUIDE} - {"page-faults"}, "wait4 knows"


def test_the_rest_is_shown_with_v(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE)
    programs = bench.program("head"), bench.program("base")
    assert "L1d misses/Mgas" not in bench.compare(*programs, *FAST).stdout.str()
    told = bench.compare(*programs, *FAST, "-v").stdout.str()
    for name in ("branch miss rate", "L1d misses/instruction", "branch misses/Mgas", "instructions/Mgas"):
        assert f"  {name}" in told
    assert "(IPC 2.55: good (above 2))" in told
    assert "cache miss rate 13.3 %: poor locality (above 10 %))" in told


def test_instructions_are_gated_like_time(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE, by_program={"head": 1.03}, noise=0.002)
    programs = bench.program("head"), bench.program("base")
    result = bench.compare(*programs, *FAST, "--ethrex-metrics=exec,instructions")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "regression: mainnet/24443168 instructions are *: 6[89]?.? M → 7??.? M (a count, not time: *",
            "*instructions: a count was gated, not time: a build can execute fewer instructions and be no*",
        ]
    )
    metric = bench.results().blocks[0].metric("instructions")
    assert (metric.unit, metric.rules.margin, metric.rules.tolerance) == ("", 0.01, 0.03)
    assert metric.rules.floor == 0, "it is a time"


def test_cpu_time_is_judged_without_a_pmu_and_said_to_be_no_latency(bench: Bench) -> None:
    bench.perf(per_repeat={"task-clock:u": 90}, by_program={"head": 1.1}, noise=0.005)
    programs = bench.program("head"), bench.program("base")
    metrics = "--ethrex-metrics=exec,task-clock"
    result = bench.compare(*programs, *FAST, metrics, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "counters: no PMU: *; task-clock is counted",
            "regression: mainnet/24443168 task-clock is * ms → * ms (CPU time of all threads, no*2 % margin*",
            "*note: task-clock: CPU time of all threads was gated, not latency: threads*",
        ]
    )
    result.stdout.no_fnmatch_line("*a count was gated*")
    metric = bench.results().blocks[0].metric("task-clock")
    assert (metric.unit, metric.rules.margin, metric.rules.tolerance) == ("ns", 0.02, 0.05)
    assert metric.rules.floor == 0.2e6


def test_cpu_time_has_a_floor_and_margins_of_its_own(bench: Bench) -> None:
    bench.perf(per_repeat={"task-clock:u": 90}, by_program={"head": 1.1}, noise=0.001)
    bench.pytester.path.joinpath("ethrex-perf.toml").write_text("[metric.task-clock]\nfloor = 10\n")
    programs = bench.program("head"), bench.program("base")
    options = (*FAST, "--ethrex-metrics=task-clock")
    bench.compare(*programs, *options).assert_outcomes(passed=1)
    decision = bench.results().blocks[0].metric("task-clock").decision
    assert "less than your floor of 10.00 ms" in decision.reason


def test_cpu_time_is_not_gated_unless_asked_for(bench: Bench) -> None:
    bench.perf(per_repeat={"task-clock:u": 90}, by_program={"head": 1.5})
    programs = bench.program("head"), bench.program("base")
    bench.compare(*programs, *FAST).assert_outcomes(passed=1)


def test_every_judged_event_is_counted_in_every_pair(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE, noise=0.002)
    programs = bench.program("head"), bench.program("base")
    metrics = "--ethrex-metrics=cache-misses,branch-misses"
    bench.compare(*programs, *FAST, metrics).assert_outcomes(passed=2)
    for pair in bench.results().blocks[0].pairs:
        assert {"cache-misses", "branch-misses"} <= set(pair.base.counts) & set(pair.head.counts)


def test_what_was_counted_only_some_of_the_time_is_shown_and_never_judged(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE, running=93)
    programs = bench.program("head"), bench.program("base")
    result = bench.compare(*programs, *FAST, "--ethrex-metrics=instructions")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*instructions can't be judged: it was counted 93 % of the time only*"])


@pytest.mark.parametrize("metrics", ["instructions", "exec,cycles"])
def test_gating_on_what_can_not_be_counted_is_wrong_usage(bench: Bench, metrics: str) -> None:
    bench.perf(per_repeat={"task-clock:u": 2})
    told = bench.refuse(f"--ethrex-block={1}", f"--ethrex-metrics={metrics}")
    assert "this can't be counted here: no PMU" in told
    assert "instructions with --ethrex-counters callgrind" in told


def test_a_declared_test_that_asks_for_it_is_an_error_and_the_others_go_on(bench: Bench) -> None:
    bench.cache(1, 2)
    bench.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ethrex_block(1)
        def test_time(ethrex_block):
            ethrex_block.gate()

        @pytest.mark.ethrex_block(2, metrics=["instructions"])
        def test_work(ethrex_block):
            ethrex_block.gate()
        """
    )
    head, base = bench.program("head"), bench.program("base")
    result = bench.run(f"--ethrex-replay={head}", f"--ethrex-base={base}", *FAST)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*--ethrex-metrics instructions: this can't be counted here: no perf*"])


def test_what_is_absent_is_told_and_no_failure(bench: Bench) -> None:
    result = bench.compare(bench.program("head"), bench.program("base"), *FAST)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["counters: no perf: *; CPU time, page faults, * come from wait4"])
    assert bench.results().counters.startswith("no perf: ")


def test_off_asks_nobody(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE)
    bench.compare(bench.program("head"), bench.program("base"), *FAST, "--ethrex-counters=off")
    assert not any(pair.head.counts for pair in bench.results().blocks[0].pairs)


def test_perf_that_was_asked_for_must_be_there(bench: Bench) -> None:
    assert "--ethrex-counters perf: no perf: " in bench.refuse("--ethrex-block=1", "--ethrex-counters=perf")


def test_anything_else_is_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-counters=vtune")
    assert told.endswith("choose from auto, perf, callgrind, off")


# --- baselines --------------------------------------------------------------------------------------------


def test_perfs_counts_are_recorded_beside_the_times_and_gated_against(bench: Bench) -> None:
    perf = bench.perf(per_repeat=GUIDE, noise=0.002)
    base, head = bench.program("base"), bench.program("head")
    gated = ("--ethrex-metrics=exec,instructions", "--ethrex-archive-size=0")
    bench.record(base, *gated, "--ethrex-invocations=6").assert_outcomes(passed=2)
    bench.gate(f"--ethrex-replay={head}", *gated, *FAST).assert_outcomes(passed=2)
    bench.perf(per_repeat={**GUIDE, "instructions:u": 860_000_000}, noise=0.002)
    result = bench.gate(f"--ethrex-replay={head}", *gated, *FAST)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["regression: mainnet/* instructions are 2[45].* 6[89]?.? M → 8[56]?.? M*"])
    assert perf.exists()


def test_times_with_and_without_perf_beside_them_are_not_quietly_compared(bench: Bench) -> None:
    base, head = bench.program("base"), bench.program("head")
    bench.record(base, "--ethrex-archive-size=0").assert_outcomes(passed=1)
    gate = (f"--ethrex-replay={head}", "--ethrex-archive-size=0", "--ethrex-repeat=3")
    told = "the stored sessions were timed without perf stat beside the program, this one with"
    assert told not in " ".join(bench.gate(*gate).stdout.str().split())
    bench.perf(per_repeat=GUIDE)
    assert told in " ".join(bench.gate(*gate).stdout.str().split())
    assert told not in " ".join(bench.gate(*gate, "--ethrex-counters=off").stdout.str().split())


def test_page_faults_are_counted_by_perf_only_where_they_are_judged(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE, noise=0.001)
    programs = bench.program("head"), bench.program("base")
    bench.compare(*programs, *FAST, "--ethrex-metrics=page-faults").assert_outcomes(passed=1)
    assert bench.results().blocks[0].metric("page-faults").base == pytest.approx(3_000, rel=0.01)


def test_another_perf_on_the_same_machine_is_told(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE)
    base = bench.program("base")
    bench.record(base).assert_outcomes(passed=1)
    (file,) = store.files(bench.path / "baselines")
    assert store.load(file).epoch.sessions[0].machine.recorded["perf"] == "6.8"
    bench.perf(version="6.9.1", per_repeat=GUIDE)
    told = " ".join(bench.record(base).stdout.str().split())
    assert "changed on this machine: perf: 6.8 → 6.9" in told


def test_a_session_that_contradicts_its_counts_is_refused(bench: Bench) -> None:
    bench.perf(per_repeat=GUIDE, noise=0.002)
    base = bench.program("base")
    gated = ("--ethrex-metrics=exec,instructions", "--ethrex-invocations=6")
    bench.record(base, *gated).assert_outcomes(passed=2)
    bench.perf(per_repeat={**GUIDE, "instructions:u": 860_000_000}, noise=0.002)
    result = bench.record(base, *gated)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["*nothing was recorded: instructions took 8[56]?.? M, and 6[89]?.? M in 1 session*"]
    )
    bench.record(base, *gated, "--ethrex-accept-baseline=more checks").assert_outcomes(passed=2)


def test_a_baseline_without_counts_says_what_to_record(bench: Bench) -> None:
    base, head = bench.program("base"), bench.program("head")
    bench.record(base, "--ethrex-archive-size=0").assert_outcomes(passed=1)
    bench.perf(per_repeat=GUIDE)
    options = ("--ethrex-metrics=instructions", "--ethrex-archive-size=0")
    result = bench.gate(f"--ethrex-replay={head}", *options, *FAST)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*the stored sessions have no instructions:u by perf (window, repeat) to compare with*"]
    )


def test_a_perf_that_is_too_old_is_told_and_counts_nothing(bench: Bench) -> None:
    bench.perf("5.4.0", per_repeat=GUIDE)
    programs = bench.program("head"), bench.program("base")
    result = bench.compare(*programs, *FAST)
    result.assert_outcomes(passed=1)
    told = "perf 5.4.0 is too old: counting only the repeats takes perf 5.10 or newer"
    result.stdout.fnmatch_lines([f"counters: {told}; CPU time, page faults, * come from wait4"])
    assert bench.results().counters.startswith(told)
    assert not any(pair.head.counts for pair in bench.results().blocks[0].pairs)
    for option in ("--ethrex-counters=perf", "--ethrex-metrics=instructions"):
        assert told in bench.refuse("--ethrex-block=1", option)


def test_a_machine_whose_perf_is_too_old_is_not_known_by_it(bench: Bench) -> None:
    bench.perf("5.4.0", per_repeat=GUIDE)
    bench.record(bench.program("base")).assert_outcomes(passed=1)
    (file,) = store.files(bench.path / "baselines")
    assert "perf" not in store.load(file).epoch.sessions[0].machine.recorded


def test_counts_that_an_older_version_subtracted_are_read_and_judged_as_they_were(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = perf_stat._PerfCounting.counts

    def subtracted(counting: perf_stat._PerfCounting) -> dict[str, Count]:
        return {
            name: msgspec.structs.replace(count, method="difference")
            for name, count in counts(counting).items()
        }

    monkeypatch.setattr(perf_stat._PerfCounting, "counts", subtracted)
    bench.perf(per_repeat=GUIDE, by_program={"head": 1.03}, noise=0.002)
    programs = bench.program("head"), bench.program("base")
    bench.compare(*programs, *FAST, "--ethrex-metrics=instructions").assert_outcomes(failed=1)
    count = bench.results().blocks[0].pairs[0].head.counts["instructions"]
    assert count.identity == "instructions:u by perf (difference, repeat)"
    assert main(["explain", str(bench.path / "results.json")]) == 0
    assert "→ regression: proven" in capsys.readouterr().out


# --- callgrind --------------------------------------------------------------------------------------------


def test_callgrind_finds_one_percent_of_work_in_six_pairs_whatever_the_clock_says(
    bench: Bench, known_work: Path, valgrind: callgrind.Tool
) -> None:
    result = bench.compare(
        f"{known_work} --work 101 --pages 0",
        f"{known_work} --pages 0",
        "--ethrex-counters=callgrind",
        "--ethrex-metrics=exec,instructions,prep-instructions",
        "--ethrex-repeat=3",
        "--ethrex-looks=6,8",
        "--ethrex-tolerance=90%",
        "--ethrex-json=results.json",
    )
    result.stdout.fnmatch_lines(
        [
            f"counters: callgrind {valgrind.version}: instructions of 3 repeats, in processes never timed",
            "regression: mainnet/24443168 instructions are 1.00 % more *after 6 pairs *0.3 % margin*",
        ]
    )
    (block,) = bench.results().blocks
    assert block.metric("instructions").decision.pairs == 6
    assert block.metric("prep-instructions").decision.verdict == "unchanged"
    assert not any("perf" in pair.head.counts for pair in block.pairs)
    undecided = block.pairs[6:]
    assert not any(pair.base.counts or pair.head.counts for pair in undecided), "decided: not counted on"


def test_a_machine_of_another_model_gates_against_what_callgrind_counted(
    bench: Bench, known_work: Path, valgrind: callgrind.Tool
) -> None:
    gated = ("--ethrex-counters=callgrind", "--ethrex-metrics=instructions", "--ethrex-archive-size=0")
    base = f"{known_work} --pages 0"
    bench.record(base, *gated, "--ethrex-machine=bench").assert_outcomes(passed=1)
    (file,) = store.files(bench.path / "baselines")
    assert file.name.startswith("ethrex-callgrind-")
    assert f"valgrind-{valgrind.version}" in file.name
    assert "bench" not in file.read_text(), "not even the machine's name"
    passed = bench.gate(f"--ethrex-replay={known_work} --pages 1", *gated, "--ethrex-machine=hosted", *FAST)
    passed.assert_outcomes(passed=1)
    slower = bench.gate(
        f"--ethrex-replay={known_work} --work 103 --pages 0", *gated, "--ethrex-machine=hosted", *FAST
    )
    slower.assert_outcomes(failed=1)
    slower.stdout.fnmatch_lines(
        ["regression: mainnet/24443168 instructions are 3.0? % more *after 6 invocations *"]
    )
    (block,) = bench.results().blocks
    assert block.mode == "stored"
    assert block.base is not None
    assert block.base.exec_ns is None, "times of another machine are not even shown"
    assert bench.results().counted_on is not None


def test_times_and_callgrinds_counts_are_two_baselines_of_a_block(
    bench: Bench, known_work: Path, valgrind: callgrind.Tool
) -> None:
    del valgrind
    gated = ("--ethrex-counters=callgrind", "--ethrex-metrics=exec,instructions")
    recorded = bench.record(f"{known_work} --pages 0", *gated, "--ethrex-json=results.json")
    recorded.assert_outcomes(passed=2)
    apart, timed = of_counts_and_of_times(bench)
    assert (apart.times, timed.times) == (False, True)
    assert apart.epoch.sessions[0].id == timed.epoch.sessions[0].id
    again = bench.record(
        f"{known_work} --pages 0",
        *gated,
        "--ethrex-update-baseline-new-only",
        "--ethrex-metrics=instructions",
    )
    again.assert_outcomes(skipped=1)
    result = bench.gate(f"--ethrex-replay={known_work} --pages 1", *gated, *FAST)
    result.assert_outcomes(passed=2)
    (block,) = bench.results().blocks
    assert block.mode == "interleaved", "the archived program is run beside it"
    assert all(metric.context is not None for metric in block.metrics)


def test_a_session_that_contradicts_one_of_its_baselines_goes_into_neither(
    bench: Bench, known_work: Path, valgrind: callgrind.Tool
) -> None:
    del valgrind
    gated = ("--ethrex-counters=callgrind", "--ethrex-metrics=exec,instructions", "--ethrex-tolerance=90%")
    bench.record(f"{known_work} --pages 0", *gated, "--ethrex-invocations=6").assert_outcomes(passed=2)
    files = store.files(bench.path / "baselines")
    before = [file.read_text() for file in files]
    more = f"{known_work} --work 110 --pages 0"
    result = bench.record(more, *gated, "--ethrex-invocations=6", "--ethrex-json=results.json")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*ethrex-callgrind-*: nothing was recorded: instructions took *"])
    assert [file.read_text() for file in files] == before
    with pytest.raises(ContradictionError, match="nothing was recorded: instructions took"):
        acceptance.accept(bench.path / "baselines", run := bench.results(), run.blocks[0], None)
    assert [file.read_text() for file in files] == before
    told = acceptance.accept(bench.path / "baselines", run, run.blocks[0], "more checks")
    assert any("epoch 2 begun (more checks)" in one and "callgrind" in one for one in told)
    assert len(of_counts_and_of_times(bench)[0].epochs) == 2


def test_a_run_that_stopped_counting_can_be_accepted_and_a_new_level_of_counts_is_none_of_times(
    bench: Bench, known_work: Path, valgrind: callgrind.Tool
) -> None:
    del valgrind
    gated = ("--ethrex-counters=callgrind", "--ethrex-metrics=exec,instructions", "--ethrex-repeat=3")
    base = f"{known_work} --pages 0"
    wide = ("--ethrex-tolerance=95%", "--ethrex-margin=90%")  # so that only counts, by their file, contradict
    bench.configure('[metric.instructions]\nmargin = "0.3%"\ntolerance = "1%"\n')
    bench.record(base, *gated, *wide, "--ethrex-invocations=6").assert_outcomes(passed=2)
    more = f"{known_work} --work 102 --pages 0"
    options = (*gated, "--ethrex-looks=6,8", "--ethrex-json=results.json")
    bench.configure("")
    bench.compare(more, base, *options)
    run = bench.results()
    (block,) = run.blocks
    block = msgspec.structs.replace(block, rules={**block.rules, "exec": Rules(margin=0.9, tolerance=0.95)})
    counted = [bool(pair.head.counts) for pair in block.pairs]
    assert counted == [True] * 6 + [False] * (len(block.pairs) - 6)
    told = acceptance.accept(bench.path / "baselines", run, block, "more checks")
    apart, timed = of_counts_and_of_times(bench)
    assert [len(baseline.epochs) for baseline in (apart, timed)] == [2, 1], told
    assert len(apart.epoch.sessions[0].invocations) == 6
    assert len(timed.epoch.sessions[-1].invocations) == len(block.pairs)


def test_callgrind_without_valgrind_is_wrong_usage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    told = bench.refuse("--ethrex-block=1", "--ethrex-counters=callgrind")
    assert f"valgrind was not found on PATH: {perf_tool.install_command('valgrind')}" in told
