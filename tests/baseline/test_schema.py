"""What must be true of a baseline beyond its schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ethrex_perf.baseline.schema import KEPT, Session, check, json_schema, kept
from pytest_ethrex_perf.judge import samples
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


def _with(session: Session, **invocation_fields: Any) -> Session:
    """`session` with its first invocation changed, under an id of its own."""
    first, *rest = session.invocations
    return Session.of(
        session.program,
        session.machine,
        (replace(first, **invocation_fields), *rest),
        started=session.started,
    )


def test_the_schema_in_docs_is_that_of_the_records() -> None:
    file = Path(__file__).parents[2] / "docs" / "baseline.schema.json"
    told = "the records changed: ethrex-perf baseline schema > docs/baseline.schema.json"
    assert file.read_text(encoding="utf-8") == json_schema(), told


def test_a_recorded_baseline_is_sound() -> None:
    check(make_baseline())


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"schema": 0}, "schema is 0"),
        ({"repeat": 1}, "repeat is 1"),
        ({"repeat": 5}, "4 repeats of exec, the file says 5"),
        ({"block": 7}, "cache is of hoodi/1265656, not of hoodi/7"),
        ({"epochs": ()}, "epochs is empty"),
        ({"kind": "embedded"}, "its kind is 'ethrex', the file's is 'embedded'"),
        ({"machine": "other"}, "its machine is 'amd-epyc-9454p-32c-4f1d'"),
        ({"prefix": ("nice",)}, "its prefix is ()"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="^.*" + problem.replace("(", r"\(").replace(")", r"\)")):
        check(make_baseline(**fields))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"exec_ns": (1, 2, 3, 0)}, "exec_ns holds 0"),
        ({"prep_ns": (1, 2, 3, -4)}, "prep_ns holds -4"),
        ({"exec_ns": (1, 2, 3)}, "3 repeats of exec"),
        ({"wall_ns": 0}, "wall_ns is 0"),
        ({"phases": {"exec": float("nan")}}, "not a finite number"),
        ({"phases": {"exec": float("inf")}}, "not a finite number"),
        ({"gas": 1}, "that is another block"),
    ],
)
def test_an_invocation_that_cannot_have_been_measured_is_refused(
    fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        check(make_baseline(make_epoch([make_session(0), _with(make_session(1), **fields)])))


def test_times_edited_by_hand_are_noticed() -> None:
    session = make_session(0)
    first, *rest = session.invocations
    faster = replace(first, exec_ns=tuple(time - 10_000 for time in first.exec_ns))
    edited = replace(session, invocations=(faster, *rest))
    with pytest.raises(ValueError, match="not those that were recorded under this id"):
        check(make_baseline(make_epoch([edited])))


def test_a_session_counts_once() -> None:
    one = make_session(0)
    with pytest.raises(ValueError, match="is there twice"):
        check(make_baseline(make_epoch([one]), make_epoch([one], "again")))


def test_a_tag_names_one_session() -> None:
    tagged = [replace(make_session(day), tags=("v1",)) for day in (0, 1)]
    with pytest.raises(ValueError, match="the tag 'v1' is on another session too"):
        check(make_baseline(make_epoch(tagged)))


def test_epochs_are_in_order_and_not_empty() -> None:
    early, late = make_session(0), make_session(1)
    with pytest.raises(ValueError, match="epochs are not in the order"):
        check(make_baseline(make_epoch([late]), make_epoch([early], "later")))
    check(make_baseline(replace(make_epoch([early]), sessions=(late, early))))  # as they were added
    with pytest.raises(ValueError, match="epoch 1 has no sessions"):
        check(make_baseline(replace(make_epoch([early]), sessions=())))
    with pytest.raises(ValueError, match="epoch 1 has no reason"):
        check(make_baseline(make_epoch([early], " ")))


@pytest.mark.parametrize(
    "started", ["yesterday", "2026-02-18", "2026-02-18T08:00:00", "2026-02-18T08:00+01:00"]
)
def test_times_of_day_are_utc(started: str) -> None:
    session = Session.of(PROGRAM, MACHINE, (make_invocation(),), started=started)
    with pytest.raises(ValueError, match="not a UTC time"):
        check(make_baseline(replace(make_epoch([make_session(0)]), sessions=(session,))))


def test_an_id_depends_on_what_was_measured_and_on_nothing_else() -> None:
    session = make_session(0)
    assert _with(session, phases={"new": 1.0}, opcodes=7).id == session.id
    assert _with(session, exec_ns=(1, 2, 3, 4)).id != session.id
    assert make_session(0, program=replace(PROGRAM, sha256="34" * 32)).id != session.id


def test_an_epoch_keeps_its_last_sessions_its_first_and_the_tagged_ones() -> None:
    sessions = [make_session(day, invocations=1) for day in range(KEPT + 10)]
    sessions[4] = replace(sessions[4], tags=("v1",))
    epoch = make_epoch(sessions)
    assert kept(epoch.sessions) == (sessions[0], sessions[4], *sessions[10:])
    assert kept(kept(epoch.sessions)) == kept(epoch.sessions)
    assert epoch.recent == tuple(sessions[10:]), "what is compared with: no old session, tagged or not"


def test_sessions_of_one_visit_are_one_sample_of_the_machine() -> None:
    epoch = make_epoch([make_session(0), make_session(0.1), make_session(1)])
    recorded = make_baseline(epoch).raw(epoch.recent)
    assert [len(one) for one in samples.stored(recorded, "exec", 1)] == [16, 8]


def test_a_baseline_knows_its_block_and_epoch() -> None:
    first, second = make_epoch([make_session(0)]), make_epoch([make_session(1)], "faster")
    baseline = make_baseline(first, second)
    assert (baseline.block_id, baseline.epoch) == (BLOCK, second)
    assert list(baseline.sessions()) == [*first.sessions, *second.sessions]
    assert baseline.cache == CACHE
