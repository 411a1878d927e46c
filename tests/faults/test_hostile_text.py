"""Text from outside at the door to the terminal and to the log of a CI: it is shown, and does nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.report import escape, terminal
from tests.recorded.printed import FILES

if TYPE_CHECKING:
    from tests.conftest import Bench

HOSTILE = (
    "\x1b]0;title\x07 \x9b2J\u202e ::error file=x::pwned ##[error]pwned "
    "##vso[task.x]pwned\r::stop-commands::x"
)
COMMAND = re.compile(r"\s*::|.*##\w*\[")
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
TEXT = st.lists(st.text() | st.sampled_from([*HOSTILE.split(" "), " ", "\n", "\r", "::", "##["])).map("".join)


def check(output: str) -> None:
    """Nothing in it moves a cursor, turns writing round, or is a command to the CI that reads it."""
    assert not FORBIDDEN.search(output), repr(FORBIDDEN.search(output))
    for line in re.split(r"[\n\u2028\u2029]", output):
        assert not COMMAND.match(line), line


@given(TEXT)
def test_no_text_is_anything_but_text(text: str) -> None:
    check(escape.shown(text))
    assert escape.shown(escape.shown(text)) == escape.shown(text)


@given(TEXT, st.integers(12, 40))
def test_however_lines_are_wrapped(text: str, room: int) -> None:
    check("\n".join(line.text for line in terminal._wrapped(f"  note: {text}", "", room)))


def test_plain_words_stay_as_they_are() -> None:
    text = "ethrex_trie::Node::encode ← a::b, 3 %, ## a heading\n\tindented: “ß” – 漢字"
    assert escape.shown(text) == text


# --- in a run -----------------------------------------------------------------------------------------------


def printed(result: pytest.RunResult) -> None:
    check(result.stdout.str())
    check(result.stderr.str())


def test_what_a_program_says_when_it_fails(bench: Bench) -> None:
    result = bench.gate(
        f"--ethrex-replay={bench.program('head', behaviour='exit', says=HOSTILE)}",
        "--ethrex-update-baseline",
        "-rA",
    )
    result.assert_outcomes(errors=1)
    assert "pwned" in result.stdout.str()
    printed(result)


@pytest.mark.parametrize("verbosity", ["-q", "-vv"])
def test_a_reason_a_label_and_paths(bench: Bench, verbosity: str) -> None:
    head = bench.program("head \x1b[2J ::error::pwned")
    result = bench.record(
        f"'{head}'", verbosity, f"--ethrex-accept-baseline={HOSTILE}", "--ethrex-json=::error::pwned\x07.json"
    )
    result.assert_outcomes(passed=1)
    printed(result)


@pytest.mark.parametrize(
    "option", ["--ethrex-replay", "--ethrex-base", "--ethrex-metrics", "--ethrex-prefix"]
)
def test_the_value_of_an_option(bench: Bench, option: str) -> None:
    printed(bench.gate(f"--ethrex-replay={bench.program('head')}", f"{option}={HOSTILE}"))


def test_what_holds_the_machine_or_is_a_network(bench: Bench) -> None:
    head = bench.program("head")
    printed(bench.gate(f"--ethrex-replay={head}", f"--ethrex-network={HOSTILE}"))
    printed(bench.gate(f"--ethrex-replay={head}", f"--ethrex-machine={HOSTILE}"))
    printed(bench.gate(f"--ethrex-replay={head}", block=f"{HOSTILE}:1"))
    cache = bench.path / "replay_cache" / "cache_mainnet_24443168.json"
    cache.write_text(cache.read_text().replace("Mainnet", "\\u001b[31m\\n::error::pwned"))
    printed(bench.gate(f"--ethrex-replay={head}"))


# --- in a command -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["explain {}", "compare {} {}", "report {}", "plan {}", "baseline show {}"])
def test_a_file_that_is_not_there(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([word.format(f"x{HOSTILE}") for word in words.split()]) != 0
    output = capsys.readouterr()
    check(output.out)
    check(output.err)


def poisoned(value: object, name: str = "") -> object:
    """What a results file holds, with hostile words in every text that people wrote."""
    if isinstance(value, dict):
        return {key: poisoned(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each, name) for each in value]
    if name in {"label", "reason", "reproduce", "notes"}:
        return f"{value}\n{HOSTILE}"
    return value


@pytest.mark.parametrize(
    "words", ["explain x.json", "compare x.json:base x.json:head", "report x.json", "plan x.json"]
)
def test_what_a_results_file_holds(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    content = json.loads((FILES / "interleaved.json").read_text())
    content["sha256"] = None
    for block in content["blocks"]:
        block["raw_sha256"] = None
    Path("x.json").write_text(json.dumps(poisoned(content)))
    cli.main(words.split())
    output = capsys.readouterr()
    assert output.out
    check(output.out)
    check(output.err)
