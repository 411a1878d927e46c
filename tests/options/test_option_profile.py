"""--ethrex-profile: a block that fails says where; whatever goes wrong with that changes nothing else."""

from __future__ import annotations

import gzip
import html
import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf.baseline import stacks as stored_stacks
from pytest_ethrex_perf.baseline import store as baselines
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import stacks
from tests.conftest import PROFILE
from tests.options.fake_profiler import OTHER, SHORT, SLOW, compare, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ethrex_perf.records.result import BlockResult
    from tests.conftest import Bench
    from tests.options.fake_profiler import Profiler

JSON = "--ethrex-json=results.json"


def block_of(bench: Bench) -> BlockResult:
    (block,) = bench.results().blocks
    return block


# --- when -----------------------------------------------------------------------------------------------


def test_a_regression_names_its_function_first(bench: Bench, profiler: Profiler) -> None:
    result = compare(bench)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r"    change +± +base +head  function", rf"     \+9\.00 .* {SLOW}  ← .*"])
    result.stdout.fnmatch_lines(["written: ethrex-perf-profile/mainnet-24443168 (folded stacks, *)"])
    labels = [label for _, label in profiler.taken]
    assert labels == ["base-001", "head-001", "head-002", "base-002", "base-003", "head-003", "head-004", "base-004"]  # fmt: skip  # noqa: E501
    block = block_of(bench)
    assert block.explanation is not None
    (first,) = block.explanation.functions
    assert first.name == SLOW
    assert first.change_ms == pytest.approx(9)
    metric = block.metric("exec")
    assert block.explanation.exec_base_ms == pytest.approx(metric.base / 1e6)
    assert block.explanation.exec_head_ms == pytest.approx(metric.head / 1e6)
    assert block.explanation.exec_measured
    assert block.profile is not None
    assert block.profile.hotspots[0].name == OTHER
    assert block.raw_sha256 == block.raw_digest()


@pytest.mark.parametrize(
    ("exec_ms", "arguments"), [(60, ()), (40, ()), (69, ("--ethrex-profile=off",)), (60, ("--ethrex-aa",))]
)
def test_what_does_not_fail_costs_nothing(
    bench: Bench, profiler: Profiler, exec_ms: float, arguments: tuple[str, ...]
) -> None:
    result = compare(bench, *arguments, exec_ms=exec_ms)
    assert "profiled" not in result.stdout.str()
    assert profiler.taken == []
    assert (block_of(bench).explanation, block_of(bench).profile) == (None, None)
    assert not (bench.path / "ethrex-perf-profile").exists()


def test_a_waived_regression_is_not_profiled_unless_always(bench: Bench, profiler: Profiler) -> None:
    bench.configure(
        'allow = [{block = 24443168, metric = "exec", up_to = "50%", reason = "meant", expires = 2999-12-31}]'
    )
    compare(bench).assert_outcomes(passed=1)
    assert profiler.taken == []
    compare(bench, "--ethrex-profile=always").assert_outcomes(passed=1)
    assert len(profiler.taken) == 8


def test_always_explains_what_passes_too(bench: Bench, profiler: Profiler) -> None:
    result = compare(bench, "--ethrex-profile=always", exec_ms=60)
    result.assert_outcomes(passed=1)
    assert len(profiler.taken) == 8
    assert SLOW in words(result)


def test_it_may_stand_in_files(bench: Bench, profiler: Profiler) -> None:
    bench.configure('profile = "always"')
    compare(bench, exec_ms=60)
    bench.pytester.makeini("[pytest]\nethrex_profile = off")
    bench.configure("")
    before = len(profiler.taken)
    compare(bench)
    assert len(profiler.taken) == before


def test_a_bad_value_is_wrong_usage(bench: Bench) -> None:
    assert bench.refuse("--ethrex-block=1", "--ethrex-profile=sometimes") == (
        "--ethrex-profile: 'sometimes' is not a value of it: choose from off, on-regression, always"
    )


def test_each_block_is_profiled_once_whatever_is_gated_of_it(bench: Bench, profiler: Profiler) -> None:
    bench.pytester.makepyfile("""
        import pytest

        @pytest.mark.ethrex_block(24443168)
        def test_block(ethrex_block):
            ethrex_block.gate()
    """)
    head, base = bench.program("head", exec_ms=69, prep_ms=40), bench.program("base")
    sides = (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-metrics=exec,prep")
    result = bench.run("--ethrex-block=24443168", "test_each_block_is_profiled_once_whatever_is_gated_of_it.py", *SHORT, *sides)  # fmt: skip  # noqa: E501
    result.assert_outcomes(failed=3)
    assert len(profiler.taken) == 8
    assert result.stdout.str().count(f"  {SLOW}  ←") == 3


def test_a_regression_of_preparation_alone_is_explained_by_it(bench: Bench, profiler: Profiler) -> None:
    profiler.executing = False
    head, base = bench.program("head", prep_ms=40), bench.program("base")
    result = bench.compare(head, base, *SHORT, "--ethrex-metrics=exec,prep")
    result.assert_outcomes(passed=1, failed=1)
    explanation = block_of(bench).explanation
    assert explanation is not None
    assert explanation.metric == "prep"
    assert explanation.exec_head_ms == pytest.approx(40, rel=0.05)


# --- trouble --------------------------------------------------------------------------------------------


def test_without_perf_it_is_said_once_a_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.cache(1)
    monkeypatch.setitem(OPTIONS, "profile", PROFILE)
    monkeypatch.setenv("PATH", str(bench.path))
    result = compare(bench, block="24443168,1")
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("note: not profiled: ") == 1
    assert "perf" in words(result).partition("not profiled: ")[2][:80]


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            MeasurementError("mainnet/24443168: not profiled: the recording reached its limit of 512 MiB"),
            "the",
        ),
        (
            MeasurementError("mainnet/24443168: not profiled: the program was killed by SIGSEGV"),
            "the program",
        ),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device: this is an"),
        (ZeroDivisionError("by us"), "ZeroDivisionError: by us: this is an error of pytest-ethrex-perf"),
    ],
)
def test_trouble_is_a_note_and_nothing_else(
    bench: Bench, profiler: Profiler, trouble: Exception, told: str
) -> None:
    profiler.trouble["base-001"] = trouble
    result = compare(bench)
    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"note: not profiled: {told}" in words(result)
    block = block_of(bench)
    assert block.metric("exec").outcome == "fail"
    assert block.explanation is None


def test_trouble_leaves_a_block_that_passes_green(bench: Bench, profiler: Profiler) -> None:
    profiler.trouble["head-001"] = RuntimeError("any")
    result = compare(bench, "--ethrex-profile=always", exec_ms=60)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_what_was_taken_before_the_trouble_explains(bench: Bench, profiler: Profiler) -> None:
    profiler.trouble["base-003"] = MeasurementError("mainnet/24443168: not profiled: it took too long")
    result = compare(bench)
    assert "note: profiled 2 of head and 2 of base instead of 4: it took too long" in words(result)
    explanation = block_of(bench).explanation
    assert explanation is not None
    assert explanation.functions[0].name == SLOW


def test_a_profile_without_a_sample_of_execution_says_so(bench: Bench, profiler: Profiler) -> None:
    profiler.executing = False
    result = compare(bench)
    assert "note: not profiled: perf 6.1, dwarf frames took no sample within exec" in words(result)


def test_files_that_cannot_be_written_are_a_note(bench: Bench, profiler: Profiler) -> None:
    assert profiler
    (bench.path / "ethrex-perf-profile").touch()
    result = compare(bench)
    result.assert_outcomes(failed=1)
    assert "note: the files of its profile are missing: " in words(result)
    assert "(folded stacks" not in words(result)
    assert SLOW in words(result)


def test_stacks_that_were_cut_off_are_counted_in_every_form(
    bench: Bench, profiler: Profiler, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_ethrex_perf import cli

    profiler.cut = True
    forms = ("--ethrex-report=out", "--ethrex-markdown=c.md", "--junitxml=j.xml")
    told = words(compare(bench, *forms))
    # 30 of 50 ms, and of 59
    sentences = ["60.0 % of base's stacks were cut off", "50.8 % of head's stacks were cut off"]
    for text in (told, *((bench.path / name).read_text() for name in ("out/index.html", "c.md", "j.xml"))):
        for sentence in sentences:
            assert sentence in " ".join(html.unescape(text).split())
    profile = block_of(bench).profile
    assert profile is not None
    assert profile.cut_off == pytest.approx((30 / 50, 30 / 59))
    files = bench.path / "out" / "mainnet-24443168"
    assert sentences[1] in (files / "flamegraph.html").read_text()
    assert cli.main(["stacks", str(files / "head.folded")]) == 0
    assert (
        "note: 50.8 % of stacks were cut off: their outermost callers are missing" in capsys.readouterr().out
    )


def test_of_stacks_of_head_alone_it_is_said_too(bench: Bench, profiler: Profiler) -> None:
    record_sessions(bench, "base", "--ethrex-profile=off")
    profiler.cut = True
    assert "note: 50.8 % of head's stacks were cut off" in words(gate_stored(bench))


# --- baselines ------------------------------------------------------------------------------------------

ALONE = ("--ethrex-repeat=3", "--ethrex-archive-size=0", JSON)


def kept_beside(bench: Bench) -> Path:
    (file,) = baselines.files(bench.path / "baselines")
    return stored_stacks.path(file)


def gate_stored(bench: Bench, *arguments: str) -> pytest.RunResult:
    head = bench.program("head", exec_ms=90)
    return bench.gate(f"--ethrex-replay={head}", "--ethrex-invocations=6", *ALONE, *arguments)


def record_sessions(bench: Bench, name: str = "base", *arguments: str) -> None:
    for _ in range(2):
        program = bench.program(name)
        bench.record(program, "--ethrex-invocations=6", *ALONE, *arguments).assert_outcomes(passed=1)


def test_a_recorded_session_keeps_its_stacks(bench: Bench, profiler: Profiler) -> None:
    result = bench.record(bench.program("base"), *ALONE)
    result.assert_outcomes(passed=1)
    assert profiler.taken == [("mainnet/24443168", "head-001")]
    file = kept_beside(bench)
    assert f"; 1 KiB of stacks in {file.name}" in words(result)
    (recorded,) = (block.recorded for block in bench.results().blocks)
    assert recorded is not None
    assert file.name in recorded
    assert stacks.read_profile(file).samples > 0
    assert not (bench.path / "ethrex-perf-profile").exists()


def test_a_stored_baseline_explains_with_its_stacks(bench: Bench, profiler: Profiler) -> None:
    record_sessions(bench)
    profiler.taken.clear()
    result = gate_stored(bench)
    result.assert_outcomes(failed=1)
    assert [label for _, label in profiler.taken] == ["head-001", "head-002", "head-003", "head-004"]
    result.stdout.re_match_lines([rf"     \+9\.00 .* {SLOW}  ← .*"])
    assert "note: one profiled invocation of a side" in words(result)
    assert block_of(bench).explanation is not None


def test_stacks_that_were_cut_say_so(bench: Bench, profiler: Profiler) -> None:
    assert profiler
    record_sessions(bench)
    file = kept_beside(bench)
    profile = stacks.read_profile(file)
    names = (*profile.names, stored_stacks.SMALL)
    file.write_bytes(gzip.compress(msgspec.json.encode(msgspec.structs.replace(profile, names=names))))
    assert "note: base's stacks were cut to fit beside the baseline" in words(gate_stored(bench))


def test_without_stacks_head_alone_is_profiled_and_it_says_why(bench: Bench, profiler: Profiler) -> None:
    assert profiler
    record_sessions(bench, "base", "--ethrex-profile=off")
    assert not kept_beside(bench).exists()
    result = gate_stored(bench)
    result.assert_outcomes(failed=1)
    told = words(result)
    assert "note: head alone was profiled, there is nothing to compare it with: the baseline has no" in told
    assert f"30.00 ms 50.8 % {OTHER}" in told
    block = block_of(bench)
    assert block.explanation is None
    assert block.profile is not None
    assert block.profile.repeats[0] is None


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.write_bytes(b"no gzip"), "not a profile of this version"),
        (lambda file: file.write_bytes(b"\x1f\x8bcut"), "can't be read"),
    ],
)
def test_broken_stacks_are_named(bench: Bench, profiler: Profiler, spoil: Any, told: str) -> None:
    assert profiler
    record_sessions(bench)
    spoil(kept_beside(bench))
    result = gate_stored(bench)
    result.assert_outcomes(failed=1)
    assert f"{kept_beside(bench)}: {told}" in words(result)


def test_stacks_of_an_older_program_are_not_compared_with(bench: Bench, profiler: Profiler) -> None:
    assert profiler
    record_sessions(bench)
    record_sessions(bench, "rebuilt", "--ethrex-profile=off")
    assert "is of another program than the baseline's newest session" in words(gate_stored(bench))


def test_a_refused_session_leaves_the_stacks_alone(bench: Bench, profiler: Profiler) -> None:
    record_sessions(bench)
    before = kept_beside(bench).read_bytes()
    profiler.taken.clear()
    result = bench.record(bench.program("head", exec_ms=120), "--ethrex-invocations=6", *ALONE)
    result.assert_outcomes(errors=1)
    assert profiler.taken == []
    assert kept_beside(bench).read_bytes() == before


def test_trouble_leaves_the_session_recorded(bench: Bench, profiler: Profiler) -> None:
    profiler.trouble["head-001"] = MeasurementError("mainnet/24443168: not profiled: it was too large")
    result = bench.record(bench.program("base"), *ALONE)
    result.assert_outcomes(passed=1)
    assert "note: no stacks are kept beside the baseline: it was too large" in words(result)
    assert len(list(baselines.load(baselines.files(bench.path / "baselines")[0]).sessions())) == 1


# --- reports --------------------------------------------------------------------------------------------


def names(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_files_lie_beside_the_report(bench: Bench, profiler: Profiler) -> None:
    assert profiler
    compare(bench, "--ethrex-report=out")
    files = ["base.folded", "firefox.json", "flamegraph.html", "head.folded", "speedscope.json"]
    assert names(bench.path / "out" / "mainnet-24443168") == files
    assert not (bench.path / "ethrex-perf-profile").exists()
    page = (bench.path / "out" / "index.html").read_text()
    assert page.count('<figure class="flamegraph">') == 2


def test_every_report_has_it_from_a_results_file(
    bench: Bench, profiler: Profiler, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_ethrex_perf import cli

    assert profiler
    compare(bench, "--ethrex-report=out", "--ethrex-markdown=c.md", "--junitxml=j.xml")
    again = bench.path / "again"
    code = cli.main(["report", "results.json", "--html", str(again), "--markdown", str(again / "c.md")])
    assert code == 0
    assert (again / "index.html").read_text() == (bench.path / "out" / "index.html").read_text()
    assert (again / "c.md").read_text() == (bench.path / "c.md").read_text()
    assert SLOW in (again / "c.md").read_text()
    assert SLOW in (bench.path / "j.xml").read_text()
    assert names(again / "mainnet-24443168") == [
        "base.folded",
        "firefox.json",
        "head.folded",
        "speedscope.json",
    ]
    capsys.readouterr()
    assert cli.main(["stacks", str(again / "mainnet-24443168" / "head.folded"), "--phase", "exec"]) == 0
    assert f"29,000  49.2 %  {SLOW}" in capsys.readouterr().out
    assert cli.main(["explain", "results.json"]) == 0


def test_very_verbose_shows_all_of_it(bench: Bench, profiler: Profiler) -> None:
    assert profiler
    assert "by thread:" not in words(compare(bench))
    shutil.rmtree(bench.path / "ethrex-perf-profile")
    assert f"  {SLOW}  ←" in compare(bench, "-v").stdout.str()
