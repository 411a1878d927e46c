"""What GitHub Actions and GitLab CI say of the job that runs here, by the variables that they set.

GitHub: docs.github.com, "Variables reference" and "Webhook events and payloads"; of a `pull_request`
GITHUB_SHA is a merge that GitHub made, and what was pushed stands in the event. GitLab: docs.gitlab.com,
"Predefined CI/CD variables reference"; CI_COMMIT_SHA is a merge in pipelines of merged results alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import json_text, regular_file
from pytest_ethrex_perf.records.origin import Change, Job, Source, is_commit, is_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVENTS_OF_THEIR_CHECKOUT = ("push", "pull_request", "merge_group", "schedule", "workflow_dispatch")
"""Those whose GITHUB_SHA is what a workflow checks out; the others start it on the default branch."""
_REF = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_NUMBER = re.compile(r"[1-9][0-9]{0,19}")
_LONGEST = 200  # characters of a title, a subject or a branch


@dataclass(frozen=True, slots=True)
class Here:
    """The job that runs here. Its `commit` is what the CI checked out, whatever is measured."""

    job: Job
    names_checkout: bool
    """A program that does not tell its commit was most probably built from the job's."""
    merged: Source | None = None
    """What was merged for this job, where its commit is the CI's merge."""
    commits: str | None = None
    """What an address of a commit of this repository begins with."""

    def source(self, commit: str) -> Source | None:
        """What the CI says of `commit`, None where it is not one of the job's."""
        return next((each for each in (self.job.commit, self.merged) if each and each.commit == commit), None)


def read(environ: Mapping[str, str]) -> Here | None:
    """Return the job that runs here, None where none does; what can't be read of it is left out."""
    if environ.get("GITLAB_CI"):
        return _gitlab(environ)
    return _github(environ) if environ.get("GITHUB_ACTIONS") else None


# --- GitHub -------------------------------------------------------------------------------------------------


def event(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the event that started the workflow, empty without one; raises `UsageError`."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        content = json_text.decode(regular_file.content(Path(path)), object)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise UsageError(f"$GITHUB_EVENT_PATH: {path}: can't be read: {reason}") from None
    return content if isinstance(content, dict) else {}


def number_of(event: Mapping[str, Any], environ: Mapping[str, str]) -> int | None:
    """Return the number of the pull request of an `event`, or of the ref; None where there is none.

    It is one of `pull_request` and `pull_request_target`; and of `issue_comment`, of a pull request.
    """
    issue = _table(event, "issue")
    number = (_table(event, "pull_request") or (issue if "pull_request" in issue else {})).get("number")
    if isinstance(number, int) and number > 0:
        return number
    match = _REF.fullmatch(environ.get("GITHUB_REF", ""))
    return int(match[1]) if match else None


def run_url(environ: Mapping[str, str], run: str) -> str | None:
    """Return the address of run `run` of this repository's workflows, None where that is not known."""
    repository = _repository(environ)
    return _url(f"{repository}/actions/runs/{run}") if repository and _NUMBER.fullmatch(run) else None


def _github(environ: Mapping[str, str]) -> Here:
    try:
        started_by = event(environ)
    except UsageError:
        started_by = {}
    repository = _repository(environ)
    commits = f"{repository}/commit/" if repository else None
    own, merged = _github_commits(environ, started_by, commits)
    run = run_url(environ, environ.get("GITHUB_RUN_ID", ""))
    job = Job(
        url=run,
        artifacts=f"{run}#artifacts" if run else None,
        change=_pull_request(environ, started_by, repository),
        commit=own,
    )
    named = environ.get("GITHUB_EVENT_NAME") in _EVENTS_OF_THEIR_CHECKOUT
    return Here(job, named, merged, commits)


def _github_commits(
    environ: Mapping[str, str], event: Mapping[str, Any], commits: str | None
) -> tuple[Source | None, Source | None]:
    """What is checked out by default, and what was merged for that."""
    sha = environ.get("GITHUB_SHA")
    if not is_commit(sha):
        return None, None
    if environ.get("GITHUB_EVENT_NAME") == "pull_request":
        pushed = _table(_table(event, "pull_request"), "head").get("sha")
        return _merge(sha, pushed, commits, branch=_line(environ.get("GITHUB_HEAD_REF")))
    branch = environ.get("GITHUB_REF_NAME") if environ.get("GITHUB_REF_TYPE") == "branch" else ""
    newest = _table(event, "head_commit")
    told = newest if newest.get("id") == sha else {}
    source = Source(
        commit=sha,
        subject=_line(str(told.get("message") or "").partition("\n")[0]),
        time=_line(told.get("timestamp")),
        branch=_line(branch),
        url=_url(f"{commits}{sha}"),
    )
    return source, None


def _pull_request(
    environ: Mapping[str, str], event: Mapping[str, Any], repository: str | None
) -> Change | None:
    number = number_of(event, environ)
    if number is None:
        return None
    about = _table(event, "pull_request") or _table(event, "issue")
    into = environ.get("GITHUB_BASE_REF") or _table(about, "base").get("ref")
    url = _url(f"{repository}/pull/{number}") if repository else None
    return Change(name=f"#{number}", title=_line(about.get("title")), into=_line(into), url=url)


def _repository(environ: Mapping[str, str]) -> str | None:
    server, name = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    return _url(f"{server.rstrip('/')}/{name}") if server and name else None


# --- GitLab -------------------------------------------------------------------------------------------------


def _gitlab(environ: Mapping[str, str]) -> Here:
    project, job = _url(environ.get("CI_PROJECT_URL")), _url(environ.get("CI_JOB_URL"))
    # what is merged for a fork's merge request lies in the fork
    origin = _url(environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_URL")) or project
    commits = f"{project}/-/commit/" if project else None
    own, merged = _gitlab_commits(environ, commits, f"{origin}/-/commit/" if origin else None)
    return Here(
        Job(
            url=job or _url(environ.get("CI_PIPELINE_URL")),
            artifacts=f"{job}/artifacts/browse" if job else None,
            change=_merge_request(environ),
            commit=own,
        ),
        names_checkout=True,
        merged=merged,
        commits=commits,
    )


def _gitlab_commits(
    environ: Mapping[str, str], commits: str | None, origins: str | None
) -> tuple[Source | None, Source | None]:
    sha = environ.get("CI_COMMIT_SHA")
    if not is_commit(sha):
        return None, None
    branch = _line(environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or environ.get("CI_COMMIT_BRANCH"))
    pushed = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
    if pushed and pushed != sha:
        return _merge(sha, pushed, origins, branch=branch)
    source = Source(
        commit=sha,
        subject=_line(environ.get("CI_COMMIT_TITLE")),
        time=_line(environ.get("CI_COMMIT_TIMESTAMP")),
        branch=branch,
        url=_url(f"{origins if environ.get('CI_MERGE_REQUEST_IID') else commits}{sha}"),
    )
    return source, None


def _merge_request(environ: Mapping[str, str]) -> Change | None:
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    if not _NUMBER.fullmatch(number):
        return None
    project = _url(environ.get("CI_MERGE_REQUEST_PROJECT_URL"))
    return Change(
        name=f"!{number}",
        title=_line(environ.get("CI_MERGE_REQUEST_TITLE")),
        into=_line(environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")),
        url=_url(f"{project}/-/merge_requests/{number}") if project else None,
    )


# --- both ---------------------------------------------------------------------------------------------------


def _merge(sha: str, pushed: object, commits: str | None, *, branch: str) -> tuple[Source, Source | None]:
    """The CI's own merge `sha`, and the commit that was `pushed` and is merged in it, where that is known."""
    if not is_commit(pushed) or pushed == sha:
        return Source(commit=sha, branch=branch, url=_url(f"{commits}{sha}")), None
    url = _url(f"{commits}{pushed}")
    return (
        Source(commit=sha, merged=pushed, branch=branch, url=url),
        Source(commit=pushed, branch=branch, url=url),
    )


def _url(text: str | None) -> str | None:
    return text if is_url(text) else None


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _line(text: object) -> str:
    """`text` in one line of what can be printed, empty for what is no text."""
    words = " ".join(text.split()) if isinstance(text, str) else ""
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:_LONGEST]
