from __future__ import annotations

import gzip
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.profile import stacks
from pytest_ethrex_perf.profile.timeline import timeline
from tests.profile import samples as made

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.profile.stacks import Stacks

FRAMES = st.lists(
    st.text(alphabet="abc:<> 1", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=5
).map(tuple)


@given(st.dictionaries(FRAMES, st.integers(1, 10**6), min_size=1))
def test_folded_text_reads_back(content: dict[tuple[str, ...], int]) -> None:
    assert stacks.parse(stacks.render(content)) == (Counter(content), 0)


@given(st.text(max_size=80))
def test_every_line_is_read_or_counted(text: str) -> None:
    found, other = stacks.parse(text)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(found) + other <= len(lines)
    assert bool(lines) == bool(found or other)


def test_separators_in_a_name_do_not_break_the_format() -> None:
    assert stacks.render({("a;b", "c\nd"): 3}) == "a:b;c:d 3\n"


def test_lines_that_were_cut_are_counted(tmp_path: Path) -> None:
    file = _written(tmp_path / "x.folded", b"# captured on: today\na;b 3\na;c 4\nmain;alloc::fm\n")
    assert stacks.read(file) == ({("a", "b"): 3, ("a", "c"): 4}, 1)


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"perf\.txt: not a file of folded stacks"):
        stacks.read(_written(tmp_path / "perf.txt", made.PERF_SCRIPT.encode()))
    with pytest.raises(UsageError, match="not a file of folded stacks"):
        stacks.read(_written(tmp_path / "empty", b"# nothing\n"))
    with pytest.raises(UsageError, match="can't be read: No such file"):
        stacks.read(tmp_path / "missing")
    with pytest.raises(UsageError, match="can't be read"):
        stacks.read(_written(tmp_path / "cut.gz", gzip.compress(b"a;b 3\n" * 999)[:-12]))
    with pytest.raises(UsageError, match="not a profile of this version"):
        stacks.read(_written(tmp_path / "other.json", b'{"schema": 1}'))


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def test_folded_files_may_be_compressed(tmp_path: Path) -> None:
    file = _written(tmp_path / "x.folded.gz", gzip.compress(b"main;a 1\nmain;b 2\n"))
    assert stacks.read(file) == ({("main", "a"): 1, ("main", "b"): 2}, 0)


def test_a_profile_reads_as_folded_stacks_with_phase_and_thread(tmp_path: Path) -> None:
    profile = made.profile([("cache-io", 0, "main", ("a",)), *made.executing({"b": [2, 1]})])
    file = _written(tmp_path / "x.json", msgspec.json.encode(profile))
    assert stacks.read_profile(file) == profile
    folded = {("[cache-io]", "main", "a"): 1, ("[exec]", "main", "main", "ethrex_vm::run", "b"): 3}
    assert stacks.read(file) == (folded, 0)
    broken = msgspec.structs.replace(profile, names=profile.names[:-1])
    with pytest.raises(UsageError, match="names a function that is not in it"):
        stacks.read(_written(tmp_path / "y.json", msgspec.json.encode(broken)))


def test_only_a_phase_and_a_thread_can_be_looked_at() -> None:
    found: Stacks = Counter(
        {("[exec]", "main", "a"): 5, ("[exec]", "rayon-1", "a"): 3, ("[prep]", "main", "b"): 2}
    )
    assert stacks.select(found, phase="exec") == {("[exec]", "main", "a"): 5, ("[exec]", "rayon-1", "a"): 3}
    assert stacks.select(found, phase="exec", thread="^rayon") == {("[exec]", "rayon-1", "a"): 3}
    with pytest.raises(UsageError, match="no samples of phase cleanup and thread x"):
        stacks.select(found, phase="cleanup", thread="x")
    with pytest.raises(UsageError, match=r"'\(' is not a regular expression"):
        stacks.select(found, thread="(")


def test_a_phase_of_stacks_that_were_not_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="not cut by phase: record them with `ethrex-perf profile BLOCK`"):
        stacks.select(Counter({("main", "a"): 1}), phase="exec")


def test_other_peoples_names_are_shortened_but_not_their_threads() -> None:
    found: Stacks = Counter({("a<b>", "c<d>::e", "f::h0123456789abcdef"): 1, ("a<b>", "c::e", "f"): 2})
    assert stacks.shortened(found) == {("a<b>", "c::e", "f"): 3}


# --- phases ------------------------------------------------------------------------------------------------

OUTPUT = "".join(
    (
        made.line(0, "Getting block 24443168 data from cache"),
        made.line(100, "--- Run 1/2 ---"),
        made.line(101, "Preparing Storage for execution without zkVM"),
        made.line(121, "Storage preparation finished in 20.00ms"),
        made.line(122, "Executing block 24443168 on mainnet"),
        made.line(200, "--- Run 2/2 ---"),
        made.line(201, "Preparing Storage for execution without zkVM"),
        made.line(222, "Executing block 24443168 on mainnet"),
        made.line(300, "=== Profiling Results (2 runs) ==="),
    )
)


@pytest.mark.parametrize(
    ("ms", "phase"),
    [
        (-5, ("cache-io", 0)),
        (100.5, ("cache-io", 0)),
        (101.5, ("prep", 1)),
        (121.5, ("prep", 1)),
        (122.5, ("exec", 1)),
        (181.9, ("exec", 1)),
        (182.1, ("cleanup", 1)),
        (200.5, ("cleanup", 1)),
        (210, ("prep", 2)),
        (222.1, ("exec", 2)),
        (272.1, ("cleanup", 2)),
        (9999, ("cleanup", 2)),
    ],
)
def test_the_programs_own_times_tell_the_phase(ms: float, phase: tuple[str, int]) -> None:
    cut = timeline(OUTPUT, [60 * made.MS, 50 * made.MS])
    assert cut.at(made.utc_ns(ms)) == phase


def test_colours_do_not_hide_the_phases() -> None:
    coloured = OUTPUT.replace("  INFO ", "\x1b[0m \x1b[32m INFO\x1b[0m ")
    assert timeline(coloured, [1, 1]) == timeline(OUTPUT, [1, 1])


def test_an_output_that_does_not_tell_when_execution_began_cannot_be_cut() -> None:
    with pytest.raises(MeasurementError, match="tells 2 beginnings of an execution, but it has 3 repeats"):
        timeline(OUTPUT, [1, 1, 1])
