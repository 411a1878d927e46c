"""The body of a comment: marked, within the limit, and whole however it is cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.report import comment, markdown
from pytest_ethrex_perf.report.markdown import MARK
from tests.report import builders


def test_a_report_is_what_it_is_with_a_footer() -> None:
    report = markdown.dump(builders.one())
    assert comment.of_report(report) == report.rstrip("\n") + "\n"
    assert comment.of_report(report, "[The run](u)") == report.rstrip("\n") + "\n\n[The run](u)\n"


def test_the_mark_is_put_first_where_it_is_missing() -> None:
    assert comment.of_report("### by hand") == f"{MARK}\n### by hand\n"
    assert comment.is_ours(comment.of_report("### by hand"))
    assert not comment.is_ours("by the way: " + MARK)


def test_what_is_too_long_is_cut_on_a_line_and_said_so() -> None:
    row = "| mainnet/1 | ✅ |"
    body = comment.of_report("\n".join([row] * 9000), "[The run](u)")
    *rows, empty, cut, _, footer = body.splitlines()
    assert len(body) <= markdown.COMMENT_LIMIT
    assert (set(rows), empty, footer) == ({MARK, row}, "", "[The run](u)")
    assert cut == f"… cut here: {9001 - len(rows)} more lines do not fit."


def test_what_was_folded_where_it_is_cut_is_closed() -> None:
    body = comment.of_report("<details>\n<summary>s</summary>\n\n<pre>" + "x\n" * 500, limit=600)
    assert "\n</pre>\n</details>\n\n… cut here: " in body


@settings(max_examples=30)
@given(st.text(max_size=3000), st.integers(400, 1200))
def test_no_comment_is_longer_than_allowed(text: str, limit: int) -> None:
    assert len(comment.of_report(text, "[The run](u)", limit)) <= limit


def test_a_status_is_a_heading_that_mentions_nobody() -> None:
    body = comment.of_status("gating: 3 of 11 blocks\n@octocat <b>", "[The run](u)")
    first, second, *_ = body.splitlines()
    assert (first, "[The run](u)" in body) == (MARK, True)
    assert second.startswith("### ⏳ ethrex-perf: gating: 3 of 11 blocks ")
    assert "@octocat" not in body
    assert "<b>" not in second.replace("\\<b\\>", "")
