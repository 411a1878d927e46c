"""Instructions of each repeat, all threads, on machines without a PMU."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.counters import callgrind
from pytest_ethrex_perf.counters.callgrind import Callgrind, Dump, Parts, by_function, read_dump
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.host.perf_tool import SYMBOLS, install_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Invocation, Machine

    Invoked = Callable[..., Invocation]

WORK = 30_000_000
LOOP = ("--instructions", str(WORK), "--pages", "0")
ACCURACY = 0.002
"""Starting threads and printing (the statistics above all, which a single repeat has not) adds less."""


def test_execution_and_preparation_are_told_apart_by_the_function(
    valgrind: callgrind.Tool, known_work: Path, invoked: Invoked
) -> None:
    counts = invoked(known_work, *LOOP, instrument=Callgrind(valgrind), repeat=2).counts
    execution, preparation = counts["instructions"], counts["prep-instructions"]
    assert execution.identity == "instructions:u by callgrind (function, exec)"
    assert preparation.identity == "instructions:u by callgrind (function, prep)"
    assert len(execution.values) == callgrind.REPEATS - 1, "the first repeat, a fifth more, is left out"
    assert execution.values == pytest.approx([WORK] * 2, rel=ACCURACY)
    # dropping the store of the execution before is part of what comes before the next
    assert preparation.values == pytest.approx([0.6 * WORK] * 2, rel=ACCURACY)


def test_without_symbols_the_difference_is_taken(
    valgrind: callgrind.Tool, stripped: Path, invoked: Invoked
) -> None:
    counts = invoked(stripped, *LOOP, instrument=Callgrind(valgrind), repeat=2).counts
    assert "counted together" in str(counts["prep-instructions"].missing)
    assert counts["instructions"].identity == "instructions:u by callgrind (difference, repeat)"
    assert counts["instructions"].value == pytest.approx(1.6 * WORK, rel=ACCURACY)


def test_a_program_behind_a_script_is_counted(
    valgrind: callgrind.Tool, known_work: Path, invoked: Invoked, tmp_path: Path
) -> None:
    script = tmp_path / "replay"
    script.write_text(f'#!/bin/sh\nexec {known_work} "$@"\n')
    script.chmod(0o755)
    counts = invoked(script, *LOOP, instrument=Callgrind(valgrind, repeats=2), repeat=2).counts
    assert counts["instructions"].value == pytest.approx(WORK, rel=ACCURACY)


def test_callgrind_never_times(valgrind: callgrind.Tool, known_work: Path, invoked: Invoked) -> None:
    instrument = Callgrind(valgrind, repeats=2)
    with instrument.counting(7, 0) as counting:
        assert (counting.timed.repeat, counting.timed.wrapper) == (7, ())
    found = invoked(known_work, *LOOP, instrument=instrument, repeat=7)
    assert len(found.exec_ns) == 7


def test_a_valgrind_that_is_killed_leaves_no_pipes() -> None:
    """It would make `vgdb-pipe-*` in TMPDIR, and removes them where it ends by itself only."""
    with Callgrind(callgrind.Tool("valgrind", "3.19.0")).counting(3, 0) as counting:
        run = next(iter(counting.companions()))
    assert "--vgdb=no" in run.wrapper


@pytest.mark.skipif(platform.machine() != "x86_64", reason="not an x86-64")
def test_an_instruction_that_valgrind_lacks_is_named_as_the_trouble(
    valgrind: callgrind.Tool, known_work: Path, invoked: Invoked
) -> None:
    with pytest.raises(
        MeasurementError, match=r"that valgrind .* does not have \(it has no AVX-512\): build it"
    ):
        invoked(known_work, "--unknown", instrument=Callgrind(valgrind), repeat=2)


def test_a_valgrind_without_the_symbols_of_libc_is_named_as_the_trouble(tmp_path: Path) -> None:
    (tmp_path / "log.1").write_text("valgrind:  Fatal error at startup: a function redirection\n")
    failed = process.run(["false"], environ=os.environ, timeout=None)
    assert install_command(SYMBOLS) in str(callgrind.trouble(failed, tmp_path, "3.19.0"))
    assert callgrind.trouble(failed, tmp_path / "other", "3.19.0") is None


def test_a_single_repeat_would_leave_nothing(valgrind: callgrind.Tool) -> None:
    with pytest.raises(ValueError, match="1 repeats leave nothing"):
        Callgrind(valgrind, repeats=1)


# --- dumps ------------------------------------------------------------------------------------------------

F, G = "ethrex::add_block_pipeline", "ethrex::other::add_block_pipeline"


def dumps(*steps: tuple[str, int], pid: int = 7) -> list[Dump]:
    return [Dump(pid, part, trigger, total) for part, (trigger, total) in enumerate(steps, 1)]


def before(function: str) -> str:
    return f"--dump-before={function}"


def after(function: str) -> str:
    return f"--dump-after={function}"


def test_a_dump_is_read() -> None:
    text = (
        "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 28752\ncmd:  ./prog\npart: 2\n\n"
        f"desc: Timerange: Basic block 0 - 7\ndesc: Trigger: {before(F)}\n\npositions: line\nevents: Ir\n"
        "summary: 4806340\n\nfn=(1) main\n1 4806340\n\ntotals: 4806364\n"
    )
    assert read_dump(text) == Dump(28752, 2, before(F), 4_806_364)


def written(folder: Path, *parts: tuple[int, str], total: int = 4_014_000) -> list[Path]:
    """Dumps as callgrind writes them, one a part."""
    files = []
    for part, trigger in parts:
        files.append(folder / f"out.7.{part}")
        files[-1].write_text(
            f"# callgrind format\nversion: 1\npid: 7\npart: {part}\n\ndesc: Trigger: {trigger}\n\n"
            f"events: Ir\nsummary: {total}\n\nfn=(1) main\n1 {total}\n\ntotals: {total}\n"
        )
    return files


WHOLE = ((1, before(F)), (2, after(F)), (3, "Program termination"))


def test_the_dumps_of_a_process_are_read_in_order(tmp_path: Path) -> None:
    written(tmp_path, *WHOLE)
    (tmp_path / "out.7").touch()  # made before there is anything to write
    assert [dump.part for dump in callgrind.read_dumps(tmp_path)] == [1, 2, 3]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_dump_without_its_end_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    file = written(tmp_path, (1, "Program termination"))[0]
    content = file.read_bytes()
    file.write_bytes(content[: data.draw(st.integers(1, len(content) - 1))])
    with pytest.raises(MeasurementError, match=r"^callgrind's out\.7\.1 was cut: its last line is no total$"):
        callgrind.read_dumps(tmp_path)


@pytest.mark.parametrize(("missing", "reason"), [(2, "part 2 of process 7"), (3, "last part of process 7")])
def test_a_missing_part_is_refused(tmp_path: Path, missing: int, reason: str) -> None:
    written(tmp_path, *WHOLE)[missing - 1].unlink()
    with pytest.raises(MeasurementError, match=rf"^callgrind's {reason} is missing$"):
        callgrind.read_dumps(tmp_path)


def test_repeats_are_cut_at_the_function() -> None:
    steps = ((before(F), 300), (after(F), 120), (before(F), 60), (after(F), 100), ("Program termination", 9))
    assert by_function(dumps(*steps), 2) == Parts((300, 60), (120, 100))


def test_functions_inside_only_cut_into_more_pieces() -> None:
    steps = (
        *((before(F), 300), (before(G), 20), (after(G), 70), (after(F), 30)),
        *((before(F), 60), (before(G), 10), (after(G), 80), (after(F), 10), ("Program termination", 9)),
    )
    assert by_function(dumps(*steps), 2) == Parts((300, 60), (120, 100))


def test_other_processes_do_not_count() -> None:
    steps = ((before(F), 300), (after(F), 120), ("Program termination", 9))
    shell = dumps(("Program termination", 5000), pid=3)
    assert by_function([*shell, *dumps(*steps)], 1) == Parts((300,), (120,))


@pytest.mark.parametrize(
    "steps",
    [
        (("Program termination", 9),),
        ((before(F), 300), ("Program termination", 9)),
        ((before(F), 300), (after(F), 120), (before(F), 60), ("Program termination", 9)),
        ((before(F), 3), (after(F), 1), (before(F), 6), (after(F), 1), (before(F), 6), (after(F), 1)),
    ],
)
def test_dumps_that_are_not_one_for_each_repeat_tell_nothing(steps: tuple[tuple[str, int], ...]) -> None:
    assert by_function(dumps(*steps), 2) is None


# --- the machine ------------------------------------------------------------------------------------------

HASWELL = "fpu cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma movbe"
SAPPHIRE_RAPIDS = f"{HASWELL} avx512f avx512bw avx512vl avx512dq avx512cd"
TOOL = callgrind.Tool("/usr/bin/valgrind", "3.19.0")


def machine_with(root: Path, flags: str, model: str, cpus: str = "0-3") -> Machine:
    (root / "proc/self").mkdir(parents=True, exist_ok=True)
    (root / "proc/cpuinfo").write_text(f"processor\t: 0\nmodel name\t: {model}\nflags\t\t: {flags}\n")
    (root / "proc/self/status").write_text(f"Name:\tpython\nCpus_allowed_list:\t{cpus}\n")
    return callgrind.machine(TOOL, root=root)


@pytest.fixture
def x86(monkeypatch: pytest.MonkeyPatch) -> None:
    uname = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*uname[:4], "x86_64")))


@pytest.mark.usefixtures("x86")
def test_a_baseline_of_counts_belongs_to_what_changes_the_work(tmp_path: Path) -> None:
    here = machine_with(tmp_path, HASWELL, "Core i7-4770")
    assert here.key.startswith("callgrind-x86-64-v3-4c-")
    assert here.key.endswith("-valgrind-3.19.0")
    assert here.key == here.key.lower()
    assert set(here.keyed) == {"isa", "cpus", "libc", "valgrind"}
    # another model, and AVX-512, which valgrind hides: the same work
    assert machine_with(tmp_path, SAPPHIRE_RAPIDS, "Xeon 8488C").key == here.key
    assert machine_with(tmp_path, HASWELL.replace("avx2", ""), "old").keyed["isa"] == "x86-64-v2"
    assert machine_with(tmp_path, "fpu", "older").keyed["isa"] == "x86-64-v1"
    assert machine_with(tmp_path, HASWELL, "Core i7-4770", cpus="0-1,4").keyed["cpus"] == 3


def test_another_valgrind_is_another_machine() -> None:
    assert callgrind.machine(TOOL).key != callgrind.machine(callgrind.Tool("valgrind", "3.24.0")).key
