"""What a user is told when a replay goes wrong, and what counts as one that did not."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.records.block import BlockId, Work
from pytest_ethrex_perf.replay import failure
from pytest_ethrex_perf.replay.instrument import NOTHING, Run
from pytest_ethrex_perf.replay.invocation import invoke
from pytest_ethrex_perf.replay.program import resolve
from tests.faults import fake_replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.replay.instrument import Counting, Instrument

BLOCK = BlockId("mainnet", 24443168)
SECRET = "https://user:s3cr3t@rpc.example.org:8545/v2/0123456789abcdef?key=hidden"


@pytest.fixture(autouse=True)
def believed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake program takes no time at all, whatever it says."""
    if "lifetime" not in request.node.name:
        monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)


def replay(
    tmp_path: Path,
    *,
    repeat: int = 5,
    timeout: float | None = None,
    log_dir: Path | None = None,
    environ: dict[str, str] | None = None,
    work: Work | None = None,
    instrument: Instrument = NOTHING,
    **plan: Any,
) -> Invocation:
    path = fake_replay.write(tmp_path / "bin", plan=plan)
    return invoke(
        resolve(str(path), cwd=tmp_path, environ=os.environ),
        BLOCK,
        cache_dir=tmp_path / "cache",
        repeat=repeat,
        timeout=timeout,
        environ={**os.environ, **(environ or {})},
        log_dir=log_dir or tmp_path / "logs",
        label="head-003",
        secrets=[SECRET],
        work=work,
        instrument=instrument,
    )


def error_of(tmp_path: Path, **arguments: Any) -> str:
    with pytest.raises(MeasurementError) as caught:
        replay(tmp_path, **arguments)
    text = caught.value.of_block if isinstance(caught.value, NoAnswerError) else str(caught.value)
    assert text.startswith("mainnet/24443168: ")
    assert "\n" not in text
    return text


def test_a_success_is_returned_with_everything_that_was_printed(tmp_path: Path) -> None:
    got = replay(tmp_path, exec_ms=[20, 10, 11], prep_ms=5, gas=37_500_000, txs=442, opcodes=12345)
    assert got.exec_ns == (20_000_000, 10_000_000, 11_000_000, 20_000_000, 10_000_000)
    assert got.prep_ns == (5_000_000,) * 5
    assert (got.gas, got.txs, got.opcodes) == (37_500_000, 442, 12345)
    assert got.wall_ns > 0
    assert got.usage.user_ns + got.usage.system_ns > 0
    assert not (tmp_path / "logs").exists()


class Broken:
    """An instrument that keeps the program's own end (`code`, if it was), and fails (`trouble`)."""

    apart = False

    def __init__(self, code: int | None = None, trouble: str | None = None, *wrapper: str) -> None:
        self._run = Run(5, wrapper, trouble=lambda _: trouble, returncode=lambda _: code)

    @contextlib.contextmanager
    def counting(self, repeat: int, turn: int) -> Iterator[Counting]:
        with NOTHING.counting(repeat, turn) as counting:
            yield dataclasses.replace(cast("Any", counting), timed=self._run)


@pytest.mark.parametrize(
    ("code", "trouble", "sentence"),
    [
        (1, "perf could not count", "perf could not count; "),
        (None, None, "nothing says how the program ended; "),
        # perf and a shell are above the program, which SIGILL has killed before it could log anything
        (-signal.SIGILL, None, "the program was killed by SIGILL; "),
    ],
)
def test_what_an_instrument_does_is_not_put_down_to_the_program(
    tmp_path: Path, code: int | None, trouble: str | None, sentence: str
) -> None:
    with pytest.raises(MeasurementError) as caught:
        replay(tmp_path, behaviour="nothing", instrument=Broken(code, trouble))
    assert not isinstance(caught.value, NoAnswerError)
    assert str(caught.value).startswith(f"{BLOCK}: {sentence}")


def test_an_instrument_that_is_gone_is_not_put_down_to_the_program(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"^mainnet/24443168: /no/perf can't be started: ") as caught:
        replay(tmp_path, instrument=Broken(None, None, "/no/perf"))
    assert not isinstance(caught.value, NoAnswerError)


def test_a_single_repeat_has_its_own_form(tmp_path: Path) -> None:
    assert replay(tmp_path, repeat=1, exec_ms=1234.5).exec_ns == (1_230_000_000,)


def test_invalid_utf8_between_the_lines_is_no_failure(tmp_path: Path) -> None:
    assert len(replay(tmp_path, behaviour="invalid utf-8").exec_ns) == 5


def test_a_plan_can_fail_at_one_invocation_only(tmp_path: Path) -> None:
    path = fake_replay.write(tmp_path, plan={"behaviour": {"2": "nothing"}})
    program = resolve(str(path), cwd=tmp_path, environ=os.environ)
    results = []
    for _ in range(3):
        try:
            invoke(
                program,
                BLOCK,
                cache_dir=tmp_path,
                repeat=3,
                timeout=None,
                environ=os.environ,
                log_dir=tmp_path / "logs",
                label="base-001",
            )
            results.append("ok")
        except MeasurementError:
            results.append("error")
    assert results == ["ok", "error", "ok"]


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"behaviour": "killed"}, "the program was killed by SIGSEGV; "),
        ({"behaviour": "half"}, "the program's output ends early (exit code 0): no report line; "),
        (
            {"behaviour": "nothing"},
            "the program printed nothing (exit code 0); is it an ethrex-replay?; ",
        ),
        (
            {"behaviour": "another block"},
            "the program replayed mainnet/24443169 instead: the cache file holds another block than its name",
        ),
        ({"behaviour": "another network"}, "the program replayed sepolia/24443168 instead"),
        ({"behaviour": "too few"}, "the program printed 4 repeats, but 5 were asked for; "),
        ({"behaviour": "too many"}, "the program printed 6 repeats, but 5 were asked for; "),
        ({"behaviour": "single form"}, "the program printed 1 repeat, but 5 were asked for; "),
        ({"behaviour": "out of order"}, "the program numbered its repeats 5, 4, 3, 2, 1; "),
        ({"behaviour": "no time"}, "repeat 2 took no time at all"),
        (
            {"behaviour": "execution error", "says": "Invalid Block: World State Root does not match"},
            "(exit code 0): Execution Error: Invalid Block: World State Root does not match; ",
        ),
        (
            {"behaviour": "exit", "returncode": 3, "says": "the disk is full"},
            "the program failed with exit code 3: the disk is full; ",
        ),
        (
            {"behaviour": "traceback", "says": "ModuleNotFoundError: No module named 'ethereum'"},
            "the program failed with exit code 1: ModuleNotFoundError: No module named 'ethereum'; ",
        ),
        (
            {"behaviour": "panic", "says": "index out of bounds: the len is 0"},
            "with exit code 101: index out of bounds: the len is 0 (panicked at src/main.rs:178:26); ",
        ),
        (
            {"behaviour": "no --repeat"},
            "ethrex-replay older than 5a7bcf7 (2026-02-18) has no --repeat: build a newer one; ",
        ),
        (
            {"behaviour": "no cache"},
            "(`ethrex-perf fetch mainnet/24443168` fetches it; remove a corrupt file first)",
        ),
    ],
)
def test_each_failure_has_its_own_sentence_and_keeps_the_output(
    tmp_path: Path, plan: dict[str, object], sentence: str
) -> None:
    text = error_of(tmp_path, **plan)
    assert sentence in text
    log = tmp_path / "logs" / "mainnet-24443168-head-003.log"
    assert text.endswith(f"; the whole output is in {log}")
    kept = log.read_text()
    assert kept.startswith("$ ")
    assert "block 24443168 --cached --network mainnet" in kept


def test_an_output_too_long_to_be_read_whole_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "READ_LIMIT", 2**20)
    text = error_of(tmp_path, behaviour="giant")
    assert re.search(r"the program printed too much: 39,8\d\d,\d\d\d bytes of it had to be left out", text)


def test_a_hanging_program_is_reported_as_timed_out(tmp_path: Path) -> None:
    text = error_of(tmp_path, behaviour="hang", timeout=0.5)
    assert "the program timed out after 0.5 s and was killed; --ethrex-timeout gives it longer" in text


def test_a_long_error_line_is_shortened_but_kept_whole_in_the_file(tmp_path: Path) -> None:
    text = error_of(tmp_path, behaviour="exit", says="x" * 2000)
    assert "x" * 200 in text
    assert "x" * 400 not in text
    assert "x" * 2000 in (tmp_path / "logs" / "mainnet-24443168-head-003.log").read_text()


def test_neither_the_error_nor_the_file_holds_the_rpc_url(tmp_path: Path) -> None:
    other = "http://node.example.net/key/abcdefghijkl"
    text = error_of(
        tmp_path, behaviour="exit", says=f"no {SECRET} and no {other}", environ={"ETHREX_RPC_URL": other}
    )
    kept = (tmp_path / "logs" / "mainnet-24443168-head-003.log").read_text()
    for leak in ("s3cr3t", "0123456789abcdef", "hidden", "abcdefghijkl"):
        assert leak not in text
        assert leak not in kept
    assert "no https://rpc.example.org:8545 and no http://node.example.net" in text


def test_an_unwritable_log_directory_falls_back_to_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "file").write_text("in the way")
    text = error_of(tmp_path, behaviour="nothing", log_dir=tmp_path / "file")
    (log,) = (tmp_path / "tmp").glob("mainnet-24443168-head-003-*.log")
    assert text.endswith(f"; the whole output is in {log}")


def test_a_program_that_vanished_is_an_error(tmp_path: Path) -> None:
    path = fake_replay.write(tmp_path)
    program = resolve(str(path), cwd=tmp_path, environ=os.environ)
    path.unlink()
    with pytest.raises(MeasurementError, match=re.escape(f"{path} can't be started: No such file")):
        invoke(
            program,
            BLOCK,
            cache_dir=tmp_path,
            repeat=3,
            timeout=None,
            environ=os.environ,
            log_dir=tmp_path,
            label="head-001",
        )


@pytest.mark.parametrize(("gas", "txs"), [(21000, 1), (37_500_000, 441), (37_499_999, 442)])
def test_other_work_than_the_cache_file_holds_is_no_measurement(tmp_path: Path, gas: int, txs: int) -> None:
    error = error_of(tmp_path, gas=gas, txs=txs, work=Work(37_500_000, 442))
    assert f"reports {gas} gas and {txs} transactions" in error
    assert "the cache file's block has 37500000 gas and 442: this was other work" in error


def test_the_work_of_the_cache_file_is_a_measurement(tmp_path: Path) -> None:
    assert replay(tmp_path, work=Work(37_500_000, 442)).gas == 37_500_000


def test_statistics_that_contradict_the_repeats_are_no_measurement(tmp_path: Path) -> None:
    error = error_of(tmp_path, behaviour="contradiction", exec_ms=30, prep_ms=10)
    assert (
        "contradicts itself: its statistics say that the min of prep is 5.000 ms, its repeats say 10.00 ms"
        in error
    )


@pytest.mark.parametrize("repeat", [2, 3, 10, 11])
@pytest.mark.parametrize("exec_ms", [0.0009, 0.5, 59.333, 999.999, 1500.005])
def test_true_statistics_are_believed_whatever_their_unit(
    tmp_path: Path, repeat: int, exec_ms: float
) -> None:
    assert replay(tmp_path, repeat=repeat, exec_ms=[exec_ms, exec_ms * 1.3, exec_ms * 0.7], noise=0.1)


def test_repeats_beyond_the_processs_lifetime_are_no_measurement(tmp_path: Path) -> None:
    error = error_of(tmp_path, exec_ms=59_000, prep_ms=1000)
    assert "says that its repeats took 300.0 s together, and it ran for " in error
    assert error.partition("; the whole output")[0].endswith(" only: its times can't be true")


@pytest.mark.parametrize("number", [11, 6, 9, 15])
def test_a_program_that_dies_after_its_report_is_no_measurement(tmp_path: Path, number: int) -> None:
    error = error_of(tmp_path, behaviour="killed late", returncode=number)
    assert f"killed by {signal.Signals(number).name}" in error
