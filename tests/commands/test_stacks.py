from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.profile import stacks

if TYPE_CHECKING:
    import pytest

FOLDED = Path(__file__).parents[1] / "profile/stackcollapse.folded"


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert cli.main(arguments) == code
    return capsys.readouterr().out.splitlines()


def test_stacks_shows_self_time_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "stacks", str(FOLDED), "-n", "2")
    assert lines == [
        "248 samples",
        "",
        "self time",
        "  75  30.2 %  __memcmp_avx2_movbe",
        "  45  18.1 %  fe_mul",
    ]


def test_stacks_shows_what_is_asked_for_in_one_go(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--crates", "--opcodes", "--allocations", "--structures", "--phases", "--threads", "--top"]
    lines = said(capsys, "stacks", str(FOLDED), *options, "--callers", "Keccak")
    for line in (
        "  153  61.7 %  ethrex_replay",
        "  104  41.9 %  SLOAD",
        "  malloc, by the ethrex function that calls it",
        "  12  4.8 %  ethrex_trie::Node::hash",
        "  BTreeMap, by the ethrex function that calls it",
        "  248  100.0 %  <no phase>",
        "  193  77.8 %  ethrex-replay",
        "callers of Keccak, the nearest ethrex function above",
        "  30  12.1 %  ethrex_trie::Node::hash",
    ):
        assert line in lines, line


def test_stacks_looks_at_one_phase(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "x.folded"
    file.write_text("[exec];main;a 3\n[prep];main;b 4\n")
    assert said(capsys, "stacks", str(file), "--phase", "exec")[-1] == "  3  100.0 %  a"
    assert cli.main(["stacks", str(FOLDED), "--phase", "exec"]) == 2
    assert "not cut by phase" in capsys.readouterr().err


def test_stacks_that_were_cut_off_are_counted_whoever_folded_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "x.folded"
    file.write_text("[exec];main;[cut off];run;a 3\n[exec];main;main;run;a 7\n")
    page = tmp_path / "x.html"
    told = said(capsys, "stacks", str(file), "--flamegraph", str(page))
    assert told[1] == "note: 30.0 % of stacks were cut off: their outermost callers are missing"
    assert "30.0 % of stacks were cut off" in page.read_text()
    file.write_text("replay;[unknown];run;a 1\nreplay;main;run;[unknown] 9999\n")
    assert said(capsys, "stacks", str(file))[1] == ""


def test_stacks_shortens_names_unless_told_not_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "x.folded"
    file.write_text("main;a::B<T>::c::h0123456789abcdef 3\ntruncated line\n")
    lines = said(capsys, "stacks", str(file))
    assert lines[-1] == "  3  100.0 %  a::B::c"
    assert lines[1] == f"note: {file}: 1 lines are no folded stacks, and were left out"
    assert said(capsys, "stacks", str(file), "--raw-names")[-1].endswith("a::B<T>::c::h0123456789abcdef")


def test_stacks_draws_a_flamegraph(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "graph.html"
    assert said(capsys, "stacks", str(FOLDED), "--flamegraph", str(page))[-1] == f"wrote {page}"
    assert 'class="flamegraph"' in page.read_text(encoding="utf-8")


def test_stacks_writes_anybodys_for_the_firefox_profiler(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "firefox.json"
    assert said(capsys, "stacks", str(FOLDED), "--firefox", str(file))[-1] == f"wrote {file}"
    threads = json.loads(file.read_text(encoding="utf-8"))["threads"]
    taken, _ = stacks.read(FOLDED)
    assert {thread["name"] for thread in threads} == {stacks.thread_of(frames) for frames in taken}
    assert {thread["samples"]["weightType"] for thread in threads} == {"samples"}
    assert sum(sum(thread["samples"]["weight"]) for thread in threads) == taken.total()
