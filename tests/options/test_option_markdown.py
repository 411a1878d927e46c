"""--ethrex-markdown, and the summary of a step of GitHub Actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Bench


def test_the_comment_is_written(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-markdown=comment.md")
    result.stdout.fnmatch_lines([f"written: {bench.path}/comment.md (--ethrex-markdown)"])
    text = (bench.path / "comment.md").read_text()
    assert text.startswith("<!-- ethrex-perf -->\n### ❌ ethrex-perf: the block got slower: +")
    assert "| mainnet/24443168 | +" in text


def test_the_step_summary_is_appended_to(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = bench.path / "summary.md"
    summary.write_text("# what was there\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = bench.record(bench.program("head"))
    result.stdout.fnmatch_lines([f"written: {summary} ($GITHUB_STEP_SUMMARY)"])
    assert summary.read_text().startswith("# what was there\n\n<!-- ethrex-perf -->\n")


def test_a_run_without_blocks_writes_no_step_summary(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "summary.md"))
    bench.pytester.makepyfile("def test_other(): pass")
    bench.run().assert_outcomes(passed=1)
    assert not (bench.path / "summary.md").exists()
