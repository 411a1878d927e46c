"""--ethrex-base: the program that the head is run against, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_both_programs_run_equally_often_and_no_baseline_is_needed(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-json=results.json").assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    assert block.mode == "interleaved"
    assert len(bench.calls(head)) == len(bench.calls(base)) == len(block.pairs) >= 6
    assert block.base is not None
    assert block.base.label == "bin/base"
    assert not (bench.path / "baselines").exists()


def test_it_may_be_a_command_line(bench: Bench) -> None:
    base = bench.program("base")
    bench.compare(bench.program("head"), f"{base} --fast", "--ethrex-repeat=3", "--ethrex-looks=6")
    assert {call["argv"][0] for call in bench.calls(base)} == {"--fast"}


def test_a_missing_base_is_wrong_usage_that_names_the_option_and_nothing_runs(bench: Bench) -> None:
    head = bench.program("head")
    message = bench.refuse("--ethrex-block=1..3", f"--ethrex-replay={head}", "--ethrex-base=bin/nowhere")
    assert message.startswith("--ethrex-base: bin/nowhere does not exist; give the path of")
    assert bench.calls(head) == []


@pytest.mark.parametrize(
    ("base", "why"), [("", "it is empty"), ("  ", "it is empty"), ("a 'b", "No closing quotation")]
)
def test_an_empty_base_is_not_taken_for_none(bench: Bench, base: str, why: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-base={base}")
    assert told == f"--ethrex-base: {base!r} is not a value of it: {why}"


def test_the_settings_file_may_name_it(bench: Bench) -> None:
    base = bench.program("base")
    bench.configure(f"base = '{base}'\nlooks = [6]\nrepeat = 3\n")
    bench.gate(f"--ethrex-replay={bench.program('head')}")
    assert len(bench.calls(base)) == 6
