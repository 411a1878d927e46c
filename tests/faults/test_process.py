"""Nothing that was started stays running, whatever happens."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process
from tests.faults import fake_replay

BLOCK = ("block", "1", "--network", "hoodi", "--repeat", "2")
PARENT = """
import os, sys
from pytest_ethrex_perf.host import process
try:
    process.run(sys.argv[1:], environ=os.environ, timeout=None)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    raise
"""


def python(code: str, *, timeout: float | None = None, **environ: str) -> process.Finished:
    return process.run(
        [sys.executable, "-IS", "-c", code], environ={**os.environ, **environ}, timeout=timeout
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:  # a zombie that nobody reaps (in a container, say) runs no more
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()


def wait_for_children(program: Path) -> list[int]:
    while not (pids := fake_replay.children(program)):
        time.sleep(0.005)
    return pids


def send_to_us(program: Path, number: signal.Signals) -> None:
    wait_for_children(program)
    os.kill(os.getpid(), number)


def assert_nothing_runs(program: Path) -> None:
    pids = fake_replay.children(program)
    assert len(pids) == 2, "the program and its grandchild"
    assert [pid for pid in pids if is_running(pid)] == []


def test_output_exit_code_and_usage_come_back() -> None:
    got = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert (got.stdout, got.stderr, got.returncode, got.signal_name) == ("out\n", "err\n", 7, None)
    assert not got.timed_out
    assert got.usage.user_ns + got.usage.system_ns > 0
    assert got.started.endswith("+00:00")


def test_memory_is_told_only_where_it_is_the_childs_own() -> None:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux
    pages = own // 4 + (1 << 16)
    large = python(f"x = bytearray({pages} << 12); x[::4096] = bytes({pages})").usage.max_rss_kib
    assert large is not None
    assert large > pages << 2
    assert python("pass").usage.max_rss_kib is None, "we are larger: Linux reports our own peak for it"


def test_the_environment_is_the_one_given() -> None:
    assert process.run(["/usr/bin/env"], environ={"ONLY": "this"}, timeout=None).stdout == "ONLY=this\n"


def test_the_process_runs_in_a_session_of_its_own_without_input() -> None:
    got = python("import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '')")
    assert got.stdout == "True True\n"


def test_a_killing_signal_is_named() -> None:
    got = python("import os; os.kill(os.getpid(), 11)")
    assert (got.returncode, got.signal_name) == (-11, "SIGSEGV")


def test_a_command_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    with pytest.raises(MeasurementError, match="text can't be started: Exec format error"):
        process.run([str(text)], environ={}, timeout=None)


def test_of_a_huge_output_both_ends_are_read() -> None:
    got = python("print('first'); [print('.' * 2**20, end='') for _ in range(40)]; print('\\nlast', end='')")
    assert got.left_out == 40 * 2**20 + 11 - 2 * process.READ_LIMIT
    assert got.stdout.startswith("first\n...")
    assert got.stdout.endswith("...\nlast")
    assert f"[… {got.left_out:,} bytes left out …]" in got.stdout
    assert len(got.stdout) < 2 * process.READ_LIMIT + 100


class TimerOf(threading.Timer):
    """A timer whose time is over as soon as the program has its grandchild."""

    program: Path

    def run(self) -> None:
        wait_for_children(self.program)
        self.function()


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(threading, "Timer", TimerOf)
    TimerOf.program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    return TimerOf.program


def test_a_timeout_kills_the_whole_group(hanging: Path) -> None:
    got = process.run([str(hanging), *BLOCK], environ=os.environ, timeout=1)
    assert got.timed_out
    assert got.signal_name == "SIGKILL"
    assert "Executing block 1 on hoodi" in got.stdout, "what it had printed is kept"
    assert_nothing_runs(hanging)


def test_a_process_that_ends_in_time_leaves_its_timer_stopped() -> None:
    before = threading.active_count()
    assert not python("", timeout=3600).timed_out
    assert threading.active_count() == before


def test_a_grandchild_left_behind_by_a_normal_end_is_killed(tmp_path: Path) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "orphan"})
    assert process.run([str(program), *BLOCK], environ=os.environ, timeout=None).returncode == 0
    assert_nothing_runs(program)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_us_ends_the_group_first(tmp_path: Path, number: signal.Signals) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    with subprocess.Popen([sys.executable, "-c", PARENT, str(program), *BLOCK]) as parent:
        wait_for_children(program)
        parent.send_signal(number)
        assert parent.wait() == -number
    assert_nothing_runs(program)


def test_ctrl_c_kills_the_group_and_is_raised(tmp_path: Path) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(program), *BLOCK],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        wait_for_children(program)
        parent.send_signal(signal.SIGINT)
        out, _ = parent.communicate()
        assert out == "interrupted\n"
        assert parent.returncode != 0
    assert_nothing_runs(program)


def test_an_exception_out_of_another_signal_handler_kills_the_group(tmp_path: Path) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})

    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError

    former = signal.signal(signal.SIGALRM, give_up)  # as pytest-timeout does
    sender = threading.Thread(target=send_to_us, args=(program, signal.SIGALRM))
    try:
        sender.start()
        with pytest.raises(TimeoutError):
            process.run([str(program), *BLOCK], environ=os.environ, timeout=None)
    finally:
        sender.join()
        signal.signal(signal.SIGALRM, former)
    assert_nothing_runs(program)


def test_handlers_are_put_back_and_ignored_signals_stay_ignored() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        before = [signal.getsignal(number) for number in numbers]
        got = python("import os, signal; os.kill(os.getppid(), signal.SIGHUP)")
        assert got.returncode == 0
        assert [signal.getsignal(number) for number in numbers] == before
    finally:
        signal.signal(signal.SIGHUP, former)


def test_a_handler_of_the_host_gets_its_signal_after_the_group_is_gone(tmp_path: Path) -> None:
    program = fake_replay.write(tmp_path, plan={"behaviour": "hang"})
    seen: list[bool] = []

    def of_host(_number: int, _frame: object) -> None:
        seen.append(any(is_running(pid) for pid in fake_replay.children(program)))

    former = signal.signal(signal.SIGTERM, of_host)
    sender = threading.Thread(target=send_to_us, args=(program, signal.SIGTERM))
    try:
        sender.start()
        got = process.run([str(program), *BLOCK], environ=os.environ, timeout=None)
    finally:
        sender.join()
        signal.signal(signal.SIGTERM, former)
    assert seen == [False]
    assert got.signal_name == "SIGKILL"
    assert not got.timed_out


def test_outside_the_main_thread_a_timeout_works_and_handlers_are_left_alone(hanging: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    results: list[process.Finished] = []

    def work() -> None:
        results.append(process.run([str(hanging), *BLOCK], environ=os.environ, timeout=1))

    thread = threading.Thread(target=work)
    thread.start()
    wait_for_children(hanging)
    assert signal.getsignal(signal.SIGTERM) is before
    thread.join()
    assert results[0].timed_out
    assert_nothing_runs(hanging)
