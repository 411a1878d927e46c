"""With which harness a commit is built."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_ethrex_perf.baseline.build_slot import BuildError
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.bisect import NotBuiltError
from pytest_ethrex_perf.gate.commit_builds import CommitBuilds, spec_of


class Builds:
    """Builds a program only of pairs of commit and harness that fit."""

    def __init__(self, *fitting: str) -> None:
        self.fitting = fitting
        self.fleeting: str | None = None
        self.tried: list[str] = []

    def revision(self, spec: str, side: str, option: str) -> str:
        assert (side, option) == ("head", "bisect")
        return spec

    def build(self, revision: str, side: str) -> Any:
        assert side == "head"
        self.tried.append(revision)
        if revision not in self.fitting:
            raise BuildError(
                f"{revision} 1a2b3c4 cannot be built: exit code 1; see log, its last lines:\n  cc"
            )
        program = SimpleNamespace(label=revision)
        return SimpleNamespace(program=program, fleeting=self.fleeting)


def end(commit: str, harness: str | None) -> Any:
    def source(name: str) -> Any:
        return SimpleNamespace(commit=SimpleNamespace(id=name))

    return SimpleNamespace(source=source(commit), harness=source(harness) if harness else None)


def test_each_end_begins_with_its_own_harness_and_the_other_is_tried_where_it_does_not_fit() -> None:
    builds: Any = Builds("git:good,harness:old", "git:early,harness:old", "git:late,harness:new")
    build = CommitBuilds(builds, end("good", "old"), end("bad", "new"))
    for commit in ("good", "early", "late"):
        assert build(commit)
    assert builds.tried == [
        "git:good,harness:old",
        "git:early,harness:new",
        "git:early,harness:old",
        "git:late,harness:new",
    ]


def test_what_fits_no_harness_says_why_in_a_clause() -> None:
    builds: Any = Builds()
    with pytest.raises(NotBuiltError) as raised:
        CommitBuilds(builds, end("good", None), end("bad", None))("middle")
    assert str(raised.value) == "can't be built: exit code 1; see log"
    assert builds.tried == ["git:middle"]


def test_what_the_next_build_would_take_away_ends_the_search() -> None:
    builds: Any = Builds("git:good")
    builds.fleeting = "is a script, which runs other code"
    with pytest.raises(MeasurementError, match=r"git:good: .* is a script, .* one native exec"):
        CommitBuilds(builds, end("good", None), end("bad", None))("good")


def test_a_spec_is_completed_once() -> None:
    assert spec_of("HEAD", None) == "git:HEAD"
    assert spec_of("git:HEAD", "v1") == "git:HEAD,harness:v1"
    assert spec_of("git:HEAD,harness:v2", "v1") == "git:HEAD,harness:v2"
