"""Nothing multiplexes: events take turns in sets that every CPU can count at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.counters.events import (
    ALWAYS,
    MOST_AT_ONCE,
    TOGETHER,
    event_sets,
    user_only,
    without_counter,
)

GUIDE = {event for group in TOGETHER for event in group} | set(ALWAYS)
NAMES = st.sampled_from(
    [*sorted(GUIDE), "LLC-loads", "dTLB-loads", "cpu/event=0x3c/", "a", "b", "task-clock"]
)


def test_the_guides_events_and_branches_are_two_alternating_sets() -> None:
    assert event_sets() == (
        ("instructions", "cycles", "branches", "branch-misses"),
        ("instructions", "cycles", "cache-references", "cache-misses", "L1-dcache-load-misses"),
    )


def test_events_of_the_users_come_in_sets_of_their_own() -> None:
    assert event_sets(named=("LLC-loads", "cache-misses", "LLC-stores", "page-faults"))[2:] == (
        ("instructions", "cycles", "LLC-loads", "LLC-stores"),
    )


def test_a_judged_event_is_in_every_set() -> None:
    sets = event_sets(judged=("branch-misses",))
    assert all("branch-misses" in one for one in sets)
    assert ("instructions", "cycles", "branch-misses", "branches") in sets


def test_more_judged_events_than_counters_are_refused() -> None:
    with pytest.raises(ValueError, match="no more than 5 events"):
        event_sets(judged=("branches", "branch-misses", "cache-misses", "cache-references"))


@given(st.lists(NAMES, max_size=3, unique=True), st.lists(NAMES, max_size=12))
def test_every_event_has_its_turn_and_no_set_is_too_large(judged: list[str], named: list[str]) -> None:
    sets = event_sets(tuple(judged), tuple(named))
    assert all(len(set(one)) == len(one) <= MOST_AT_ONCE for one in sets)
    assert all(set(ALWAYS) <= set(one) for one in sets)
    hardware = {event for event in judged if event != "task-clock"}
    assert all(hardware <= set(one) for one in sets)
    counted = {event for one in sets for event in one}
    if len(hardware - set(ALWAYS)) < MOST_AT_ONCE - len(ALWAYS):
        assert GUIDE | (set(named) - {"task-clock"}) <= counted


def test_what_the_kernel_counts_itself_is_always_counted() -> None:
    assert without_counter(("cycles", "major-faults")) == ("task-clock", "major-faults")


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        ("cycles", "cycles:u"),
        ("cycles:k", "cycles:k"),
        ("cpu/event=0x3c,umask=0x1/", "cpu/event=0x3c,umask=0x1/u"),
        ("cpu_core/cycles/u", "cpu_core/cycles/u"),
        ("msr/tsc/", "msr/tsc/"),
        ("sched:sched_switch", "sched:sched_switch"),
        ("context-switches", "context-switches"),
    ],
)
def test_perf_is_asked_for_user_space_only(event: str, asked: str) -> None:
    assert user_only(event) == asked
