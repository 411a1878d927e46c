"""--ethrex-update-baseline: records a session instead of judging."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench


def words(result: pytest.RunResult) -> str:
    """What a run printed, however it was wrapped."""
    return " ".join(result.stdout.str().split())


def session_id(file: Path) -> str:
    identity = re.search(r'"id": "([0-9a-f]{12})"', file.read_text())
    assert identity is not None
    return identity[1]


def stored(bench: Bench) -> list[Path]:
    return sorted((bench.path / "baselines").rglob("*.json"))


def test_it_records_and_says_where(bench: Bench) -> None:
    result = bench.record(bench.program("head"))
    result.assert_outcomes(passed=1)
    (file,) = stored(bench)
    assert f"recorded: new baseline: session {session_id(file)} in {file}" in words(result)
    assert file.parent == bench.path / "baselines" / "mainnet" / "24443168"


def test_every_block_of_the_run_is_recorded(bench: Bench) -> None:
    bench.cache(1, 2)
    bench.record(bench.program("head"), block="1..2").assert_outcomes(passed=2)
    assert [file.parent.name for file in stored(bench)] == ["1", "2"]


def test_a_further_session_is_added(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program)
    bench.record(program).stdout.fnmatch_lines(["*recorded: session 2 of epoch 1: session *"])
    (file,) = stored(bench)
    (epoch,) = bench.json(str(file))["epochs"]
    assert [len(session["invocations"]) for session in epoch["sessions"]] == [2, 2]


def test_the_program_is_stored_without_the_directories_of_this_machine(bench: Bench) -> None:
    bench.record(str(bench.path / bench.program("head")))
    (file,) = stored(bench)
    assert str(bench.path) not in file.read_text()


def test_a_slower_program_contradicts_its_baseline_and_is_not_recorded(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-invocations=6")
    before = stored(bench)[0].read_bytes()
    result = bench.record(bench.program("slow", exec_ms=120), "--ethrex-invocations=6")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*nothing was recorded: exec took 1*--ethrex-accept-baseline*"])
    assert stored(bench)[0].read_bytes() == before


def test_an_error_leaves_nothing(bench: Bench) -> None:
    bench.record(bench.program("head", behaviour={"2": "half"})).assert_outcomes(errors=1)
    assert stored(bench) == []


@pytest.mark.parametrize("other", ["--ethrex-base=bin/base", "--ethrex-aa"])
def test_recording_compares_nothing(bench: Bench, other: str) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-update-baseline", other)
    assert told == (
        "--ethrex-update-baseline records and compares nothing: drop --ethrex-base and --ethrex-aa"
    )


def test_it_may_not_stand_in_the_settings_file(bench: Bench) -> None:
    bench.configure("update_baseline = true\n")
    assert "unknown name 'update_baseline'" in bench.refuse("--ethrex-block=1")
