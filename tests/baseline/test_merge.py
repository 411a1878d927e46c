"""Two branches' files of one baseline are joined without losing a session."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.merge import merge, sides
from pytest_ethrex_perf.baseline.schema import KEPT, Baseline, BaselineError, Epoch
from tests.baseline.builders import CACHE, make_baseline, make_epoch, make_session

replace = msgspec.structs.replace


def days(baseline: Baseline) -> list[list[str]]:
    """The day of the month of each session, by epoch (day 0 is the 18th)."""
    return [[session.started[8:10] for session in epoch.sessions] for epoch in baseline.epochs]


def epoch_of(*numbers: int, reason: str = "first recording") -> Epoch:
    return make_epoch([make_session(day, invocations=2) for day in numbers], reason)


def test_sessions_are_joined_by_id_in_order_of_start() -> None:
    merged = merge(make_baseline(epoch_of(0, 1, 4)), make_baseline(epoch_of(0, 2, 3)))
    assert days(merged) == [["18", "19", "20", "21", "22"]]


def test_sessions_stay_in_the_order_in_which_a_side_added_them() -> None:
    first, ahead, later, theirs = (make_session(day, invocations=2) for day in (0, 365 * 73, 1, 2))
    one = make_baseline(replace(epoch_of(0), sessions=(first, ahead, later)))
    other = make_baseline(replace(epoch_of(0), sessions=(first, theirs)))
    merged = merge(one, other)
    assert merged.epoch.sessions == (first, theirs, ahead, later)
    assert merge(other, one) == merged
    turned = make_baseline(replace(epoch_of(0), sessions=(first, later, ahead)))
    assert merge(one, turned) == merge(turned, one) == turned, "they contradict each other: the dates decide"


def test_merging_does_not_depend_on_the_side_and_twice_is_once() -> None:
    ours, theirs = make_baseline(epoch_of(0, 1)), make_baseline(epoch_of(0, 2))
    merged = merge(ours, theirs)
    assert merge(theirs, ours) == merged
    assert merge(merged, theirs) == merged
    assert merge(ours, ours) == ours


def test_an_epoch_that_one_side_began_follows() -> None:
    accepted = make_baseline(epoch_of(0, 1), epoch_of(2, 3, reason="new allocator"))
    recorded = make_baseline(epoch_of(0, 5))
    merged = merge(recorded, accepted)
    assert days(merged) == [["18", "19", "23"], ["20", "21"]]
    assert merged.epoch.reason == "new allocator"


def test_an_epoch_that_one_side_pruned_comes_back() -> None:
    whole = make_baseline(epoch_of(0), epoch_of(1, reason="a"))
    pruned = make_baseline(epoch_of(1, 2, reason="a"))
    assert merge(whole, pruned) == make_baseline(epoch_of(0), epoch_of(1, 2, reason="a"))


def test_a_session_accepted_on_one_side_leaves_the_old_epoch() -> None:
    appended = make_baseline(epoch_of(0, 1))
    accepted = make_baseline(epoch_of(0), epoch_of(1, reason="slower, and meant"))
    assert merge(appended, accepted) == accepted


def test_a_tag_on_one_sides_copy_of_a_session_is_kept_wherever_the_session_goes() -> None:
    first, second = epoch_of(0, 1).sessions
    appended = make_baseline(make_epoch([first, replace(second, tags=("v1",), note="before the fork")]))
    accepted = make_baseline(epoch_of(0), epoch_of(1, reason="slower, and meant"))
    for merged in (merge(appended, accepted), merge(accepted, appended)):
        assert days(merged) == [["18"], ["19"]]
        assert (merged.epoch.sessions[0].tags, merged.epoch.sessions[0].note) == (("v1",), "before the fork")


@pytest.fixture
def apart() -> tuple[Baseline, Baseline]:
    ours = make_baseline(epoch_of(0), epoch_of(1, 3, reason="new allocator"))
    theirs = make_baseline(epoch_of(0), epoch_of(2, reason="EIP-7702"), epoch_of(4, reason="LTO"))
    return ours, theirs


def test_epochs_that_both_sides_began_are_a_conflict_that_is_explained(
    apart: tuple[Baseline, Baseline],
) -> None:
    with pytest.raises(BaselineError) as caught:
        merge(*apart)
    told = str(caught.value)
    assert "ours 'new allocator' on 2026-02-19 (2 session(s), exec " in told
    assert "theirs 'EIP-7702' on 2026-02-20 (1 session(s), exec " in told
    assert "--epochs join" in told
    assert "--epochs order" in told


def test_epochs_in_conflict_are_put_in_order(apart: tuple[Baseline, Baseline]) -> None:
    merged = merge(*apart, conflicts="order")
    assert [epoch.reason for epoch in merged.epochs] == [
        "first recording",
        "new allocator",
        "EIP-7702",
        "LTO",
    ]
    assert days(merged) == [["18"], ["19", "21"], ["20"], ["22"]]


def test_epochs_in_conflict_are_joined_place_by_place(apart: tuple[Baseline, Baseline]) -> None:
    merged = merge(*apart, conflicts="join")
    assert [epoch.reason for epoch in merged.epochs] == ["first recording", "new allocator; EIP-7702", "LTO"]
    assert days(merged) == [["18"], ["19", "20", "21"], ["22"]]


def test_baselines_that_two_branches_began_apart_can_be_joined() -> None:
    ours, theirs = make_baseline(epoch_of(0)), make_baseline(epoch_of(1))
    with pytest.raises(BaselineError, match="both sides began an epoch"):
        merge(ours, theirs)
    assert days(merge(ours, theirs, "join")) == [["18", "19"]]


def test_tags_and_notes_of_both_sides_are_kept() -> None:
    session = make_session(0, invocations=2)
    ours = make_baseline(make_epoch([replace(session, tags=("v1",), note="quiet")]))
    theirs = make_baseline(make_epoch([replace(session, tags=("main",), note="cold")]))
    (merged,) = merge(ours, theirs).sessions()
    assert (merged.tags, merged.note) == (("main", "v1"), "quiet; cold")


def test_one_tag_on_two_sessions_is_refused() -> None:
    one, other = (replace(make_session(day), tags=("v1",)) for day in (1, 2))
    ours, theirs = (make_baseline(make_epoch([make_session(0), session])) for session in (one, other))
    with pytest.raises(BaselineError, match="the tag 'v1' is on another session too: untag one"):
        merge(ours, theirs)


def test_what_an_epoch_keeps_is_kept() -> None:
    ours = make_baseline(epoch_of(0, *range(1, KEPT + 1)))
    theirs = make_baseline(epoch_of(0, *range(KEPT + 1, KEPT + 6)))
    merged = merge(ours, theirs)
    assert len(merged.epoch.sessions) == KEPT + 1
    assert merged.epoch.sessions[0] == ours.epoch.sessions[0]


def test_baselines_of_different_things_are_refused() -> None:
    other = make_baseline(cache=replace(CACHE, block_hash="0x00"))
    with pytest.raises(
        BaselineError, match="not baselines of the same thing: it was recorded with block hash"
    ):
        merge(make_baseline(), other)


CONFLICT = """{
<<<<<<< HEAD
  "ours": 1
||||||| 1234567
  "base": 0
=======
  "theirs": 2
>>>>>>> branch
}
"""


def test_the_sides_of_a_conflict_are_told_apart() -> None:
    expected = '{\n  "ours": 1\n}\n', '{\n  "theirs": 2\n}\n'
    assert sides(CONFLICT, "x") == expected
    assert sides(CONFLICT.replace('||||||| 1234567\n  "base": 0\n', ""), "x") == expected


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD\n", "=======\n", ">>>>>>> branch\n"])
def test_conflict_markers_out_of_order_are_refused(mark: str) -> None:
    with pytest.raises(BaselineError, match="x: its conflict markers are not in order"):
        sides(CONFLICT.replace(mark, "", 1), "x")


def test_a_file_without_a_conflict_has_no_sides() -> None:
    with pytest.raises(BaselineError, match="holds no merge conflict"):
        sides(store.dump(make_baseline()), "b.json")
