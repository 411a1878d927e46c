"""Programs that go wrong and runs that are stopped: nothing stays running, nothing is half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host import lock
from tests.faults import fake_replay

if TYPE_CHECKING:
    from tests.conftest import Bench

# records nothing, and runs what it is given
PERF = """#!/bin/sh
[ "$1" = --version ] && echo "perf version 6.1.1" && exit
[ "$1" = script ] && exit
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a zombie that nobody reaps (in a container, say) runs no more
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()


def assert_nothing_runs(program: Path) -> None:
    pids = fake_replay.children(program)
    assert len(pids) == 2, "the program and its grandchild"
    assert [pid for pid in pids if is_running(pid)] == []


@pytest.mark.parametrize(
    ("behaviour", "trouble"),
    [
        ("killed", "the program was killed by SIGSEGV;"),
        ("half", "the program's output ends early (exit code 0): no report line;"),
        ("nothing", "the program printed nothing (exit code 0); is it an ethrex-replay[?];"),
        (
            "another block",
            "the program replayed mainnet/24443169 instead: the cache file holds another block",
        ),
        ("execution error", "the block was not executed correctly (exit code 0): Execution Error: no gas;"),
        ("panic", "the program failed with exit code 101: no gas (panicked at src/main.rs:178:26);"),
        ("too few", "the program printed 2 repeats, but 3 were asked for;"),
        ("no time", "repeat 2 took no time at all"),
    ],
)
def test_each_way_to_fail_is_its_own_error_and_no_verdict(bench: Bench, behaviour: str, trouble: str) -> None:
    head, base = bench.program("head", behaviour={"3": behaviour}, says="no gas"), bench.program("base")
    result = bench.compare(head, base, "--ethrex-repeat=3", "--ethrex-json=results.json")
    result.assert_outcomes(errors=1)
    kept = bench.path / "ethrex-perf-logs" / "mainnet-24443168-head-003.log"
    result.stdout.fnmatch_lines([f"mainnet/24443168: {trouble}*", "*ethrex-perf: 1 error*"])
    assert kept.exists()
    (block,) = bench.results().blocks
    assert block.metrics == ()
    assert len(block.pairs) == 2, "what was measured before is kept"
    result.stdout.no_fnmatch_line("*Traceback*")


class TimerOf(threading.Timer):
    """A timer whose time is over as soon as the program has its grandchild."""

    program: Path

    def run(self) -> None:
        while not fake_replay.children(self.program) and not self.finished.is_set():
            time.sleep(0.005)
        self.function()


def test_a_hanging_program_is_killed_with_everything_below_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = bench.program("head", behaviour="hang")
    TimerOf.program = bench.path / head
    monkeypatch.setattr(threading, "Timer", TimerOf)
    result = bench.record(head, "--ethrex-timeout=1s")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mainnet/24443168: the program timed out after 1 s and was killed; *"])
    assert_nothing_runs(bench.path / head)


def test_what_a_program_leaves_behind_is_killed(bench: Bench) -> None:
    head = bench.program("head", behaviour={"2": "orphan"})
    bench.record(head).assert_outcomes(passed=1)
    assert_nothing_runs(bench.path / head)


def stop(bench: Bench, number: signal.Signals, *arguments: str, hanging: str = "bin/head") -> tuple[int, str]:
    """Send `number` to a pytest whose program hangs; its exit code and what it printed."""
    command = [sys.executable, "-m", "pytest", "--ethrex-block=24443168,1", "--ethrex-repeat=3", *arguments]
    with subprocess.Popen(
        command, cwd=bench.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        while not fake_replay.children(bench.path / hanging):
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.01)
        run.send_signal(number)
        out, _ = run.communicate()
        return run.returncode, out


@pytest.fixture
def hanging(bench: Bench) -> str:
    """Of two blocks, the second pair's head hangs."""
    bench.cache(1)
    bench.program("base")
    return bench.program("head", behaviour={"3": "hang"})


def test_ctrl_c_leaves_nothing_running_and_writes_whole_files(bench: Bench, hanging: str) -> None:
    (bench.path / "results.json").write_text("of the run before")
    code, out = stop(
        bench,
        signal.SIGINT,
        f"--ethrex-replay={hanging}",
        "--ethrex-base=bin/base",
        "--ethrex-json=results.json",
    )
    assert code == pytest.ExitCode.INTERRUPTED, out
    assert "KeyboardInterrupt" in out
    assert_nothing_runs(bench.path / hanging)
    first, second = bench.results().blocks
    assert (len(first.pairs), len(second.pairs)) == (1, 1)
    assert {block.metric("exec").decision.verdict for block in (first, second)} == {None}
    assert "ethrex-perf: 2 not decided" in out
    assert not list(bench.path.glob(".results.json*"))


def test_ctrl_c_stops_the_workers_of_a_distributed_run(bench: Bench, hanging: str) -> None:
    code, out = stop(bench, signal.SIGINT, f"--ethrex-replay={hanging}", "--ethrex-base=bin/base", "-n2")
    assert code == pytest.ExitCode.INTERRUPTED, out
    assert_nothing_runs(bench.path / hanging)
    assert lock.holder() is None


def test_ctrl_c_records_no_half_session(bench: Bench, hanging: str) -> None:
    code, out = stop(bench, signal.SIGINT, f"--ethrex-replay={hanging}", "--ethrex-update-baseline")
    assert code == pytest.ExitCode.INTERRUPTED, out
    assert_nothing_runs(bench.path / hanging)
    assert not (bench.path / "baselines").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("distributed", [(), ("-n1",)])
def test_a_signal_that_ends_us_writes_what_ctrl_c_writes(
    bench: Bench, hanging: str, number: signal.Signals, distributed: tuple[str, ...]
) -> None:
    options = (f"--ethrex-replay={hanging}", "--ethrex-base=bin/base", "--ethrex-json=results.json")
    code, out = stop(bench, number, *options, *distributed)
    assert code == 128 + number, out
    assert f"TerminatedError: {number.name}" in out
    assert_nothing_runs(bench.path / hanging)
    if not distributed:  # a worker sends a block as soon as it is decided: here none was
        first, second = bench.results().blocks
        assert (len(first.pairs), len(second.pairs)) == (1, 1)
        assert "ethrex-perf: 2 not decided" in out
    assert not list(bench.path.glob(".results.json*"))


def test_a_handler_of_somebody_else_keeps_its_signal(bench: Bench, hanging: str) -> None:
    bench.pytester.makeconftest("""
        import signal
        import sys

        def pytest_configure():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("somebody else"))
    """)
    code, _ = stop(bench, signal.SIGTERM, f"--ethrex-replay={hanging}", "--ethrex-base=bin/base")
    assert code == 1
    assert_nothing_runs(bench.path / hanging)


def test_after_an_interrupt_the_next_run_has_the_machine_at_once(bench: Bench, hanging: str) -> None:
    stop(bench, signal.SIGTERM, f"--ethrex-replay={hanging}", "--ethrex-update-baseline")
    bench.record(bench.program("other"), "--ethrex-lock-timeout=1ms").assert_outcomes(passed=1)


def test_ctrl_c_while_profiling_keeps_what_was_measured(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = bench.path / "tools"
    tools.mkdir()
    (tools / "perf").write_text(PERF)
    (tools / "perf").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    bench.cache(1)
    head = bench.program("head", exec_ms=90)
    base = bench.program("base", behaviour={"13": "hang"})  # after six pairs of two blocks
    options = (f"--ethrex-base={base}", "--ethrex-looks=6", "--ethrex-json=results.json")
    code, out = stop(bench, signal.SIGINT, f"--ethrex-replay={head}", *options, hanging=base)
    assert code == pytest.ExitCode.INTERRUPTED, out
    assert_nothing_runs(bench.path / base)
    first, _ = bench.results().blocks
    assert first.metric("exec").decision.verdict == "regression"
    assert (first.explanation, first.profile) == (None, None)
    assert "regression: exec is " in out
