"""A program that is no ethrex-replay: one usage error of the run, and not one error of each block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli

if TYPE_CHECKING:
    from tests.conftest import Bench

BLOCKS = "24443168,24443169"
REMEDY = "; give the path of an ethrex-replay build, or `embedded`"


def wrong(bench: Bench, name: str, content: bytes) -> str:
    path = bench.path / name
    path.write_bytes(content)
    path.chmod(0o755)
    return name


def refusal(result: pytest.RunResult) -> str:
    """The one line that says why the session ended."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.assert_outcomes()  # neither an error nor a failure
    (line,) = (line for line in result.outlines if "like ethrex-replay" in line or "runs here" in line)
    return line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/bin/sh\n", "silent does not answer like ethrex-replay, but with nothing (exit code 0)"),
        (b"#!/bin/sh\nexit 127\n", "like ethrex-replay, but with nothing (exit code 127)"),
        (b"just a text\n", "silent is no ethrex-replay that runs here: "),
        (b"\x7fELF\x02\x01\x01" + 57 * b"\0", "can't be started: Exec format error"),
        (b"#!/no/such/interpreter\n", "can't be started: No such file or directory"),
    ],
)
def test_head_is_no_ethrex_replay(bench: Bench, content: bytes, said: str) -> None:
    bench.cache(24443169)
    head = wrong(bench, "silent", content)
    line = refusal(bench.compare(head, bench.program("base"), "--ethrex-repeat=3", block=BLOCKS))
    assert said in line
    assert REMEDY in line


def test_base_is_no_ethrex_replay_and_the_reports_say_so(bench: Bench) -> None:
    bench.cache(24443169)
    reports = ("--ethrex-json=results.json", "--ethrex-markdown=comment.md")
    line = refusal(bench.compare(bench.program("head"), "/bin/ls", *reports, block=BLOCKS))
    said = "/bin/ls does not answer like ethrex-replay, but with"
    assert said in line
    assert "/bin/ls: " in line.partition(said)[2]
    assert all(said in str(block.error) for block in bench.results().blocks)
    assert len(bench.results().blocks) == 2
    assert "does not answer like ethrex-replay" in (bench.path / "comment.md").read_text()


def test_nothing_of_it_is_recorded(bench: Bench) -> None:
    refusal(bench.record("/bin/ls"))
    assert not (bench.path / "baselines").exists()


def test_the_program_of_a_declared_test(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_it(ethrex_replay): ethrex_replay(24443168)")
    refusal(bench.run("--ethrex-replay=/bin/ls"))


def test_one_worker_of_xdist_ends_the_whole_run(bench: Bench) -> None:
    bench.cache(24443169)
    result = bench.compare("/bin/ls", bench.program("base"), "-n1", block=BLOCKS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*Exit: ethrex-perf: /bin/ls does not answer like ethrex-replay*"])


def test_a_program_that_is_not_there_is_wrong_usage_under_xdist_too(bench: Bench) -> None:
    line = bench.refuse("-n1", "--ethrex-block=24443168", "--ethrex-replay=bin/none")
    assert line.startswith("--ethrex-replay: bin/none does not exist; ")


def test_a_program_that_answered_once_is_not_wrong_afterwards(bench: Bench) -> None:
    head = bench.program("head", behaviour={"2": "nothing"})
    result = bench.compare(head, bench.program("base"), "--ethrex-repeat=3")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("verb", ["fetch workload:keccak", "fetch mainnet:1 --rpc-url=http://127.0.0.1:1"])
def test_of_a_command_it_is_wrong_usage(bench: Bench, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    cache = f"--cache-dir={bench.path / 'replay_cache'}"
    assert cli.main([*verb.split(), "--replay=/bin/ls", cache]) == cli.EXIT_USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ethrex-perf: /bin/ls does not answer like ethrex-replay, but with ")
