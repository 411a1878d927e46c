"""What a run says before its tests and after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_the_header_names_programs_machine_and_mode(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    result = bench.compare(head, base, "--co")
    result.stdout.fnmatch_lines(
        ["ethrex-perf *: head bin/head (*) | base bin/base (*) | machine * | interleaved", "counters: *"]
    )
    result = bench.gate(f"--ethrex-replay={head}", "--ethrex-aa", "--co")
    result.stdout.fnmatch_lines(["ethrex-perf *: head bin/head (*) | base bin/head (*) | *interleaved, A/A"])


def test_the_header_says_what_is_missing_and_who_only_lists_needs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    result = bench.gate("--co")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["ethrex-perf *: head: no program to measure: *", "  machine * | against stored baselines"]
    )


def test_the_header_has_lines_of_its_own_where_one_has_no_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = bench.compare(bench.program("head"), bench.program("base"), "--co")
    header = [
        "ethrex-perf *: head bin/head (binary *)",
        "  base bin/base (binary *)",
        "  machine * | interleaved",
    ]
    result.stdout.fnmatch_lines(header, consecutive=True)


def test_a_run_of_which_nothing_was_measured_has_no_summary(bench: Bench) -> None:
    result = bench.gate("--co", "--ethrex-json=r.json")
    result.stdout.no_fnmatch_line("*= ethrex-perf: *")
    result.stdout.no_fnmatch_line("written: *")
    assert not (bench.path / "r.json").exists()
