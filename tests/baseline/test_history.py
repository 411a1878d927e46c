"""A baseline's history as people read it."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ethrex_perf.baseline.history import (
    WIDTH,
    diff,
    level,
    past,
    references,
    rows,
    select,
    show,
    sparkline,
)
from pytest_ethrex_perf.baseline.schema import Baseline, BaselineError, Session
from pytest_ethrex_perf.records.measurement import Count
from tests.baseline.builders import (
    BLOCK,
    CACHE,
    MACHINE,
    PROGRAM,
    make_baseline,
    make_epoch,
    make_invocation,
    make_session,
)

replace = msgspec.structs.replace


def exact(day: int, *levels_ms: float, tags: tuple[str, ...] = ()) -> Session:
    """A session with one invocation for each level, its repeats all alike after a slow first one."""
    invocations = tuple(
        replace(
            make_invocation(seed=100 * day + i),
            exec_ns=(10**9, *(int(level * 1e6),) * 3),
            prep_ns=(10**9, *(int(level * 2e6),) * 3),
        )
        for i, level in enumerate(levels_ms)
    )
    session = Session.of(PROGRAM, MACHINE, invocations, started=f"2026-02-{day:02}T08:00:00+00:00")
    return replace(session, tags=tags)


@pytest.fixture
def baseline() -> Baseline:
    return make_baseline(
        make_epoch([exact(1, 50, 51, 49), exact(2, 51, 51), exact(3, 55, tags=("v1",))]),
        make_epoch(
            [exact(4, 66), exact(5, 60.5)],
            "EIP-7702: one more lookup per call, agreed upon in the call of 3 March",
        ),
    )


def test_results_hold_every_epoch_with_the_level_of_each_metric(baseline: Baseline) -> None:
    first, second = past(baseline, ("exec", "prep"), 1)
    assert second.reason.startswith("EIP-7702")
    assert [one.tags for one in first.sessions] == [(), (), ("v1",)]
    assert [one.invocations for one in first.sessions] == [3, 2, 1]
    assert first.sessions[0].levels == {
        "exec": pytest.approx((50e6 * 51e6 * 49e6) ** (1 / 3)),
        "prep": pytest.approx((100e6 * 102e6 * 98e6) ** (1 / 3)),
    }
    assert second.sessions[1].levels["exec"] == pytest.approx(60.5e6)


def test_levels_leave_the_first_repeat_out(baseline: Baseline) -> None:
    assert level(baseline, baseline.epochs[0].sessions[:1], "exec") == 50e6
    assert level(baseline, baseline.epochs[0].sessions[:1], "prep") == 100e6
    assert level(baseline, baseline.epochs[0].sessions[:1], "exec", drop=0) == 50e6, (
        "the median of four is the same"
    )


def test_changes_are_against_the_epochs_first_session_and_the_one_before(baseline: Baseline) -> None:
    (first, second, third), (fourth, fifth) = rows(baseline, "exec")
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
    (table,) = rows(make_baseline(make_epoch(sessions)), "exec")
    assert all(row.against_previous == pytest.approx(0.008, abs=1e-4) for row in table[1:])
    assert table[-1].against_first == pytest.approx(0.083, abs=1e-3)


def test_results_are_held_against_the_first_session_and_the_tagged_ones(baseline: Baseline) -> None:
    found = [(reference.label, reference.session.started[8:10]) for reference in references(baseline)]
    assert found == [("epoch's first session", "04"), ("session tagged v1", "03")]


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


@pytest.mark.parametrize(
    ("selector", "found"),
    [(None, ["04", "05"]), ("first", ["04"]), ("last", ["05"]), ("v1", ["03"])],
)
def test_sessions_are_selected_by_place_or_tag(
    baseline: Baseline, selector: str | None, found: list[str]
) -> None:
    assert [session.started[8:10] for session in select(baseline, selector, "b").sessions] == found


def test_sessions_are_selected_by_the_start_of_their_id(baseline: Baseline) -> None:
    wanted = next(baseline.sessions())
    assert select(baseline, wanted.id[:9], "b").sessions == (wanted,)


@pytest.mark.parametrize("selector", ["v2", ""])
def test_a_selector_of_none_or_several_sessions_lists_them(baseline: Baseline, selector: str) -> None:
    with pytest.raises(BaselineError, match=r"session.* for .*say `first`, `last`, a tag or an id: v1, "):
        select(baseline, selector, "b")


def test_a_difference_shows_both_metrics_and_what_else_changed(baseline: Baseline) -> None:
    other = replace(PROGRAM, sha256="34" * 32, label="./fast")
    updated = replace(MACHINE, recorded=MACHINE.recorded | {"kernel": "6.8.0"})
    after = make_baseline(make_epoch([make_session(9, 80, program=other, machine=updated)]))
    text = diff(select(baseline, "last", "a"), select(after, None, "b"))
    assert "exec      60.50 ms" in text
    assert "program: ./ethrex-replay (121212121212) → ./fast (343434343434)" in text
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
    ((first, second),) = rows(make_baseline(make_epoch(sessions)), "instructions")
    assert (first.level, second.level) == (None, 400)
    assert second.against_first is None
