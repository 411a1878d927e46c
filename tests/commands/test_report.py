"""`ethrex-perf report`, `merge` and `junit`, as they are called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.cli import main
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.report import html, junit, markdown, outputs
from tests.report import builders

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.result import RunResult


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(outputs.STEP_SUMMARY, raising=False)


def saved(path: Path, run: RunResult) -> str:
    path.write_text(results_file.dump(run), encoding="utf-8")
    return str(path)


def test_every_report_is_made_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "r.json", builders.several())
    forms = {
        "markdown": "c.md",
        "junit": "j.xml",
        "csv": "m.csv",
        "samples-csv": "s.csv",
        "benchmark-json": "b.json",
    }
    forms |= {"smaller-is-better": "g.json", "bencher": "n.json", "openmetrics": "o.txt", "html": "report"}
    assert main(["report", file, *(f"--{name}={path}" for name, path in forms.items())]) == 0
    assert (tmp_path / "report" / "index.html").read_text(encoding="utf-8") == html.dump(builders.several())
    assert (tmp_path / "c.md").read_text(encoding="utf-8") == markdown.dump(builders.several())
    assert (tmp_path / "j.xml").read_bytes().decode() == junit.dump(builders.several())
    assert all((tmp_path / path).stat().st_size > 100 for path in forms.values())
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("written: ") == 9


def test_without_a_form_the_terminals_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", saved(tmp_path / "r.json", builders.one())]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 regression"


def test_a_form_may_go_to_the_terminal(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["report", saved(tmp_path / "r.json", builders.one()), "--markdown=/dev/stdout"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"<!-- ethrex-perf -->")


def test_the_step_summary_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(tmp_path / "r.json", builders.one())
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    assert main(["report", file, "--step-summary"]) == 2
    monkeypatch.setenv(outputs.STEP_SUMMARY, str(summary))
    assert main(["report", file, "--step-summary"]) == 0
    assert summary.read_text(encoding="utf-8") == "before\n\n" + markdown.dump(
        builders.one(), markdown.SUMMARY_LIMIT
    )


def test_a_step_has_the_verdict_as_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path / "r.json", builders.one())
    monkeypatch.delenv(outputs.STEP_OUTPUTS, raising=False)
    assert main(["report", file, "--step-outputs"]) == 2
    monkeypatch.setenv(outputs.STEP_OUTPUTS, str(tmp_path / "outputs"))
    (tmp_path / "outputs").write_text("before=1\n")
    assert main(["report", file, "--step-outputs"]) == 0
    assert (tmp_path / "outputs").read_text() == "before=1\nverdict=regression\nslower=mainnet/24443168\n"
    capsys.readouterr()
    monkeypatch.setenv(outputs.STEP_OUTPUTS, str(tmp_path))
    assert main(["report", file, "--step-outputs"]) == 1
    assert capsys.readouterr().err == (
        f"ethrex-perf: {tmp_path} ($GITHUB_OUTPUT): not written: Is a directory\n"
    )


def test_the_step_summary_is_never_too_long(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x" * (markdown.SUMMARY_LIMIT - 10_000))
    outputs.append_summary(summary, builders.many(50))
    assert markdown.SUMMARY_LIMIT - 9_000 < summary.stat().st_size <= markdown.SUMMARY_LIMIT


def test_a_form_that_cannot_be_written_takes_no_other_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    file = saved(tmp_path / "r.json", builders.one())
    assert main(["report", file, "--html=file", "--csv=m.csv"]) == 1
    assert "not written: file/index.html (--html): " in capsys.readouterr().err
    assert (tmp_path / "m.csv").exists()


def test_what_is_no_results_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.json").write_text("{}")
    assert main(["report", "r.json", "--csv=m.csv"]) == 2
    assert capsys.readouterr().err.startswith("ethrex-perf: r.json: not a results file of this version")
    assert main(["report"]) == 2
    assert "name a results file" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Results of pytest-ethrex-perf, schema 2"


def test_shards_are_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        saved(tmp_path / f"{n}.json", builders.run([builders.interleaved(n, 0.0)], gatings=2, shard=f"{n}/2"))
        for n in (1, 2)
    ]
    assert main(["merge", *files, "-o", "all.json"]) == 0
    assert [block.block for block in results_file.load(tmp_path / "all.json").blocks] == [
        "mainnet/1",
        "mainnet/2",
    ]
    assert capsys.readouterr().out == "all.json: 2 blocks: 2 unchanged\n"
    assert main(["merge", files[0], "-o", "all.json"]) == 2
    assert "shard 2/2 is missing" in capsys.readouterr().err


def test_junit_is_merged_annotated_and_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, number in (("1.xml", 1), ("2.xml", 2)):
        (tmp_path / name).write_text(
            junit.dump(builders.run([builders.interleaved(number, 0.0)])), encoding="utf-8"
        )
    assert main(["junit", "merge", "1.xml", "2.xml", "-o", "all.xml"]) == 0
    file = saved(tmp_path / "r.json", builders.run([builders.interleaved(2, 0.0)]))
    assert main(["junit", "annotate", "all.xml", file]) == 0
    assert capsys.readouterr().out == "all.xml: 1 test cases have results now\n"
    assert main(["junit", "summary", "all.xml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed"
