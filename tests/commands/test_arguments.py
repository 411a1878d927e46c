"""The parser of the commands: mistyped verbs and options are wrong usage that says what was meant."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf import cli


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("baselin list", "ethrex-perf: error: argument COMMAND: 'baselin' is none: did you mean 'baseline'?"),
        (
            "baseline shwo 1",
            "ethrex-perf baseline: error: argument VERB: 'shwo' is none: did you mean 'show'?",
        ),
        (
            "report x.json --htlm=y",
            "ethrex-perf report: error: unrecognized argument --htlm: did you mean --html?",
        ),
        (
            "--verson baseline list",
            "ethrex-perf: error: unrecognized argument --verson: did you mean --version?",
        ),
    ],
)
def test_a_slip_is_wrong_usage_that_says_what_was_meant(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(words.split())
    assert capsys.readouterr().err.splitlines()[-1] == message


def test_a_verb_that_is_like_none_is_answered_with_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["zzz"])
    error = capsys.readouterr().err
    assert "'baseline'" in error or "choose from init" in error
    assert "did you mean" not in error
