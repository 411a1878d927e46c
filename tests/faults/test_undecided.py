"""What was not decided when a run was cut off never passes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from junitparser import xunit2

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.gate.policy import Policy
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.records.decision import Decision
from pytest_ethrex_perf.report import junit
from tests.gate.test_policy import BLOCK, TODAY, decision, settings
from tests.report import builders

RECORDED = Path(__file__).parent.parent / "recorded" / "files"


def test_it_is_an_error_in_junit() -> None:
    whole = builders.one()
    block = whole.blocks[0]
    undecided = Decision(verdict=None, reason="", pairs=3)
    metrics = [msgspec.structs.replace(m, outcome="warn", decision=undecided) for m in block.metrics]
    cut_off = msgspec.structs.replace(block, metrics=tuple(metrics))
    run = msgspec.structs.replace(whole, blocks=(cut_off,), suite=())
    (suite,) = xunit2.JUnitXml.fromstring(junit.dump(run).encode())
    assert suite.errors == suite.tests == len(metrics)


def test_it_fails_where_inconclusive_fails() -> None:
    consequence = Policy(settings(on_inconclusive="fail"), TODAY)(BLOCK, "exec", decision(None))
    assert consequence.outcome == "fail"
    assert "before it was decided" in consequence.reason


@pytest.mark.parametrize("option", [{}, {"on_improvement": "fail"}])
def test_it_is_a_warning_elsewhere(option: dict[str, str]) -> None:
    assert Policy(settings(**option), TODAY)(BLOCK, "exec", decision(None)).outcome == "warn"


def cut_off(tmp_path: Path, name: str, pairs: int) -> Path:
    """The results of a run that was stopped after so many pairs of its first look."""
    run = results_file.load(RECORDED / "interleaved.json")
    blocks = tuple(
        msgspec.structs.replace(
            block,
            pairs=block.pairs[:pairs],
            metrics=tuple(
                msgspec.structs.replace(
                    metric, outcome="warn", decision=Decision(verdict=None, reason="", pairs=pairs)
                )
                for metric in block.metrics
            ),
        ).sealed()
        for block in run.blocks
    )
    file = tmp_path / name
    file.write_text(results_file.dump(msgspec.structs.replace(run, blocks=blocks, suite=())))
    return file


def test_merged_it_stays_undecided_and_an_error_in_junit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.json"
    cli.main(["merge", str(cut_off(tmp_path, "cut.json", 1)), "-o", str(whole)])
    assert capsys.readouterr().out.endswith("1 blocks: 3 not decided\n")
    (block,) = results_file.load(whole).blocks
    assert {metric.decision.verdict for metric in block.metrics} == {None}
    assert cli.main(["report", str(whole), "--junit", str(tmp_path / "junit.xml")]) == 0
    (suite,) = xunit2.JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert suite.errors == suite.tests == len(block.metrics)


def test_half_a_recording_is_not_accepted_as_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = results_file.load(RECORDED / "recorded.json")
    block = msgspec.structs.replace(run.blocks[0], recorded=None)
    recording = tmp_path / "recording.json"
    recording.write_text(results_file.dump(msgspec.structs.replace(run, blocks=(block,))))
    assert cli.main(["baseline", "accept", str(recording), f"--baselines={tmp_path / 'baselines'}"]) == 1
    assert "the run was stopped before it was measured whole" in capsys.readouterr().out
    assert not (tmp_path / "baselines").exists()


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_compared_it_is_inconclusive(tmp_path: Path, capsys: pytest.CaptureFixture[str], pairs: int) -> None:
    file = cut_off(tmp_path, "cut.json", pairs)
    cli.main(["compare", f"{file}:base", f"{file}:head"])
    out = capsys.readouterr().out
    assert "\n3 inconclusive; not proven unchanged: " in out
    assert "unchanged" not in out.replace("not proven unchanged", "")


def test_a_block_without_a_pair_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = cut_off(tmp_path, "cut.json", 0)
    assert cli.main(["compare", f"{file}:base", f"{file}:head"]) == 2
    assert "unchanged" not in capsys.readouterr().out
