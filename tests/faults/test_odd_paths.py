"""Paths with letters that other tools read in their own way: commas, percents, quotes, blanks."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host import scratch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

ODD = "a,b %p 'c\"d"


@pytest.fixture
def odd_tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files that perf and valgrind would misread."""
    folder = tmp_path / ODD
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.usefixtures("odd_tmpdir")
def test_perf_counts_under_a_tmpdir_with_a_comma(bench: Bench) -> None:
    bench.perf(per_repeat={"instructions:u": 688_000_000, "cycles:u": 270_000_000, "task-clock:u": 90})
    result = bench.compare(bench.program("head"), bench.program("base"), "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    (block,) = bench.results().blocks
    assert block.pairs[0].head.counts["instructions"].missing is None


@pytest.mark.usefixtures("odd_tmpdir")
def test_valgrind_writes_where_it_is_told() -> None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.skip("no valgrind")
    with scratch.folder() as folder:
        written = f"--callgrind-out-file={folder / 'out'}"
        subprocess.run([valgrind, "--tool=callgrind", written, "true"], capture_output=True, check=True)
        assert (folder / "out").exists()
    assert not folder.exists()


def test_a_folder_is_where_temporary_files_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch.folder() as folder:
        assert folder.parent == tmp_path


def test_quotes_and_blanks_in_every_path(bench: Bench) -> None:
    base = bench.program("base")
    head = bench.path / ODD / "head"
    head.parent.mkdir()
    for file in (bench.path / "bin").iterdir():
        shutil.copy(file, head.parent / file.name)
    shutil.copytree(bench.path / "replay_cache", bench.path / ODD / "cache")
    bench.program("head")
    for file in (bench.path / "bin").glob("head*"):
        shutil.copy(file, head.parent / file.name)
    options = (
        f"--ethrex-cache-dir={ODD}/cache",
        f"--ethrex-json={ODD}/out.json",
        f"--ethrex-report={ODD}/page",
    )
    result = bench.compare(f"{ODD}/head", base, *options, f"--ethrex-baselines={ODD}/baselines")
    result.assert_outcomes(passed=1)
    assert (bench.path / ODD / "page" / "index.html").exists()
    record = (f"--ethrex-cache-dir={ODD}/cache", f"--ethrex-baselines={ODD}/baselines")
    bench.record(f"{ODD}/head", *record).assert_outcomes(passed=1)
    bench.gate(f"--ethrex-replay={ODD}/head", *record, "--ethrex-repeat=3")
