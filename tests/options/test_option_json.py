"""--ethrex-json: the whole result, raw data included."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.judge import paired, samples

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_every_number_of_the_verdict_can_be_computed_again_from_it(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-json=out/results.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"written: {bench.path}/out/results.json (--ethrex-json)"])
    (block,) = bench.results("out/results.json").blocks
    metric = block.metric("exec")
    before = [samples.sample(pair.base, "exec", block.drop) for pair in block.pairs]
    after = [samples.sample(pair.head, "exec", block.drop) for pair in block.pairs]
    assert paired.judge(before, after, metric.rules, step=metric.step, final=True) == metric.decision
    assert block.gas == 37_500_000
    assert block.head is not None
    assert block.head.exec_ns is not None
    assert block.head.ggas_per_s == pytest.approx(block.gas / block.head.exec_ns)


def test_it_says_what_the_run_was_set_to(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-json=results.json", "--ethrex-margin=2%")
    result = bench.results()
    assert result.settings["block"] == "mainnet/24443168"
    assert result.settings["replay"] == "bin/head"
    assert result.settings["margin"] == "2%"
    assert result.settings["repeat"] == "3"
    assert "aa" not in result.settings


def test_it_is_written_when_a_block_could_not_be_measured(bench: Bench) -> None:
    bench.record(bench.program("head", behaviour={"2": "nothing"}), "--ethrex-json=results.json")
    (block,) = bench.results().blocks
    assert block.error is not None
    assert "the program printed nothing" in block.error
    assert block.metrics == ()
    assert len(block.invocations) == 1


def test_an_older_file_is_replaced(bench: Bench) -> None:
    (bench.path / "results.json").write_text("something else")
    bench.record(bench.program("head"), "--ethrex-json=results.json")
    assert len(bench.results().blocks) == 1


def test_nothing_is_written_when_nothing_is_measured(bench: Bench) -> None:
    bench.run("--ethrex-block=1", "--co", "--ethrex-json=results.json")
    assert not (bench.path / "results.json").exists()


def test_a_directory_is_refused_before_anything_runs(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-json=replay_cache")
    assert told == f"--ethrex-json: {bench.path}/replay_cache is a directory: give a file"
    assert "it is empty" in bench.refuse("--ethrex-block=1", "--ethrex-json=")


def test_one_file_cannot_be_both(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-json=r.json", "--ethrex-benchmark-json=r.json")
    assert told == f"--ethrex-json and --ethrex-benchmark-json would write the same file, {bench.path}/r.json"


def test_what_cannot_be_written_at_the_end_fails_the_run_but_not_the_summary(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: object, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pytest_ethrex_perf.host.files.replace", full)
    head, base = bench.program("head"), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["*1 unchanged*", f"not written: {bench.path}/results.json (--ethrex-json): No space left on device"]
    )


def test_a_relative_path_is_relative_to_where_pytest_was_started(bench: Bench) -> None:
    shutil.copytree(bench.path / "replay_cache", bench.path / "sub" / "replay_cache")
    program = bench.path / bench.program("head")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(bench.path / "sub")
        bench.record(str(program), "--ethrex-json=results.json", f"--rootdir={bench.path}")
    assert (bench.path / "sub" / "results.json").exists()
