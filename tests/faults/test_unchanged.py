"""A program or cache file that is replaced during the run: what ran is not what the result would claim."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.conftest import BLOCK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

SHORT = ("--ethrex-counters=off", "--ethrex-repeat=3")


def before_it_runs(bench: Bench, program: str, command: str) -> None:
    """Let `program` run a line of shell before it does anything else, in every invocation."""
    path = bench.path / program
    first, _, rest = path.read_text().partition("\n")
    path.write_text(f"{first}\n{command}\n{rest}")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def cache_of(bench: Bench) -> Path:
    (path,) = (bench.path / "replay_cache").iterdir()
    return path


def in_a_line(text: str) -> str:
    return " ".join(text.split())


def test_a_head_that_replaces_itself_is_an_error_with_both_hashes(bench: Bench) -> None:
    base, head, faster = bench.program("base"), bench.program("head"), bench.program("faster", exec_ms=30)
    before_it_runs(bench, head, f"mv {bench.path / faster} {bench.path / head} 2>/dev/null")
    before, after = sha256(bench.path / head), sha256(bench.path / faster)
    result = bench.compare(head, base, *SHORT)
    result.assert_outcomes(errors=1)
    told = f"{bench.path / head} was replaced during the run (its sha256 was {before}, now it is {after})"
    assert told in in_a_line(result.stdout.str())


@pytest.mark.parametrize("invocation", [1, 2])
def test_nothing_is_recorded_of_a_program_that_was_replaced(bench: Bench, invocation: int) -> None:
    """The second is the last invocation of the session."""
    head, faster = bench.program("head"), bench.program("faster", exec_ms=30)
    count = f"echo >> {bench.path / 'count'}; [ $(wc -l < {bench.path / 'count'}) = {invocation} ]"
    before_it_runs(bench, head, f"{count} && mv {bench.path / faster} {bench.path / head}")
    result = bench.record(head, "--ethrex-counters=off")
    result.assert_outcomes(errors=1)
    assert "was replaced during the run" in result.stdout.str()
    assert not (bench.path / "baselines").exists()


def test_a_cache_file_with_another_witness_is_an_error(bench: Bench) -> None:
    head, cache = bench.program("head"), cache_of(bench)
    before = sha256(cache)
    before_it_runs(bench, head, f'sed -i \'s/"state": \\["0x80"\\]/"state": ["0x81"]/\' {cache}')
    result = bench.record(head, "--ethrex-counters=off")
    result.assert_outcomes(errors=1)
    told = f"{cache} was replaced during the run (its sha256 was {before}, now it is {sha256(cache)})"
    assert told in in_a_line(result.stdout.str())
    assert not (bench.path / "baselines").exists()


def test_another_content_with_the_old_times_is_seen_at_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system whose stamps say nothing."""
    from pytest_ethrex_perf.gate import unchanged

    monkeypatch.setattr(unchanged, "_stamp", lambda _: unchanged._Stamp(1, 1, 1, 1, 1))
    head, faster = bench.program("head"), bench.program("faster", exec_ms=30)
    before_it_runs(bench, head, f"mv {bench.path / faster} {bench.path / head} 2>/dev/null")
    result = bench.record(head, "--ethrex-counters=off")
    result.assert_outcomes(errors=1)
    assert "was replaced during the run" in result.stdout.str()


def test_what_is_touched_or_written_once_more_is_the_same(bench: Bench) -> None:
    base, head, cache = bench.program("base"), bench.program("head"), cache_of(bench)
    program = bench.path / head
    before_it_runs(bench, head, f"touch {program}; cp {cache} {cache}.new && mv {cache}.new {cache}")
    bench.compare(head, base, *SHORT, "--ethrex-looks=6").assert_outcomes(passed=1)


def test_a_program_that_vanishes_is_named(bench: Bench) -> None:
    head = bench.program("head")
    before_it_runs(bench, head, f"rm {bench.path / head}")
    result = bench.record(head, "--ethrex-counters=off")
    result.assert_outcomes(errors=1)
    assert f"{BLOCK}: {bench.path / head} can't be read any more" in in_a_line(result.stdout.str())
