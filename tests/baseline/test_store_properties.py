"""Recorded, accepted, tagged, merged and pruned in any order: no repeat is lost but by the rules."""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.baseline import schema, store
from pytest_ethrex_perf.baseline.schema import Baseline, BaselineError, Session
from pytest_ethrex_perf.commands import baseline
from tests.baseline.builders import BLOCK, MACHINE, add, make_session

KEPT = 3  # so that short sequences forget something
BRANCHES = ("ours", "theirs")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    baseline.add_commands(parser.add_subparsers())
    args = parser.parse_args(["baseline", *words])
    with contextlib.redirect_stdout(io.StringIO()):
        return int(args.run(args))


def untagged(session: Session) -> Session:
    return msgspec.structs.replace(session, tags=())


def may_be_forgotten(session: Session, epoch: tuple[Session, ...]) -> bool:
    """By the rules: not the first, not tagged, and with enough later ones beside it."""
    return not session.tags and session in epoch[1 : len(epoch) - KEPT]


class Branches:
    """Two checkouts of one baseline, and what each must still hold, as ids by epoch."""

    def __init__(self, scratch: Path) -> None:
        self.roots = {branch: scratch / branch for branch in BRANCHES}
        self.recorded: dict[str, Session] = {}

    def file(self, branch: str) -> Path:
        return store.path(self.roots[branch], BLOCK, "ethrex", MACHINE.key)

    def load(self, branch: str) -> Baseline | None:
        try:
            return store.load(self.file(branch))
        except store.MissingBaselineError:
            return None

    def record(self, branch: str, day: int, reason: str | None) -> None:
        before = self.load(branch)
        session = make_session(day, invocations=1)
        self.recorded[session.id] = session
        after = add(self.roots[branch], session, reason, rules={}).baseline
        if before is None:
            assert list(after.sessions()) == [session]
            return
        gone = self.gone(before, after)
        together = (*before.epoch.sessions, session)
        for one in gone:
            assert may_be_forgotten(one, together), "only the current epoch forgets, and by the rule"
        ids = [one.id for one in after.sessions()]
        known_before = session.id in {one.id for one in before.sessions()}
        assert session.id in ids, "what is recorded is kept"
        assert known_before or len(ids) + len(gone) == len(list(before.sessions())) + (session.id in ids)

    def tag(self, branch: str, name: str) -> None:
        before = self.load(branch)
        if before is not None and not any(name in one.tags for one in before.sessions()):
            run("tag", str(BLOCK), name, "--baselines", str(self.roots[branch]))
            after = self.load(branch)
            assert after is not None
            assert self.gone(before, after) == []

    def prune(self, branch: str, *what: str) -> None:
        before = self.load(branch)
        if before is None:
            return
        words = ["prune", str(BLOCK), "--baselines", str(self.roots[branch]), *what]
        run(*words)
        assert self.load(branch) == before, "a dry run"
        run(*words, "--yes")
        after = self.load(branch)
        if what[0] == "--keep-epochs":
            assert after is not None
            assert after.epochs == before.epochs[-int(what[1]) :]
        else:
            last = before.epoch.sessions[-1].id
            left = [one for one in before.sessions() if one.id != last]
            assert (list(after.sessions()) if after else []) == left

    def merge(self, into: str, how: str) -> None:
        ours, theirs = (self.load(branch) for branch in BRANCHES)
        if ours is None or theirs is None:
            return
        before = self.file(into).read_bytes()
        words = [str(self.file(branch)) for branch in BRANCHES]
        try:
            run("merge", *words, "-o", str(self.file(into)), "--epochs", how)
        except BaselineError:  # epochs in conflict, or one tag on two sessions: nothing happened
            assert self.file(into).read_bytes() == before
            return
        merged = self.load(into)
        assert merged is not None
        present = {one.id for one in merged.sessions()}
        union = {one.id: one for side in (ours, theirs) for one in side.sessions()}
        assert present <= union.keys()
        tags = [tag for one in merged.sessions() for tag in one.tags]
        assert set(tags) == {tag for side in (ours, theirs) for one in side.sessions() for tag in one.tags}
        for id_ in union.keys() - present:
            assert not union[id_].tags
            assert any(len(epoch.sessions) > KEPT for epoch in merged.epochs), "enough others"

    def gone(self, before: Baseline, after: Baseline) -> list[Session]:
        left = {one.id for one in after.sessions()}
        return [one for one in before.sessions() if one.id not in left]

    def check(self) -> None:
        """What is stored is what was measured, each session once."""
        for branch in BRANCHES:
            baseline = self.load(branch)
            sessions = list(baseline.sessions()) if baseline else []
            assert all(untagged(one) == self.recorded[one.id] for one in sessions)
            assert max(Counter(one.id for one in sessions).values(), default=1) == 1
        assert not list(self.roots["ours"].parent.rglob("*.tmp"))


branches = st.sampled_from(BRANCHES)
operations = st.one_of(
    st.tuples(st.just("record"), branches, st.integers(0, 30), st.sampled_from([None, None, None, "a", "b"])),
    st.tuples(st.just("tag"), branches, st.sampled_from(["v1", "v2"])),
    st.tuples(st.just("prune"), branches, st.just("--keep-epochs"), st.sampled_from(["1", "2"])),
    st.tuples(st.just("prune"), branches, st.just("--session"), st.just("last")),
    st.tuples(st.just("merge"), branches, st.sampled_from(["refuse", "join", "order"])),
)


@given(common=st.integers(0, 3), sequence=st.lists(operations, min_size=2, max_size=25))
@settings(deadline=None, max_examples=40)
def test_no_sequence_of_commands_loses_a_repeat_that_is_to_be_kept(
    common: int, sequence: list[tuple[Any, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as scratch, mock.patch.object(schema, "KEPT", KEPT):
        world = Branches(Path(scratch))
        for day in range(common):
            world.record("ours", day, None)
        if common:
            shutil.copytree(world.roots["ours"], world.roots["theirs"])
        for operation, *arguments in sequence:
            getattr(world, operation)(*arguments)
            world.check()
