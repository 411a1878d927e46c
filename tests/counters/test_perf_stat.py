"""perf stat counts the repeats and nothing else; where it can't, the name of the count says so."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf.counters import perf_stat
from pytest_ethrex_perf.counters.events import event_sets
from pytest_ethrex_perf.counters.perf_stat import Perf
from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.host.perf_tool import PerfTool
from tests.counters import fake_perf

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.measurement import Invocation

    Invoked = Callable[..., Invocation]

PAGES = 4000
PER_REPEAT = 1.6 * PAGES
"""Preparation is half of an execution, dropping the store a tenth."""
ACCURACY = 0.001
"""Of each method where the edges of its window are met exactly, and of the program's own pages alone."""
SOFTWARE = ("task-clock", "page-faults")
GUIDE = {
    "instructions:u": 4_000_000,
    "cycles:u": 2_000_000,
    "branches:u": 500_000,
    "branch-misses:u": 5_000,
    "cache-references:u": 40_000,
    "cache-misses:u": 6_000,
    "L1-dcache-load-misses:u": 80_000,
    "task-clock:u": 3,
    "page-faults:u": 100,
}


def waiting(fifo: int) -> int:
    """Bytes that nobody has read yet."""
    return int(struct.unpack("i", fcntl.ioctl(fifo, termios.FIONREAD, b"\0" * 4))[0])


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# --- real runs on this machine: software events, which need no PMU ----------------------------------------


@pytest.fixture
def met_edges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The program waits at each edge of the window until perf has switched, however long that takes."""
    hear = perf_stat._Window.hear

    def hear_and_tell(window: Any, line: str) -> bool:
        unhurried = hear(window, line)
        for switched, text in ((1, "--- Run 2/"), (2, "=== Profiling")):
            if text in line:
                while waiting(window._answers) < switched * len("ack\n"):
                    time.sleep(0.001)
                (tmp_path / str(switched)).touch()
        return unhurried

    monkeypatch.setattr(perf_stat._Window, "hear", hear_and_tell)
    return "--edges", str(tmp_path)


def test_a_window_holds_the_repeats_and_neither_loading_nor_the_first(
    perf: PerfTool, known_work: Path, invoked: Invoked, met_edges: tuple[str, str]
) -> None:
    options = ("--pages", str(PAGES), *met_edges)
    found = invoked(known_work, *options, instrument=Perf(perf, (), software=SOFTWARE), repeat=6)
    faults = found.counts["page-faults"]
    assert faults.identity == "page-faults:u by perf (window, repeat)"
    assert faults.is_exact
    assert faults.value == pytest.approx(PER_REPEAT, rel=ACCURACY)
    assert found.counts["task-clock"].unit == "ns"


def test_of_a_single_repeat_the_whole_process_is_counted_loading_too(
    perf: PerfTool, known_work: Path, invoked: Invoked
) -> None:
    instrument = Perf(perf, (), software=SOFTWARE)
    found = invoked(known_work, "--pages", str(PAGES), instrument=instrument, repeat=1)
    assert {count.method for count in found.counts.values()} == {"process"}
    faults = found.counts["page-faults"]
    assert faults.identity == "page-faults:u by perf (process, process)"
    # loading and one repeat, a fifth more in it as it is the first; the process itself takes some hundreds
    assert PAGES * (3 + 1.6 + 0.2) < (faults.value or 0) < PAGES * (3 + 1.6 + 0.2) + 1000


def test_a_program_killed_under_perf_is_an_error_though_perf_succeeds(
    perf: PerfTool, known_work: Path, invoked: Invoked
) -> None:
    with pytest.raises(MeasurementError, match="the program was killed by SIGSEGV"):
        invoked(known_work, "--segv", instrument=Perf(perf, ()))


def test_an_unknown_event_is_named_as_the_trouble(perf: PerfTool, known_work: Path, invoked: Invoked) -> None:
    with pytest.raises(MeasurementError, match="perf does not know an event"):
        invoked(known_work, instrument=Perf(perf, (("nosuch",),)))


def test_times_and_output_are_the_programs_own(perf: PerfTool, known_work: Path, invoked: Invoked) -> None:
    found = invoked(known_work, instrument=Perf(perf, ()), repeat=4)
    assert len(found.exec_ns) == len(found.prep_ns) == 4
    assert found.gas == 37_500_000


def test_nothing_is_left_behind(
    perf: PerfTool, known_work: Path, invoked: Invoked, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    before = open_files(), threading.active_count()
    invoked(known_work, instrument=Perf(perf, ()))
    assert (open_files(), threading.active_count()) == before
    assert list((tmp_path / "tmp").iterdir()) == []


# --- perfs and machines that this one isn't ---------------------------------------------------------------


def instrument(directory: Path, version: str = "6.8.12", **plan: Any) -> Perf:
    perf = fake_perf.write(directory / "bin", **{"per_repeat": GUIDE, **plan})
    return Perf(PerfTool(str(perf), version), event_sets())


@pytest.mark.parametrize("version", ["5.15.1", "6.1.187", "7.0"])
def test_two_sets_take_turns_and_pairs_share_theirs(
    known_work: Path,
    invoked: Invoked,
    tmp_path: Path,
    version: str,
    met_edges: tuple[str, str],
) -> None:
    perf = instrument(tmp_path, version)
    taken = [invoked(known_work, *met_edges, instrument=perf, turn=turn).counts for turn in (0, 0, 1, 2)]
    assert set(taken[0]) == set(taken[1]) == set(taken[3]) != set(taken[2])
    assert set(taken[0]) | set(taken[2]) == {event.removesuffix(":u") for event in GUIDE} - {"page-faults"}
    for counts in taken:
        assert counts["instructions"].value == GUIDE["instructions:u"]
        assert counts["instructions"].identity == "instructions:u by perf (window, repeat)"
    assert taken[2]["L1-dcache-load-misses"].value == GUIDE["L1-dcache-load-misses:u"]


def test_a_scaled_count_is_shown_and_not_judged(
    known_work: Path, invoked: Invoked, tmp_path: Path, met_edges: tuple[str, str]
) -> None:
    count = invoked(known_work, *met_edges, instrument=instrument(tmp_path, running=93)).counts["cycles"]
    assert (count.running, count.is_exact) == (93, False)
    assert count.value is not None
    count = invoked(known_work, *met_edges, instrument=instrument(tmp_path, running=89)).counts["cycles"]
    assert (count.value, count.is_exact) == (None, False)
    assert "89 % of the time" in str(count.missing)


def test_what_this_machine_does_not_count_says_so(
    known_work: Path, invoked: Invoked, tmp_path: Path, met_edges: tuple[str, str]
) -> None:
    perf = instrument(tmp_path, per_repeat={**GUIDE, "branches:u": "<not supported>"})
    counts = invoked(known_work, *met_edges, instrument=perf).counts
    assert counts["branches"].missing == "this machine does not support it"
    assert counts["branch-misses"].value == GUIDE["branch-misses:u"]


def test_a_perf_that_does_not_switch_in_time_counts_nothing(
    known_work: Path, invoked: Invoked, tmp_path: Path
) -> None:
    found = invoked(known_work, instrument=instrument(tmp_path, silent=True))
    assert len(found.exec_ns) == 3, "its times count all the same"
    assert "perf did not switch on" in str(found.counts["instructions"].missing)


def test_a_perf_that_writes_nothing_counts_nothing(
    known_work: Path, invoked: Invoked, tmp_path: Path, met_edges: tuple[str, str]
) -> None:
    counts = invoked(known_work, *met_edges, instrument=instrument(tmp_path, raw="\n")).counts
    assert {count.missing for count in counts.values()} == {"perf wrote nothing of it"}


def test_the_programs_own_exit_code_comes_through(known_work: Path, invoked: Invoked, tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError) as caught:  # it printed nothing
        invoked(known_work, instrument=instrument(tmp_path), repeat=1001)
    assert "failed with exit code 101" in caught.value.of_block


def test_counts_of_different_methods_are_different_things(
    known_work: Path, invoked: Invoked, tmp_path: Path
) -> None:
    perf = instrument(tmp_path)
    window, process = (
        invoked(known_work, instrument=perf, repeat=repeat).counts["cycles"] for repeat in (3, 1)
    )
    subtracted = msgspec.structs.replace(window, method="difference")  # by an older version of ours
    assert len({window.identity, process.identity, subtracted.identity}) == 3


@pytest.mark.parametrize(
    ("late_ms", "repeats", "told"),
    [(1, 11, None), (50, 11, "perf switched on"), (50, 101, None), (0, 2, None), (90, 2, "perf switched on")],
)
def test_a_window_that_opens_too_late_is_no_count_of_the_repeats(
    tmp_path: Path, late_ms: float, repeats: int, told: str | None
) -> None:
    """By the program's own times: a repeat takes 100 ms."""
    with perf_stat._Window.open(tmp_path) as window:
        os.write(window._answers, b"ack\n\0")
        began = datetime.now(UTC)
        window.hear(f"{began:%Y-%m-%dT%H:%M:%S.%fZ}  INFO ethrex_replay::cli: --- Run 2/{repeats} ---")
        assert window._late_s >= 0, "from the line's own time to perf's answer"
        window._late_s = late_ms / 1e3
        after = "--- Run 3/" if repeats > 2 else "=== Profiling Results"
        ended = began + timedelta(milliseconds=100)
        window.hear(f"{ended:%Y-%m-%dT%H:%M:%S.%fZ}  INFO ethrex_replay::cli: {after}")
        window.hear("=== Profiling Results")
        missing = window.missing()
    assert (missing is None) if told is None else (told in str(missing))
