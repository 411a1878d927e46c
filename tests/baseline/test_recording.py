"""Recording: a session joins its epoch, begins a new one, or is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.recording import ContradictionError
from pytest_ethrex_perf.baseline.schema import FIRST_REASON, KEPT, BaselineError, Session
from pytest_ethrex_perf.errors import UsageError
from tests.baseline.builders import (
    BLOCK,
    CACHE,
    MACHINE,
    PROGRAM,
    RULES,
    add,
    baseline_path,
    make_baseline,
    make_epoch,
    make_session,
)

if TYPE_CHECKING:
    from pathlib import Path

replace = msgspec.structs.replace


def test_the_first_recording_makes_the_baseline(tmp_path: Path) -> None:
    done = add(tmp_path, make_session(0))
    assert done.action == "created"
    assert str(done) == f"new baseline: session {done.session.id} in {baseline_path(tmp_path)}"
    assert done.baseline == make_baseline(make_epoch([make_session(0)], FIRST_REASON))
    assert store.load(baseline_path(tmp_path)) == done.baseline


def test_a_further_session_joins_the_epoch(tmp_path: Path) -> None:
    add(tmp_path, make_session(0))
    done = add(tmp_path, make_session(1))
    assert (done.action, done.forgotten, done.warnings, done.clocks) == ("appended", (), (), ())
    assert str(done).startswith("session 2 of epoch 1: session ")
    assert done.baseline.epoch.sessions == (make_session(0), make_session(1))


def test_the_same_session_is_recorded_once(tmp_path: Path) -> None:
    add(tmp_path, make_session(0))
    before = baseline_path(tmp_path).stat()
    done = add(tmp_path, make_session(0), accept_reason="twice")
    assert done.action == "was there already"
    after = baseline_path(tmp_path).stat()  # being read changes st_atime
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_size,
    )


def test_an_epoch_forgets_its_oldest_sessions_but_the_first_and_the_tagged(tmp_path: Path) -> None:
    sessions = [make_session(day, invocations=1) for day in range(KEPT + 1)]
    sessions[2] = replace(sessions[2], tags=("v1",))
    store.write(baseline_path(tmp_path), make_baseline(make_epoch(sessions)))
    done = add(tmp_path, make_session(50, invocations=1), rules={})
    assert done.forgotten == (sessions[1],)
    assert f"no longer kept, {KEPT} are: session {sessions[1].id} of 2026-02-19" in done.sentences()
    done = add(tmp_path, make_session(51, invocations=1), rules={})
    assert done.forgotten == ()
    assert done.baseline.epoch.sessions[:2] == (sessions[0], sessions[2])


def test_what_was_added_last_is_the_newest_whatever_its_clock_said(tmp_path: Path) -> None:
    ahead = make_session(365 * 73)  # a clock in 2099
    done = add(tmp_path, ahead)
    assert [clock[:21] for clock in done.clocks] == ["the clock ran ahead: "]
    for day in range(KEPT + 1):
        done = add(tmp_path, make_session(day, invocations=1), rules={})
        assert done.baseline.epoch.sessions[-1] == done.session, "it is there, and the newest"
    assert ahead not in done.baseline.epoch.recent


def test_clocks_that_ran_ahead_or_backwards_are_said(tmp_path: Path) -> None:
    add(tmp_path, make_session(3))
    (behind,) = add(tmp_path, make_session(2)).clocks
    assert behind == (
        "the session started 2026-02-20T08:00:00, before the newest in the file (2026-02-21T08:00:00): "
        "it is the newest now; was a clock wrong?"
    )
    assert add(tmp_path, make_session(2.001)).clocks == ()
    add(tmp_path, make_session(365 * 73))
    stored, backwards = add(tmp_path, make_session(4)).clocks
    assert "says that it started 2099-" in stored
    assert backwards.endswith("was a clock wrong?")


def test_a_session_that_contradicts_its_epoch_is_refused_with_both_numbers(tmp_path: Path) -> None:
    for day in range(3):
        add(tmp_path, make_session(day, 60))
    before = baseline_path(tmp_path).read_bytes()
    with pytest.raises(ContradictionError) as caught:
        add(tmp_path, make_session(3, 72))
    told = str(caught.value)
    assert "exec took 72" in told or "exec took 71" in told
    assert "in 3 session(s) since 'first recording'" in told
    assert '--ethrex-accept-baseline "reason"' in told
    assert baseline_path(tmp_path).read_bytes() == before


def test_a_contradiction_in_prep_is_one_too(tmp_path: Path) -> None:
    for day in range(3):
        add(tmp_path, make_session(day, 60))
    slow = make_session(3, 60)
    slow = Session.of(
        PROGRAM,
        MACHINE,
        tuple(replace(one, prep_ns=tuple(2 * time for time in one.prep_ns)) for one in slow.invocations),
        started=slow.started,
    )
    with pytest.raises(ContradictionError, match="prep took"):
        add(tmp_path, slow)
    assert add(tmp_path, slow, rules={"exec": RULES["exec"]}).action == "appended", "not a gated metric here"


def test_a_contradiction_is_accepted_with_a_reason_as_a_new_epoch(tmp_path: Path) -> None:
    for day in range(3):
        add(tmp_path, make_session(day, 60))
    done = add(tmp_path, make_session(3, 72), accept_reason=" EIP-7702 checks ")
    assert done.action == "began an epoch"
    assert str(done).startswith("epoch 2 begun (EIP-7702 checks)")
    assert [epoch.reason for epoch in done.baseline.epochs] == [FIRST_REASON, "EIP-7702 checks"]
    assert len(done.baseline.epochs[0].sessions) == 3, "the history is kept"
    assert add(tmp_path, make_session(4, 72)).action == "appended"
    with pytest.raises(ContradictionError):
        add(tmp_path, make_session(5, 60))


def test_a_change_too_small_to_contradict_can_be_accepted_too(tmp_path: Path) -> None:
    add(tmp_path, make_session(0, 60))
    assert add(tmp_path, make_session(1, 61), accept_reason="new allocator").action == "began an epoch"
    assert add(tmp_path, make_session(2, 61), accept_reason="new allocator").action == "appended"
    assert add(tmp_path, make_session(3, 90), accept_reason="new allocator").action == "began an epoch"


def test_the_first_recording_keeps_its_reason(tmp_path: Path) -> None:
    assert add(tmp_path, make_session(0), accept_reason="v1.0").baseline.epoch.reason == "v1.0"


def test_an_empty_reason_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        add(tmp_path, make_session(0), accept_reason=" ")
    assert not baseline_path(tmp_path).exists()


@pytest.mark.parametrize(
    ("session", "fields", "told"),
    [
        (make_session(1, repeat=7), {}, "recorded with 4 repeats, and this run takes 7"),
        (make_session(1), {"cache": replace(CACHE, witness_sha256="00")}, "another witness"),
        (make_session(1, program=replace(PROGRAM, prefix=("nice",))), {}, "this run is under 'nice'"),
        (make_session(1, invocations=0), {}, "has no invocations"),
        (replace(make_session(1), started="noon"), {}, "not a UTC time"),
    ],
)
def test_a_session_of_something_else_is_refused(
    tmp_path: Path, session: Session, fields: dict[str, Any], told: str
) -> None:
    add(tmp_path, make_session(0))
    before = baseline_path(tmp_path).read_bytes()
    with pytest.raises(BaselineError, match="nothing was recorded") as caught:
        add(tmp_path, session, accept_reason="x", **fields)
    assert told in str(caught.value)
    assert baseline_path(tmp_path).read_bytes() == before


def test_invocations_of_different_length_are_refused(tmp_path: Path) -> None:
    mixed = (*make_session(0).invocations, *make_session(1, repeat=7).invocations)
    with pytest.raises(BaselineError, match="7 repeats of exec, the file says 4"):
        add(tmp_path, Session.of(PROGRAM, MACHINE, mixed, started=make_session(0).started))


def test_what_changed_on_the_machine_is_warned_about(tmp_path: Path) -> None:
    add(tmp_path, make_session(0))
    updated = replace(MACHINE, recorded=MACHINE.recorded | {"kernel": "6.8.0"})
    assert add(tmp_path, make_session(1, machine=updated)).warnings == ("kernel: 6.1.0 → 6.8.0",)


def test_other_blocks_and_machines_are_not_touched(tmp_path: Path) -> None:
    add(tmp_path, make_session(0))
    before = baseline_path(tmp_path).read_bytes()
    other = replace(MACHINE, key="laptop")
    add(tmp_path, make_session(0, 200, machine=other))
    assert baseline_path(tmp_path).read_bytes() == before
    assert store.files(tmp_path) == [baseline_path(tmp_path), store.path(tmp_path, BLOCK, "ethrex", "laptop")]


def test_a_broken_file_is_never_touched_by_a_recording(tmp_path: Path) -> None:
    add(tmp_path, make_session(0))
    broken = baseline_path(tmp_path).read_text()[:-100]
    baseline_path(tmp_path).write_text(broken)
    with pytest.raises(BaselineError, match="truncated"):
        add(tmp_path, make_session(1))
    assert baseline_path(tmp_path).read_text() == broken


def test_two_runs_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    sessions = [make_session(day, invocations=6) for day in range(8)]
    threads = [threading.Thread(target=add, args=(tmp_path, session)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = store.load(baseline_path(tmp_path)).epoch.sessions  # in the order in which they came
    assert sorted(stored, key=lambda session: session.started) == sessions
