from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.profile import tables
from pytest_ethrex_perf.profile.differential import explain
from tests.profile import samples as made

if TYPE_CHECKING:
    import pytest

    from pytest_ethrex_perf.profile.perf import Perf

MADE = Path(__file__).parents[1] / "profile" / "stackcollapse.folded"


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert cli.main(arguments) == code
    return capsys.readouterr().out.splitlines()


def test_stacks_shows_self_time_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "stacks", str(MADE), "-n", "2")
    assert lines == [
        "248 samples",
        "",
        "self time",
        "  75  30.2 %  __memcmp_avx2_movbe",
        "  45  18.1 %  fe_mul",
    ]


def test_stacks_shows_what_is_asked_for_in_one_go(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--crates", "--opcodes", "--allocations", "--structures", "--phases", "--threads", "--top"]
    lines = said(capsys, "stacks", str(MADE), *options, "--callers", "Keccak")
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
    assert cli.main(["stacks", str(MADE), "--phase", "exec"]) == 2
    assert "not cut by phase" in capsys.readouterr().err


def test_stacks_shortens_names_unless_told_not_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "x.folded"
    file.write_text("main;a::B<T>::c::h0123456789abcdef 3\ntruncated line\n")
    lines = said(capsys, "stacks", str(file))
    assert lines[-1] == "  3  100.0 %  a::B::c"
    assert lines[1] == f"note: {file}: 1 lines are no folded stacks, and were left out"
    assert said(capsys, "stacks", str(file), "--raw-names")[-1].endswith("a::B<T>::c::h0123456789abcdef")


def test_stacks_draws_a_flamegraph(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "graph.html"
    assert said(capsys, "stacks", str(MADE), "--flamegraph", str(page))[-1] == f"wrote {page}"
    assert 'class="flamegraph"' in page.read_text()


def test_profile_writes_its_files_and_says_what_changed(
    perf: Perf, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert perf
    monkeypatch.chdir(tmp_path)
    sides = ("--replay", f"{toy} --unit 100000 --slow 60", "--base", f"{toy} --unit 100000")
    lines = said(capsys, "profile", "24443168", *sides, "--invocations", "1", "--repeat", "5", "--out", "out")
    assert lines[0].startswith("mainnet/24443168, ")
    assert any(line.startswith("exec ") and "of the profiled invocations" in line for line in lines)
    assert any(line.endswith("ethrex_trie::Node::encode") for line in lines)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "base.folded",
        "flamegraph.html",
        "head.folded",
        "speedscope.json",
    ]
    lines = said(capsys, "stacks", "out/head.folded", "--phase", "exec", "-n", "1")
    assert lines[-1].endswith("ethrex_trie::Node::encode")


def test_profile_is_of_one_block(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile", "1..3", "--replay", "true"]) == 2
    assert "'1..3' is 3 blocks: profile one at a time" in capsys.readouterr().err


def test_doctor_ends_with_one_where_something_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lines = said(capsys, "doctor", "--no-noise", code=1)
    assert any(line.startswith("❌ profiles (perf): perf is not installed") for line in lines)


def test_an_explanation_reads_from_the_largest_change_to_what_is_unexplained() -> None:
    base = [made.profile(made.executing({"a": [20] * 4, "b": [30] * 4, "c": [3] * 4})) for _ in range(2)]
    head = [made.profile(made.executing({"a": [29] * 4, "b": [10] * 4, "c": [3] * 4})) for _ in range(2)]
    assert list(tables.explanation(explain(base, head, measured_ms=(60, 49.5)))) == [
        "exec 60.00 → 49.50 ms (−10.50 ms, measured by the gate); 6 and 6 repeats profiled",
        "CPU ms per block, self time, by what changed most:",
        "  change     ±   base   head  function",
        "  −20.00  2.58  30.00  10.00  b  ← ethrex_vm::run",
        "   +9.00  2.86  20.00  29.00  a  ← ethrex_vm::run",
        (
            "these add up to −11.00 ms; 1 others, each within two standard errors, to 0.00 ms: "
            "CPU time on all threads −11.00 ± 3.98 ms"
        ),
        (
            "exec's own change differs from that by +0.50 ms "
            "(the kernel, waiting, and what threads do beside each other)"
        ),
    ]


def test_names_from_a_file_cannot_steer_the_terminal() -> None:
    assert tables.cut("evil\x1b[2Jname") == "evil[2Jname"
    assert len(tables.cut("x" * 500)) == 100
