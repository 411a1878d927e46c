"""Which pull request a run belongs to: by the command line, or by the event that started the workflow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.host import ci
from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{40,64}")
_MOST = 64  # bytes of a number, with room for spaces


@dataclass(frozen=True, slots=True)
class Target:
    """A pull request of GitHub."""

    repository: str
    """`OWNER/NAME`."""
    number: int | None
    """None: that of the repository's open ones whose head is `head_sha`, on `head_branch`."""
    head_sha: str | None = None
    """Of a `workflow_run`: what was measured, and what the pull request must be at."""
    head_branch: str | None = None


def of(
    environ: Mapping[str, str],
    *,
    repository: str | None = None,
    number: int | None = None,
    number_file: Path | None = None,
) -> Target:
    """Return the pull request that is named, or else that of the event; raises `UsageError`.

    A `number_file` comes from another workflow's artifact, which whoever wrote the pull request may have
    filled: its number counts only if that pull request is at the commit of the event's `workflow_run`.
    """
    event = ci.event(environ)
    repository = repository or environ.get("GITHUB_REPOSITORY") or ""
    if _REPOSITORY.fullmatch(repository) is None:
        raise UsageError("no repository: name it, --repository OWNER/NAME, or set $GITHUB_REPOSITORY")
    run = event.get("workflow_run")
    if isinstance(run, dict):
        sha, branch = str(run.get("head_sha")), str(run.get("head_branch"))
        if _SHA.fullmatch(sha) is None:
            raise UsageError("$GITHUB_EVENT_PATH: its workflow_run has no head_sha")
        number = number if number_file is None else read_number(number_file)
        return Target(repository, number, sha, branch)
    if number_file is not None:
        raise UsageError(
            "--number-file is for workflows that are started by `workflow_run`, whose commit it is checked "
            "with: here, give --pull-request N"
        )
    number = number or ci.number_of(event, environ)
    if number is None:
        raise UsageError(
            "no pull request: this workflow was not started by one; name it: --pull-request N --repository "
            "OWNER/NAME"
        )
    return Target(repository, number)


def read_number(path: Path) -> int:
    """Return the number that the file at `path` holds, and nothing else; raises `EthrexPerfError`."""
    try:
        with regular_file.opened(path) as file:
            text = file.read(_MOST + 1).decode("ascii", "replace").strip()
    except OSError as error:
        raise EthrexPerfError(f"{path}: can't be read: {error.strerror}") from None
    if _NUMBER.fullmatch(text) is None:
        raise EthrexPerfError(f"{path}: it is not the number of a pull request")
    return int(text)


def run_url(environ: Mapping[str, str]) -> str | None:
    """Return the address of the run that measured, where this is a workflow."""
    run = ci.event(environ).get("workflow_run")
    identifier = str(run.get("id")) if isinstance(run, dict) else environ.get("GITHUB_RUN_ID", "")
    return ci.run_url(environ, identifier) or environ.get("CI_JOB_URL")
