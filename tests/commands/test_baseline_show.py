"""A baseline's history as people read it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline import reference
from pytest_ethrex_perf.baseline.schema import Session
from pytest_ethrex_perf.commands.baseline_files import select
from pytest_ethrex_perf.commands.baseline_show import WIDTH, diff, show, show_reference, sparkline, table
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Count
from tests.baseline.builders import (
    BLOCK,
    CACHE,
    MACHINE,
    PROGRAM,
    exact,
    make_baseline,
    make_epoch,
    make_invocation,
    make_session,
    two_epochs,
)

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.schema import Baseline

replace = msgspec.structs.replace


@pytest.fixture
def baseline() -> Baseline:
    return two_epochs()


def test_changes_are_against_the_epochs_first_session_and_the_one_before(baseline: Baseline) -> None:
    (first, second, third), (fourth, fifth) = table(baseline, "exec")
    assert first.against_first is None
    assert first.against_previous is None
    assert second.against_first == second.against_previous == pytest.approx(0.02)
    assert third.against_first == pytest.approx(0.10)
    assert third.against_previous == pytest.approx(55 / 51 - 1)
    assert fourth.against_first is None
    assert fourth.against_previous == pytest.approx(0.2)
    assert fifth.against_first == pytest.approx(60.5 / 66 - 1)
    assert first.sd == pytest.approx(0.02)
    assert third.sd is None, "one invocation says nothing about its neighbours"


def test_creep_shows_against_the_first_session_though_no_step_is_large() -> None:
    sessions = [exact(day, 50 * 1.008 ** (day - 1)) for day in range(1, 12)]
    (rows,) = table(make_baseline(make_epoch(sessions)), "exec")
    assert all(row.against_previous == pytest.approx(0.008, abs=1e-4) for row in rows[1:])
    assert rows[-1].against_first == pytest.approx(0.083, abs=1e-3)


def test_the_table_has_every_session_and_fits_80_columns(baseline: Baseline) -> None:
    text = show(baseline)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert f"{BLOCK} · ethrex · exec · 4 repeats, first 1 dropped" in text
    assert "epoch 1 since 2026-02-01: first recording" in text
    reason = "epoch 2 since 2026-02-04: " + baseline.epoch.reason
    assert reason in " ".join(text.split()), "a reason is kept whole, on several lines if need be"
    ids = [session.id for session in baseline.sessions()]
    lines = [line for line in text.splitlines() if line.split(" ")[0] in ids]
    assert [line.split()[0] for line in lines] == ids
    assert lines[0].split()[1:] == ["2026-02-01", "12121212", "3", "50.00", "ms", "2.0", "%", "–", "–"]
    assert lines[2].split()[-4:] == ["+10.0", "%", "+7.8", "%"]
    assert "  tagged v1" in text
    assert text.splitlines()[-1] == "▁▁▃█▆  50.00 ms to 66.00 ms"


def test_the_history_of_prep_is_its_own(baseline: Baseline) -> None:
    assert "100.00 ms to 132.00 ms" in show(baseline, "prep")


def test_a_prefix_and_a_commit_are_shown(baseline: Baseline) -> None:
    program = replace(PROGRAM, commit="a9de3e8f00", prefix=("taskset", "-c", "0-7"))
    one = make_baseline(make_epoch([make_session(0, program=program)]), prefix=program.prefix)
    assert "prefix taskset -c 0-7" in show(one)
    assert " a9de3e8f " in show(one)
    assert "prefix" not in show(baseline)


def test_a_sparkline_goes_from_the_smallest_to_the_largest() -> None:
    assert sparkline([1, 8, 4.5]) == "▁█▅"
    assert sparkline([3, 3]) == "▁▁"


def test_a_difference_shows_both_metrics_and_what_else_changed(baseline: Baseline) -> None:
    other = replace(PROGRAM, sha256="34" * 32, label="./fast")
    updated = replace(MACHINE, recorded=MACHINE.recorded | {"kernel": "6.8.0"})
    after = make_baseline(make_epoch([make_session(9, 80, program=other, machine=updated)]))
    text = diff(select(baseline, "last", "a"), select(after, None, "b"))
    assert "exec      60.50 ms" in text
    assert "program: ./ethrex-replay (binary 12121212) → ./fast (binary 34343434)" in text
    assert "machine: kernel: 6.1.0 → 6.8.0" in text
    assert "not comparable" not in text


def test_a_difference_of_unlike_baselines_says_so(baseline: Baseline) -> None:
    after = make_baseline(make_epoch([make_session(9)]), cache=replace(CACHE, block_hash="0x00"))
    assert "not comparable: another cache" in diff(select(baseline, None, "a"), select(after, None, "b"))


def test_counts_that_came_about_otherwise_have_no_level_beside_those_of_the_newest_session() -> None:
    old = Count(
        event="instructions",
        values=(600.0,),
        instrument="perf",
        method="difference",
        covers="repeat",
        user_only=True,
    )
    new = msgspec.structs.replace(old, values=(400.0,), method="window")
    invocations = (make_invocation(counts={"instructions": count}) for count in (old, new))
    sessions = [
        Session.of(PROGRAM, MACHINE, (one,), started=f"2026-03-0{day}T08:00:00+00:00")
        for day, one in enumerate(invocations, 1)
    ]
    ((first, second),) = table(make_baseline(make_epoch(sessions)), "instructions")
    assert (first.level, second.level) == (None, 400)
    assert second.against_first is None


def test_a_reference_is_shown_with_its_tables() -> None:
    (file,) = reference.files(Path("nowhere"), BlockId("mainnet", 24443168))
    text = show_reference(reference.load(file))
    assert "reference, never gated against" in text
    assert "exec 59.75 ms (median, 10 runs) · 0.63 Ggas/s · 442 txs, 37.5 M gas" in text
    assert re.search(r"__KeccakF1600 +255M +10\.0 %  SHA3/Keccak hashing", text)
    assert re.search(r"get_storage_slot +75M +48\.5 %", text)
    assert re.search(r"SLOAD +74M\n", text)
