"""--ethrex-archive: where recorded programs are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def mode(bench: Bench, *arguments: str) -> str:
    """How an unchanged program is compared with the baseline."""
    head = bench.program("next")
    bench.gate(f"--ethrex-replay={head}", "--ethrex-repeat=3", "--ethrex-json=r.json", *arguments)
    (block,) = bench.results("r.json").blocks
    return block.mode


def test_programs_are_kept_there_and_found_there(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-invocations=6", "--ethrex-archive=programs")
    (kept,) = (bench.path / "programs").iterdir()
    assert os.access(kept, os.X_OK)
    assert mode(bench, "--ethrex-archive=programs") == "interleaved"
    assert mode(bench, "--ethrex-archive=elsewhere") == "stored"


def test_without_it_they_are_in_the_users_cache_directory(bench: Bench) -> None:
    bench.record(bench.program("head"))
    folder = Path(os.environ["XDG_CACHE_HOME"], "pytest-ethrex-perf", "programs")
    (kept,) = folder.iterdir()
    assert len(kept.name) == 64


def test_a_gate_keeps_its_head_only_where_it_may_be_accepted_from_a_file(bench: Bench) -> None:
    base, head = bench.program("base"), bench.program("head")
    bench.compare(head, base, "--ethrex-archive=programs")
    assert not (bench.path / "programs").exists()
    bench.compare(head, base, "--ethrex-archive=programs", "--ethrex-json=r.json")
    (kept,) = (bench.path / "programs").iterdir()
    assert kept.read_bytes() == (bench.path / head).read_bytes()


def test_it_may_stand_in_the_settings_file(bench: Bench) -> None:
    bench.configure('archive = "programs"')
    bench.record(bench.program("head"))
    assert len(list((bench.path / "programs").iterdir())) == 1


def test_a_directory_that_cannot_be_written_changes_no_outcome(bench: Bench) -> None:
    (bench.path / "file").write_text("")
    result = bench.record(bench.program("head"), "--ethrex-archive=file/programs")
    result.assert_outcomes(passed=1)
    assert "its program is not kept in the archive: " in " ".join(result.stdout.str().split())
