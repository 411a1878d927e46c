"""One run at a time measures on a host; the second waits and says for whom, or gives up."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys
from pytest_ethrex_perf.host.lock import measuring
with measuring("gate of mainnet/1", timeout=0):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other(locks: Path) -> Iterator[subprocess.Popen[str]]:
    """Another run, which measures until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | {"TMPDIR": str(locks)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def _holder_file(locks: Path) -> Path:
    return locks / "ethrex-perf-locks" / f"measuring-{os.getuid()}.holder"


def _let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_free_machine_is_measured_on_at_once() -> None:
    said: list[str] = []
    with lock.measuring("me", timeout=0, waiting=said.append):
        held = lock.holder()
        assert held is not None
        assert (held.label, held.pid) == ("me", os.getpid())
    assert lock.holder() is None
    assert said == []


def test_a_second_run_waits_and_says_for_whom(other: subprocess.Popen[str]) -> None:
    said: list[str] = []

    def waiting(sentence: str) -> None:
        said.append(sentence)
        _let_go(other)

    with lock.measuring("me", timeout=3600, waiting=waiting):
        assert other.wait() == 0
    assert len(said) == 1
    assert said[0].startswith("waiting up to 3600 s for gate of mainnet/1 (process ")
    assert f"(process {other.pid}, since 20" in said[0]


def test_a_second_run_gives_up_and_says_for_whom_it_waited(other: subprocess.Popen[str]) -> None:
    with (
        pytest.raises(
            MeasurementError, match=rf"gate of mainnet/1 \(process {other.pid}, .*--ethrex-lock-timeout"
        ),
        lock.measuring("me", timeout=0.01),
    ):
        pytest.fail("measured at the same time")
    assert lock.holder() is not None, "the other run is not disturbed"


def test_a_run_that_was_killed_holds_nothing(other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    said: list[str] = []
    with lock.measuring("me", timeout=0, waiting=said.append):
        pass
    assert said == []


def test_the_lock_is_let_go_when_measuring_fails() -> None:
    with pytest.raises(KeyError), lock.measuring("me", timeout=0):
        raise KeyError
    assert lock.holder() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"pid": 1}',
        b'{"pid":1,"label":"\\u001b[2J","started":"2026-01-01T00:00:00+00:00"}',
        b'{"pid":1,"label":"a gate","started":"::error::x"}',
        b'{"pid":-1,"label":"a gate","started":"2026-01-01T00:00:00+00:00"}',
        b'{"pid":1,"label":"' + b"x" * 201 + b'","started":"2026-01-01T00:00:00+00:00"}',
    ],
)
def test_a_holder_that_says_nonsense_is_still_waited_for(
    other: subprocess.Popen[str], locks: Path, content: bytes
) -> None:
    _holder_file(locks).write_bytes(content)
    with (
        pytest.raises(MeasurementError, match="another run that did not say who it is"),
        lock.measuring("me", timeout=0),
    ):
        pytest.fail("measured at the same time")
    assert other.poll() is None


def test_a_holder_in_the_name_of_another_user_is_not_believed(
    other: subprocess.Popen[str], locks: Path
) -> None:
    forged = _holder_file(locks).with_name(f"measuring-{os.getuid() + 1}.holder")
    forged.write_text('{"pid":1,"label":"forged","started":"2099-01-01T00:00:00+00:00"}')
    held = lock.holder()
    assert held is not None
    assert held.pid == other.pid


def test_a_fifo_where_the_holder_belongs_keeps_nobody_waiting(
    other: subprocess.Popen[str], locks: Path
) -> None:
    _holder_file(locks).unlink()
    os.mkfifo(_holder_file(locks))
    assert lock.holder() is None
    assert other.poll() is None


def test_every_user_of_the_host_can_use_the_locks(locks: Path) -> None:
    before = os.umask(0o077)
    try:
        with lock.measuring("me", timeout=0):
            pass
    finally:
        os.umask(before)
    directory = locks / "ethrex-perf-locks"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o1777
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.glob("*.lock")} == {0o666}
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o666, 0o644}
    assert stat.S_IMODE(_holder_file(locks).stat().st_mode) == 0o644, "nobody says for us who we are"


def test_who_holds_the_lock_is_not_written_through_a_link(locks: Path) -> None:
    victim = locks / "victim"
    victim.write_text("precious")
    assert lock.directory()
    _holder_file(locks).symlink_to(victim)
    with lock.measuring("me", timeout=0):
        pass
    assert victim.read_text() == "precious"


def test_where_no_locks_can_be_kept_the_remedy_is_named(locks: Path, tmp_path: Path) -> None:
    place = locks / "ethrex-perf-locks"
    place.write_text("in the way")
    with pytest.raises(MeasurementError, match=r"no locks can be kept here .*: set TMPDIR"):
        lock.directory()
    place.unlink()
    place.symlink_to(tmp_path)
    mode = tmp_path.stat().st_mode
    with pytest.raises(MeasurementError, match=r"not a directory.: set TMPDIR"):
        lock.directory()
    assert tmp_path.stat().st_mode == mode, "nobody can make us open a directory of ours to everybody"


def test_a_file_is_locked_under_every_name_of_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_FILE_TIMEOUT", 0)
    (tmp_path / "link").symlink_to(tmp_path)
    with (
        lock.writing(tmp_path / "b.json"),
        pytest.raises(MeasurementError, match="another run has been writing it"),
        lock.writing(tmp_path / "link" / "b.json"),
    ):
        pytest.fail("two at once")
    with lock.writing(tmp_path / "b.json"), lock.writing(tmp_path / "other.json"):
        pass
