"""--ethrex-report: an HTML page in a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_the_page_is_written_and_named(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=64), bench.program("base")
    result = bench.compare(head, base, "--ethrex-report=out/report")
    file = bench.path / "out" / "report" / "index.html"
    result.stdout.fnmatch_lines([f"written: {file} (--ethrex-report)"])
    page = file.read_text()
    assert "the block got slower: +" in page
    assert "mainnet/24443168" in page
    assert page.count('<svg class="chart"') == 6


def test_the_file_of_settings_may_ask_for_it(bench: Bench) -> None:
    bench.configure('report = "out"')
    bench.record(bench.program("head"))
    assert "1 recorded" in (bench.path / "out" / "index.html").read_text()


def test_a_file_is_refused_before_anything_runs(bench: Bench) -> None:
    (bench.path / "out").touch()
    told = bench.refuse("--ethrex-block=1", "--ethrex-report=out")
    assert told == f"--ethrex-report: {bench.path}/out is a file: give a directory"
