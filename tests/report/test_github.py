"""Commands of GitHub Actions: what a value must not hold is escaped, and no text becomes another command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.report import github
from pytest_ethrex_perf.report.github import DeclaredTest
from tests.report import builders

PLACE = DeclaredTest(failed=True, file="a,b:c%.py", line=4)


def line(error: str, test: DeclaredTest = PLACE) -> str:
    result = builders.run([builders.block("mainnet/1", error=error)])
    (line,) = github.lines(result, {"mainnet/1": test})
    return line


def test_values_are_escaped_as_github_asks() -> None:
    assert line("50 % slower: a, b\nsecond") == (
        "::error file=a%2Cb%3Ac%25.py,line=4,title=ethrex-perf%3A mainnet/1::50 %25 slower: a, b%0Asecond"
    )


def test_a_block_that_no_test_failed_for_is_a_warning() -> None:
    assert line("x", DeclaredTest(failed=False)) == "::warning title=ethrex-perf%3A mainnet/1::x"


@given(text=st.text(min_size=1).filter(str.strip))
def test_no_text_ends_the_line_or_begins_a_command(text: str) -> None:
    command = line(f"{text}\n::error::x\r\n##[error]y")
    assert len(command.splitlines()) == 1
    assert " ::" not in command
    assert "%0A::" not in command
    assert "##[" not in command
