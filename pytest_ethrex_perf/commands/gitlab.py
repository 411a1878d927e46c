"""A merge request on GitLab and its notes (https://docs.gitlab.com/api/notes/), with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_ethrex_perf.commands import web
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.report import comment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOKEN = "GITLAB_TOKEN"  # noqa: S105 - the variable's name
_PER_PAGE = 100


def is_here(environ: Mapping[str, str]) -> bool:
    """Return whether this is a job of GitLab's CI."""
    return bool(environ.get("GITLAB_CI"))


class MergeRequest:
    """The merge request of this pipeline, or number `iid` of `project` (its path or its number)."""

    def __init__(
        self, environ: Mapping[str, str], *, project: str | None = None, iid: int | None = None
    ) -> None:
        token = web.token(environ, TOKEN)
        if token is None:
            raise UsageError(
                f"no way to GitLab: set ${TOKEN}, a project access token with the scope `api`, as a masked "
                "variable; $CI_JOB_TOKEN may not write notes"
            )
        project = project or environ.get("CI_PROJECT_ID")
        number = str(iid or environ.get("CI_MERGE_REQUEST_IID") or "")
        if not project or not number.isdecimal():
            raise UsageError(
                "no merge request: run this job for merge requests (rules: - if: $CI_PIPELINE_SOURCE == "
                '"merge_request_event"), or name it: --pull-request N'
            )
        self._token = token
        self._api = environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4"
        self._notes = f"/projects/{quote(project, safe='')}/merge_requests/{number}/notes"
        self._name = f"{environ.get('CI_PROJECT_PATH') or project}!{number}"

    def __str__(self) -> str:
        return self._name

    def post(self, body: str) -> str:
        """Post `body`, or put it in the place of our own note; return what it is a note of.

        Notes of others are left alone, whatever they begin with. Raises `EthrexPerfError`.
        """
        try:
            own = self._own()
            method, path = ("POST", self._notes) if own is None else ("PUT", f"{self._notes}/{own}")
            self._ask(method, path, {"body": body})
        except web.ApiError as error:
            if error.is_passing:
                raise
            raise EthrexPerfError(f"{self}: {_remedy(error)}") from None
        except (KeyError, TypeError, AttributeError):
            raise EthrexPerfError(f"{self}: GitLab's answer has another form than expected") from None
        return self._name

    def _own(self) -> int | None:
        (me, _) = self._ask("GET", "/user")
        for note in self._every():
            if note["author"]["id"] == me["id"] and not note["system"] and comment.is_ours(note["body"]):
                return int(note["id"])
        return None

    def _every(self) -> Iterator[Any]:
        page = "1"
        while page.isdecimal():
            path = f"{self._notes}?per_page={_PER_PAGE}&sort=asc&page={page}"
            notes, headers = self._ask("GET", path)
            yield from notes
            page = headers.get("X-Next-Page") or ""

    def _ask(self, method: str, path: str, body: object = None) -> tuple[Any, Mapping[str, str]]:
        return web.request(method, self._api + path, token=self._token, header="PRIVATE-TOKEN: ", body=body)


def _remedy(error: web.ApiError) -> str:
    if error.is_rate_limit:
        return f"GitLab's rate limit is used up ({error}): try again in some minutes"
    if error.is_missing:
        return f"there is no such merge request, or ${TOKEN} can't see it ({error})"
    if error.is_permission:
        return (
            f"no permission to write a note ({error}): ${TOKEN} needs the scope `api` and the role Reporter"
        )
    return f"not posted: {error}"
