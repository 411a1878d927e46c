"""A step summary that can't be written: nobody asked for it, and the job stays green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_an_inherited_step_summary_is_a_note(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "gone" / "summary.md"))
    result = bench.compare(bench.program("head"), bench.program("base"))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["note: not written: */gone/summary.md ($GITHUB_STEP_SUMMARY): No such*"])


def test_a_report_that_was_asked_for_stays_red(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "summary.md"))
    result = bench.compare(bench.program("head"), bench.program("base"), "--ethrex-json=/proc/no.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["not written: /proc/no.json*"])
    assert (bench.path / "summary.md").exists()
