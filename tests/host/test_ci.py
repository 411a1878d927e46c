"""What CIs say of a job by their variables, and what is not believed of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.host import ci
from pytest_ethrex_perf.records.origin import Change, Source

if TYPE_CHECKING:
    from pathlib import Path

MERGE, PUSHED = "a1" * 20, "b2" * 20
REPOSITORY = "https://github.com/lambdaclass/ethrex"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "lambdaclass/ethrex",
    "GITHUB_RUN_ID": "42",
    "GITHUB_SHA": MERGE,
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.com/a/b",
    "CI_COMMIT_SHA": PUSHED,
    "CI_COMMIT_TITLE": "Faster tries",
    "CI_JOB_URL": "https://gitlab.com/a/b/-/jobs/7",
    "CI_PIPELINE_URL": "https://gitlab.com/a/b/-/pipelines/8",
}


def github(folder: Path, event: dict[str, Any], **environ: str) -> ci.Here:
    (folder / "event.json").write_text(json.dumps(event))
    here = ci.read({**GITHUB, "GITHUB_EVENT_PATH": str(folder / "event.json"), **environ})
    assert here is not None
    return here


def gitlab(**environ: str) -> ci.Here:
    here = ci.read({**GITLAB, **environ})
    assert here is not None
    return here


def test_elsewhere_there_is_no_job() -> None:
    assert ci.read({name: value for name, value in GITHUB.items() if name != "GITHUB_ACTIONS"}) is None


def test_a_push_is_what_is_checked_out(tmp_path: Path) -> None:
    pushed = {"id": MERGE, "message": "Faster tries\n\nBecause.", "timestamp": "2026-01-02T03:04:05Z"}
    names = {"GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch"}
    here = github(tmp_path, {"head_commit": pushed}, GITHUB_EVENT_NAME="push", **names)
    source = Source(
        commit=MERGE,
        subject="Faster tries",
        branch="main",
        time="2026-01-02T03:04:05Z",
        url=f"{REPOSITORY}/commit/{MERGE}",
    )
    assert here.job.commit == here.source(MERGE) == source
    assert here.names_checkout
    assert (here.job.url, here.job.change) == (f"{REPOSITORY}/actions/runs/42", None)
    assert here.job.artifacts == f"{REPOSITORY}/actions/runs/42#artifacts"


def test_of_a_pull_request_the_sha_is_a_merge(tmp_path: Path) -> None:
    about = {"number": 12, "title": "Faster <tries>", "head": {"sha": PUSHED}}
    names = {"GITHUB_HEAD_REF": "faster", "GITHUB_BASE_REF": "main", "GITHUB_EVENT_NAME": "pull_request"}
    here = github(tmp_path, {"pull_request": about}, **names)
    url = f"{REPOSITORY}/commit/{PUSHED}"
    assert here.job.commit == Source(commit=MERGE, merged=PUSHED, branch="faster", url=url)
    assert here.source(PUSHED) == Source(commit=PUSHED, branch="faster", url=url)
    assert here.source("c3" * 20) is None
    assert here.job.change == Change(
        name="#12", title="Faster <tries>", into="main", url=f"{REPOSITORY}/pull/12"
    )


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "issue_comment", ""])
def test_what_runs_on_the_default_branch_names_no_program(tmp_path: Path, event: str) -> None:
    assert not github(tmp_path, {}, GITHUB_EVENT_NAME=event).names_checkout


def test_an_event_that_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    environ = {**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "none"), "GITHUB_REF": "refs/pull/9/merge"}
    here = ci.read(environ)
    assert here is not None
    assert here.job.change == Change(name="#9", url=f"{REPOSITORY}/pull/9")


def test_nothing_is_believed_that_is_no_address_and_no_commit(tmp_path: Path) -> None:
    here = github(
        tmp_path,
        {"pull_request": {"number": 12, "title": ["x"], "base": "main", "head": None}},
        GITHUB_SERVER_URL="https://me:key@github.com",
        GITHUB_SHA="main",
        GITHUB_EVENT_NAME="pull_request",
    )
    assert here.job.commit is None
    assert (here.job.url, here.job.artifacts) == (None, None)
    assert here.job.change == Change(name="#12")


def test_a_merge_request_of_gitlab() -> None:
    here = gitlab(
        CI_MERGE_REQUEST_IID="3",
        CI_MERGE_REQUEST_PROJECT_URL="https://gitlab.com/a/b",
        CI_MERGE_REQUEST_SOURCE_PROJECT_URL="https://gitlab.com/fork/b",
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME="faster",
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
        CI_MERGE_REQUEST_TITLE="Faster tries",
    )
    assert here.job.change == Change(
        name="!3", title="Faster tries", into="main", url="https://gitlab.com/a/b/-/merge_requests/3"
    )
    assert here.job.commit == Source(
        commit=PUSHED,
        subject="Faster tries",
        branch="faster",
        url=f"https://gitlab.com/fork/b/-/commit/{PUSHED}",
    )
    assert here.job.url == "https://gitlab.com/a/b/-/jobs/7"
    assert here.job.artifacts == "https://gitlab.com/a/b/-/jobs/7/artifacts/browse"


def test_a_pipeline_of_merged_results_names_what_was_merged() -> None:
    here = gitlab(CI_COMMIT_SHA=MERGE, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=PUSHED, CI_MERGE_REQUEST_IID="3")
    url = f"https://gitlab.com/a/b/-/commit/{PUSHED}"
    assert here.job.commit == Source(commit=MERGE, merged=PUSHED, url=url)


def test_a_branch_of_gitlab_without_a_job_s_address() -> None:
    here = gitlab(CI_JOB_URL="", CI_COMMIT_BRANCH="main")
    assert here.job.url == "https://gitlab.com/a/b/-/pipelines/8"
    assert here.job.artifacts is None
    assert here.job.commit is not None
    assert here.job.commit.url == f"https://gitlab.com/a/b/-/commit/{PUSHED}"
