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


def test_a_red_block_s_sentences_are_said_once(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=70), bench.program("base")
    result = bench.compare(head, base, "--ethrex-markdown=r.md", "--ethrex-report=page")
    printed = result.stdout.str()
    page = (bench.path / "page" / "index.html").read_text(encoding="utf-8")
    for form in (printed, (bench.path / "r.md").read_text(encoding="utf-8"), page):
        assert form.count("exec is ") == form.count("Sure (p = ") == 1, form
    assert printed.count("mainnet/24443168 exec is ") == 1
    result.stdout.fnmatch_lines(["FAILED ethrex-block::*::exec - regression: exec +1?.? % [[]+*, +*]"])
    assert "false alarm" not in printed
    assert "risk of a false alarm 1 %" in bench.compare(head, base, "-v").stdout.str()


def test_a_declared_test_s_line_is_as_short(bench: Bench) -> None:
    bench.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ethrex_block(24443168)
        def test_it(ethrex_block): ...
        """
    )
    programs = (
        f"--ethrex-replay={bench.program('head', exec_ms=70)}",
        f"--ethrex-base={bench.program('base')}",
    )
    result = bench.run(*programs)
    result.stdout.fnmatch_lines(["FAILED *::test_it[[]mainnet/24443168[]] - regression: exec +*"])
