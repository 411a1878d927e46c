"""Which pull request a workflow is about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.commands import pull_request
from pytest_ethrex_perf.commands.pull_request import Target
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"GITHUB_REPOSITORY": "o/r"}
SHA = "a" * 40


@pytest.fixture
def event(tmp_path: Path) -> Path:
    return tmp_path / "event.json"


def _of(event: Path, content: object, **environ: str) -> Target:
    event.write_text(json.dumps(content))
    return pull_request.of({**HERE, "GITHUB_EVENT_PATH": str(event), **environ})


@pytest.mark.parametrize(
    "content",
    [
        {"pull_request": {"number": 12}, "number": 12},
        {"issue": {"number": 12, "pull_request": {}}, "comment": {}},
    ],
)
def test_it_is_that_of_the_event(event: Path, content: object) -> None:
    assert _of(event, content) == Target("o/r", 12)


def test_it_is_that_of_the_ref() -> None:
    assert pull_request.of({**HERE, "GITHUB_REF": "refs/pull/12/merge"}) == Target("o/r", 12)


def test_what_is_named_wins() -> None:
    environ = {**HERE, "GITHUB_REF": "refs/pull/12/merge"}
    assert pull_request.of(environ, repository="a/b", number=3) == Target("a/b", 3)


def test_of_a_workflow_run_it_is_the_one_at_its_commit(event: Path) -> None:
    run = {"workflow_run": {"head_sha": SHA, "head_branch": "faster", "id": 9}}
    assert _of(event, run) == Target("o/r", None, SHA, "faster")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"issue": {"number": 12}}, "no pull request"),  # an issue that is none
        ({"pull_request": {"number": "12"}}, "no pull request"),
        ({"ref": "refs/heads/main"}, "no pull request"),
        ([], "no pull request"),
        ({"workflow_run": {}}, "has no head_sha"),
    ],
)
def test_an_event_without_one_is_wrong_usage(event: Path, content: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        _of(event, content, GITHUB_REF="refs/heads/main")


@pytest.mark.parametrize(("content", "words"), [("{", "it is no JSON"), (None, "No such file or directory")])
def test_an_event_that_can_not_be_read_is_said(event: Path, content: str | None, words: str) -> None:
    if content is not None:
        event.write_text(content)
    with pytest.raises(UsageError, match=f"GITHUB_EVENT_PATH: .*: can't be read: {words}"):
        pull_request.of({**HERE, "GITHUB_EVENT_PATH": str(event)})


def test_the_run_that_measured_is_the_one_that_started_this(event: Path) -> None:
    event.write_text(json.dumps({"workflow_run": {"id": 99}}))
    environ = {**HERE, "GITHUB_EVENT_PATH": str(event), "GITHUB_SERVER_URL": "https://github.com"}
    url = "https://github.com/o/r/actions/runs/99"
    assert pull_request.run_url({**environ, "GITHUB_RUN_ID": "100"}) == url
    assert pull_request.run_url({"CI_JOB_URL": "https://gitlab.com/j/1"}) == "https://gitlab.com/j/1"
    assert pull_request.run_url({}) is None
