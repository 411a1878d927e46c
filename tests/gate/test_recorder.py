"""Baselines in use: their programs from the archive, creep, sessions accepted from results files."""

from __future__ import annotations

import argparse
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.archive import default_directory
from pytest_ethrex_perf.baseline.schema import Session
from pytest_ethrex_perf.commands import baseline as baseline_command
from tests.conftest import BLOCK

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.result import BlockResult
    from tests.conftest import Bench

SHORT = ("--ethrex-repeat=3", "--ethrex-json=results.json")
BASE_LABEL = re.compile(r"baseline's program [0-9a-f]{8} \(archive\)")


@pytest.fixture
def base(bench: Bench) -> str:
    """A program that a session of six invocations was recorded of."""
    program = bench.program("base")
    bench.record(program, "--ethrex-invocations=6")
    return program


def gate(bench: Bench, program: str, *arguments: str) -> BlockResult:
    bench.gate(f"--ethrex-replay={program}", *SHORT, *arguments)
    (block,) = bench.results().blocks
    return block


def archive() -> Path:
    """The archive of this test."""
    directory = default_directory(os.environ)
    assert directory is not None
    return directory


def stored(bench: Bench, block: int = BLOCK) -> Baseline:
    (file,) = (bench.path / "baselines" / "mainnet" / str(block)).glob("ethrex-*.json")
    return store.load(file)


def baseline(*words: str) -> int:
    """Run `ethrex-perf baseline …`."""
    parser = argparse.ArgumentParser()
    baseline_command.add_commands(parser.add_subparsers())
    args = parser.parse_args(["baseline", *words])
    return int(args.run(args))


# --- the program archive ------------------------------------------------------------------------------------


def test_the_baselines_program_is_run_beside_head(bench: Bench, base: str) -> None:
    (bench.path / base).unlink()  # the user's build is gone: the archive has its own
    block = gate(bench, bench.program("slow", exec_ms=66))
    assert block.mode == "interleaved"
    assert block.base is not None
    assert block.base.program is not None
    assert BASE_LABEL.fullmatch(block.base.label)
    assert block.base.program.command == (str(archive() / block.base.program.sha256),)
    (metric,) = block.metrics
    assert metric.decision.verdict == "regression"
    assert metric.context is not None, "the stored comparison is shown as context"
    assert len(bench.calls(base)) == 6 + len(block.pairs)


def test_an_unchanged_head_passes_beside_it(bench: Bench, base: str) -> None:
    del base
    result = bench.gate(f"--ethrex-replay={bench.program('head')}", *SHORT)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*1 unchanged*", "*pairs, interleaved*", "*stored baseline, for information*"]
    )


def test_the_prefix_of_the_run_is_put_before_both(bench: Bench, base: str) -> None:
    del base
    block = gate(bench, bench.program("head"), "--ethrex-prefix=env -u NOTHING")
    assert block.head is not None
    assert block.base is not None
    assert block.head.program is not None
    assert block.base.program is not None
    assert block.head.program.prefix == block.base.program.prefix == ("env", "-u", "NOTHING")
    assert any(
        note.startswith("no stored comparison: it was recorded without a prefix") for note in block.notes
    )


def test_without_the_archive_the_stored_sessions_decide_and_say_what_they_can_see(
    bench: Bench, base: str
) -> None:
    del base
    block = gate(bench, bench.program("head"), "--ethrex-archive=elsewhere")
    assert block.mode == "stored"
    (note,) = (note for note in block.notes if "is not in the archive" in note)
    (metric,) = block.metrics
    assert metric.decision.detectable is not None
    seen = f"{100 * math.expm1(metric.decision.detectable):+.1f} %"
    assert note.startswith("the baseline's program ")
    assert note.endswith(
        f"/elsewhere: the stored sessions decide alone, and see slowdowns of exec from {seen} on"
    )


def test_the_baselines_own_program_is_compared_with_its_sessions_and_labelled(
    bench: Bench, base: str
) -> None:
    block = gate(bench, base)
    assert block.mode == "stored"
    assert "head is the stored baseline's own program: no change is expected" in block.notes
    assert not any("decide alone" in note for note in block.notes)


def test_a_damaged_program_is_removed_and_told(bench: Bench, base: str) -> None:
    del base
    (copy,) = archive().iterdir()
    copy.chmod(0o755)
    copy.write_text("#!/bin/sh\nexit 0\n")
    block = gate(bench, bench.program("head"))
    assert block.mode == "stored"
    told = [note for note in block.notes if "was damaged in the archive and is removed" in note]
    assert len(told) == 1
    assert not copy.exists()


def test_a_recording_says_when_its_program_is_not_kept(bench: Bench) -> None:
    result = bench.record(bench.program("head"), "--ethrex-archive-size=100B", "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    assert block.recorded is not None
    assert "; its program is not kept in the archive: it has " in block.recorded
    assert "the archive may hold 100 B (--ethrex-archive-size)" in block.recorded


def test_a_secret_in_a_command_line_reaches_neither_a_baseline_nor_the_archive(bench: Bench) -> None:
    key = "0123456789abcdef"
    program = f"{bench.program('head')} --url https://user:{key}@rpc.example"
    prefix = f"--ethrex-prefix=env NODE=https://rpc.example/?key={key}"
    result = bench.record(program, prefix, "--ethrex-invocations=6")
    result.assert_outcomes(passed=1)
    assert "its command line holds a secret" in " ".join(result.stdout.str().split())
    assert not archive().exists()
    (file,) = (bench.path / "baselines").rglob("ethrex-*.json")
    assert key not in file.read_text()
    bench.gate(f"--ethrex-replay={bench.program('next')}", prefix, *SHORT).assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    assert block.mode == "stored"


def test_each_block_is_compared_as_its_own_baseline_allows(bench: Bench) -> None:
    bench.cache(1, 2, 3)
    bench.record(bench.program("one"), "--ethrex-invocations=6", block="1")
    bench.record(bench.program("two"), "--ethrex-invocations=6", "--ethrex-archive-size=0", block="2")
    result = bench.gate(f"--ethrex-replay={bench.program('head')}", *SHORT, block="1..3")
    result.assert_outcomes(passed=2, errors=1)
    assert [block.mode for block in bench.results().blocks] == ["interleaved", "stored", "stored"]
    result.stdout.fnmatch_lines(["*there is no baseline of mainnet/3*"])


def test_the_mean_over_blocks_is_there_where_every_block_is_interleaved(bench: Bench) -> None:
    bench.cache(1, 2, 3, 4)
    bench.record(bench.program("base"), block="1..3")
    head = f"--ethrex-replay={bench.program('head')}"
    assert "ethrex-block::all::exec" not in bench.gate("--co", "-q", head, block="1..4").outlines
    bench.record(bench.program("base"), block="4")
    assert "ethrex-block::all::exec" in bench.gate("--co", "-q", head, block="1..4").outlines
    result = bench.gate(head, *SHORT, block="1..4")
    result.assert_outcomes(passed=5)
    (mean,) = bench.results().suite
    assert mean.decision.verdict == "unchanged"
    off = bench.gate("--co", "-q", head, "--ethrex-archive-size=0", block="1..4")
    assert "ethrex-block::all::exec" not in off.outlines


def test_a_broken_baseline_is_the_error_of_its_block_alone(bench: Bench) -> None:
    bench.cache(1, 2, 3, 4)
    bench.record(bench.program("base"), block="1..4")
    (file,) = (bench.path / "baselines" / "mainnet" / "2").glob("*.json")
    file.write_text("{")
    result = bench.gate(f"--ethrex-replay={bench.program('head')}", *SHORT, block="1..4")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*/2/ethrex-*.json: truncated*"])


# --- creep --------------------------------------------------------------------------------------------------


def test_creep_is_shown_though_every_step_passes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten sessions, each 0.8 % above the one before: each is recorded, the gate passes, +7 % are shown."""
    days = iter(range(1, 11))
    of = Session.of

    def on_another_day(*args: object, started: str, **others: object) -> object:
        # sessions of one day count as one: these are of ten
        return of(*args, started=f"2026-03-{next(days):02}{started[10:]}", **others)  # type: ignore[arg-type]

    monkeypatch.setattr("pytest_ethrex_perf.baseline.recording.Session.of", on_another_day)
    for step in range(10):
        program = bench.program(f"v{step}", exec_ms=60 * 1.008**step, noise=0.002)
        bench.record(program, "--ethrex-invocations=6").assert_outcomes(passed=1)
        if step == 1:
            assert baseline("tag", str(BLOCK), "v1") == 0
    assert len(stored(bench).epochs) == 1
    result = bench.gate(
        f"--ethrex-replay={bench.program('head', exec_ms=60 * 1.008**9, noise=0.002)}", *SHORT
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*(since the baseline was last reset (2026-03-01): +7.? %)",
            "*(against session tagged v1 2026-03-02: +6.? %)",
        ]
    )
    first, tagged = bench.results().blocks[0].references
    assert first.change == pytest.approx(1.008**9 - 1, abs=0.005)
    assert tagged.change == pytest.approx(1.008**8 - 1, abs=0.005)
    assert first.detectable is not None


def test_an_epochs_only_session_is_no_reference_of_its_own(bench: Bench, base: str) -> None:
    assert gate(bench, bench.program("head")).references == ()
    bench.record(base, "--ethrex-invocations=6")
    (reference,) = gate(bench, bench.program("head"), "--ethrex-metrics=prep").references
    assert (reference.name, reference.metric) == ("epoch's first session", "prep")


def test_a_published_reference_is_shown_beside_its_block_only(bench: Bench) -> None:
    bench.cache(1)
    result = bench.compare(bench.program("head"), bench.program("base"), *SHORT, block=f"1,{BLOCK}")
    result.stdout.fnmatch_lines(["*(reference of ethrex-office-4, 2025-02-12: 59.75 ms, 0.63 Ggas/s; *)"])
    other, known = bench.results().blocks
    assert other.published == ()
    assert [one.machine for one in known.published] == ["ethrex-office-4"]


def test_what_changed_on_the_machine_is_noted_when_gating(bench: Bench, base: str) -> None:
    del base
    (file,) = (bench.path / "baselines").rglob("ethrex-*.json")

    def older(known: Baseline) -> Baseline:
        replace = msgspec.structs.replace
        (session,) = known.epoch.sessions
        machine = replace(session.machine, recorded=session.machine.recorded | {"kernel": "2.4.0"})
        epoch = replace(known.epoch, sessions=(replace(session, machine=machine),))
        return replace(known, epochs=(epoch,))

    store.change(file, older)
    block = gate(bench, bench.program("head"))
    (note,) = (note for note in block.notes if "changed on this machine" in note)
    assert note.startswith("changed on this machine since the baseline's last session: kernel: 2.4.0 → ")


# --- accepted from a results file ---------------------------------------------------------------------------


@pytest.fixture
def regressed(bench: Bench, base: str, monkeypatch: pytest.MonkeyPatch) -> BlockResult:
    """What results.json holds: a head that is 10 % slower than the baseline's program."""
    del base
    monkeypatch.chdir(bench.path)
    return gate(bench, bench.program("slow", exec_ms=66))


def test_a_contradiction_is_accepted_with_a_reason_only(
    bench: Bench, regressed: BlockResult, capsys: pytest.CaptureFixture[str]
) -> None:
    assert baseline("accept", "results.json") == 1
    assert "mainnet/24443168: " in capsys.readouterr().out
    assert len(list(stored(bench).sessions())) == 1
    assert baseline("accept", "results.json", "--reason", "EIP-9999") == 0
    assert "epoch 2 begun (EIP-9999): session " in capsys.readouterr().out
    accepted = stored(bench).epoch.sessions[-1]
    assert accepted.invocations == tuple(pair.head for pair in regressed.pairs)
    assert accepted.program.label == "slow"
    assert accepted.machine == bench.results().measured_on
    assert baseline("accept", "results.json", "--reason", "EIP-9999") == 0
    assert "already recorded" in capsys.readouterr().out


@pytest.mark.usefixtures("regressed")
def test_what_was_accepted_is_compared_with_interleaved_from_then_on(bench: Bench) -> None:
    (before,) = bench.results().blocks
    assert [epoch.reason for epoch in before.history] == ["first recording"]
    baseline("accept", "results.json", "--reason", "EIP-9999")
    block = gate(bench, bench.program("next", exec_ms=66))
    assert block.mode == "interleaved", "a run that writes results keeps its head: it may be accepted"
    assert block.metrics[0].decision.verdict == "unchanged"
    assert [epoch.reason for epoch in block.history][1:] == ["EIP-9999"]
    assert [len(epoch.sessions) for epoch in block.history] == [1, 1]


def test_a_session_that_agrees_is_appended_without_a_reason(
    bench: Bench, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del base
    monkeypatch.chdir(bench.path)
    gate(bench, bench.program("head"), "--ethrex-archive-size=0")
    assert baseline("accept", "results.json", "--block", str(BLOCK)) == 0
    assert [len(epoch.sessions) for epoch in stored(bench).epochs] == [2]


def test_a_recording_that_was_refused_can_be_accepted(
    bench: Bench, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del base
    monkeypatch.chdir(bench.path)
    slow = bench.program("slow", exec_ms=80)
    result = bench.record(slow, "--ethrex-invocations=6", "--ethrex-json=results.json")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ethrex-perf baseline accept RESULTS.json --reason*"])
    (block,) = bench.results().blocks
    assert block.refused
    assert baseline("accept", "results.json", "--reason", "Prague") == 0
    assert [epoch.reason for epoch in stored(bench).epochs] == ["first recording", "Prague"]


def test_what_does_not_fit_is_refused(
    bench: Bench, regressed: BlockResult, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_ethrex_perf.records import results_file

    replace = msgspec.structs.replace
    run = bench.results()
    for block, told in (
        (replace(regressed, error="killed by SIGSEGV"), "it was not measured whole: killed by SIGSEGV"),
        (replace(regressed, skipped="base and head are the same"), "it was skipped: base and head"),
        (replace(regressed, pairs=()).sealed(), "it holds no invocations of head"),
        (replace(regressed, cache=None), "the file does not say what the cache file held"),
    ):
        changed = results_file.dump(replace(run, blocks=(block,)))
        Path("changed.json").write_text(changed, encoding="utf-8")
        assert baseline("accept", "changed.json", "--reason", "x") == 1
        assert f"mainnet/24443168: nothing was recorded: {told}" in capsys.readouterr().out
    assert len(list(stored(bench).sessions())) == 1


def test_an_edited_results_file_is_refused(bench: Bench, regressed: BlockResult) -> None:
    from pytest_ethrex_perf.errors import UsageError
    from pytest_ethrex_perf.records import results_file

    replace = msgspec.structs.replace
    slower = replace(regressed.pairs[0].head, exec_ns=tuple(ns * 2 for ns in regressed.pairs[0].head.exec_ns))
    edited = replace(regressed, pairs=(replace(regressed.pairs[0], head=slower), *regressed.pairs[1:]))
    Path("changed.json").write_text(results_file.dump(replace(bench.results(), blocks=(edited,))), "utf-8")
    with pytest.raises(UsageError, match="the sha256 of the raw data of mainnet/24443168 differs"):
        baseline("accept", "changed.json", "--reason", "x")
    assert len(list(stored(bench).sessions())) == 1


@pytest.mark.usefixtures("regressed")
def test_another_number_of_repeats_is_refused_and_a_block_that_is_not_there(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_ethrex_perf.errors import UsageError

    bench.compare("bin/slow", "bin/base", "--ethrex-repeat=5", "--ethrex-json=results.json")
    assert baseline("accept", "results.json", "--reason", "x") == 1
    assert "it was recorded with 3 repeats, and this run takes 5" in capsys.readouterr().out
    with pytest.raises(UsageError, match="no block mainnet/7: there are mainnet/24443168"):
        baseline("accept", "results.json", "--block", "7")


def test_contradictions_are_looked_for_in_every_gated_metric(
    bench: Bench, base: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del base
    monkeypatch.chdir(bench.path)
    gate(bench, bench.program("head", prep_ms=60), "--ethrex-metrics=prep")
    assert baseline("accept", "results.json") == 1
    assert "nothing was recorded: prep took" in capsys.readouterr().out
