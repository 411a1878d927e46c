"""A pull request on GitHub and its comments: through `gh` where it is installed, else with a token.

All of it is GraphQL (https://docs.github.com/graphql): it says of every comment whether it is our own
(`viewerDidAuthor`), which REST can't tell a workflow's token.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_ethrex_perf.commands import web
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.replay.redaction import redact
from pytest_ethrex_perf.report import comment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from pytest_ethrex_perf.commands.pull_request import Target

    Ask: TypeAlias = Callable[[str, dict[str, Any]], Any]
    """Answers a query with its variables by `data`; raises `web.ApiError`."""

TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")
SECRETS = (*TOKENS, "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_API = "https://api.github.com/graphql"
_PUBLIC = "github.com"
_TIMEOUT_S = 60.0
_NOT_LOGGED_IN = 4  # gh's exit code
_STATUS = re.compile(r"\(HTTP (\d{3})\)")
_BY_TYPE = {"NOT_FOUND": 404, "FORBIDDEN": 403, "INSUFFICIENT_SCOPES": 403, "RATE_LIMITED": 429}

_COMMENTS = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { id headRefOid
    comments(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
      nodes { id body viewerDidAuthor } } } } }"""
_BY_HEAD = """query($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) { pullRequests(headRefName: $branch, states: [OPEN], first: 100) {
    nodes { number headRefOid } } } }"""
_ADD = """mutation($on: ID!, $body: String!) {
  addComment(input: {subjectId: $on, body: $body}) { commentEdge { node { url } } } }"""
_UPDATE = """mutation($on: ID!, $body: String!) {
  updateIssueComment(input: {id: $on, body: $body}) { issueComment { url } } }"""


class PullRequest:
    """The pull request that a comment is for."""

    def __init__(self, target: Target, ask: Ask) -> None:
        self._target = target
        self._ask = ask
        self._number = target.number

    def post(self, body: str) -> str:
        """Post `body`, or put it in the place of our own comment; return the comment's address.

        Comments of others are left alone, whatever they begin with. Raises `EthrexPerfError`.
        """
        try:
            if self._number is None:
                self._number = self._by_head()
            pull_request, own = self._look(self._number)
            if own is None:
                edge = self._ask(_ADD, {"on": pull_request, "body": body})["addComment"]["commentEdge"]
                return str(edge["node"]["url"])
            answer = self._ask(_UPDATE, {"on": own, "body": body})["updateIssueComment"]
            return str(answer["issueComment"]["url"])
        except web.ApiError as error:
            if error.is_passing:
                raise
            raise EthrexPerfError(f"{self}: {remedy(error, self)}") from None
        except (KeyError, TypeError):
            raise EthrexPerfError(f"{self}: GitHub's answer has another form than expected") from None

    def __str__(self) -> str:
        return f"{self._target.repository}#{self._number or '?'}"

    def _look(self, number: int) -> tuple[str, str | None]:
        """Return the id of the pull request, and that of our own comment if there is one."""
        own = None
        for page in self._pages(number):
            head = page["headRefOid"]
            if self._target.head_sha not in (None, head):
                raise EthrexPerfError(
                    f"{self} is at {str(head)[:12]}, not at {str(self._target.head_sha)[:12]}, which was "
                    "measured: nothing is posted; the run of its new commit will"
                )
            for node in page["comments"]["nodes"]:
                if own is None and node["viewerDidAuthor"] and comment.is_ours(node["body"]):
                    own = str(node["id"])
            if own is not None:
                break
        return str(page["id"]), own

    def _pages(self, number: int) -> Iterator[Any]:
        after = None
        while True:
            variables = {**self._repository(), "number": number, "after": after}
            page = self._ask(_COMMENTS, variables)["repository"]["pullRequest"]
            yield page
            if not page["comments"]["pageInfo"]["hasNextPage"]:
                return
            after = page["comments"]["pageInfo"]["endCursor"]

    def _by_head(self) -> int:
        variables = {**self._repository(), "branch": self._target.head_branch}
        for node in self._ask(_BY_HEAD, variables)["repository"]["pullRequests"]["nodes"]:
            if node["headRefOid"] == self._target.head_sha:
                return int(node["number"])
        raise EthrexPerfError(
            f"{self._target.repository}: no open pull request is at {str(self._target.head_sha)[:12]}: "
            "nothing is posted"
        )

    def _repository(self) -> dict[str, str]:
        owner, _, name = self._target.repository.partition("/")
        return {"owner": owner, "name": name}


def remedy(error: web.ApiError, pull_request: PullRequest) -> str:
    """Return what GitHub said, and what to do about it."""
    if error.is_rate_limit:
        return f"GitHub's rate limit is used up ({error}): try again in an hour, or with another token"
    if error.is_missing:
        return f"there is no such pull request, or the token can't see it ({error}): is {pull_request} right?"
    if error.is_permission:
        return (
            f"no permission to comment ({error}): give the job `permissions: pull-requests: write`; of a "
            "pull request from a fork, comment from a second workflow (`ethrex-perf init --github`)"
        )
    return f"not posted: {error}"


def connect(environ: Mapping[str, str]) -> Ask:
    """Return the way to GitHub: `gh` where it is on PATH, else a token; raises `UsageError` without both."""
    gh = shutil.which("gh", path=environ.get("PATH"))
    secrets = [environ[name] for name in SECRETS if environ.get(name)]
    if gh is not None:
        return _Gh(gh, environ, secrets)
    token = web.token(environ, *TOKENS)
    if token is None:
        raise UsageError(
            "no way to GitHub: install gh (https://cli.github.com) and log in, or set $GITHUB_TOKEN "
            "(in a workflow: env: GITHUB_TOKEN: ${{ github.token }})"
        )
    return _Token(environ.get("GITHUB_GRAPHQL_URL") or _API, token)


class _Token:
    """GraphQL over https."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def __call__(self, query: str, variables: dict[str, Any]) -> Any:
        body = {"query": query, "variables": variables}
        answer, _ = web.request(
            "POST", self._url, token=self._token, header="Authorization: Bearer", body=body
        )
        return _data(answer, redact(web.message(answer), [self._token]))


class _Gh:
    """GraphQL by `gh api`; it knows its own token, and what is sent goes to its standard input."""

    def __init__(self, gh: str, environ: Mapping[str, str], secrets: list[str]) -> None:
        self._environ = dict(environ)
        self._secrets = secrets
        host = urlsplit(environ.get("GITHUB_SERVER_URL") or f"https://{_PUBLIC}").hostname or _PUBLIC
        self._command = [gh, "api", "graphql", "--input", "-"]
        if host != _PUBLIC:
            self._command += ["--hostname", host]
            if (
                token := web.token(environ, *TOKENS)
            ) is not None:  # gh takes another variable for other hosts
                self._environ.setdefault("GH_ENTERPRISE_TOKEN", token)

    def __call__(self, query: str, variables: dict[str, Any]) -> Any:
        try:
            ran = subprocess.run(
                self._command,
                input=json.dumps({"query": query, "variables": variables}),
                env=self._environ,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise web.ApiError(f"gh has not answered in {_TIMEOUT_S:.0f} s") from None
        except OSError as error:
            raise UsageError(f"{self._command[0]} can't be started: {error.strerror}") from None
        if ran.returncode == _NOT_LOGGED_IN:
            raise UsageError(
                "gh is not logged in: run `gh auth login`, or set $GH_TOKEN "
                "(in a workflow: env: GH_TOKEN: ${{ github.token }})"
            )
        try:
            answer = json.loads(ran.stdout)
        except (ValueError, RecursionError):
            answer = None
        said = redact(web.message(answer) or " ".join(ran.stderr.split())[:300], self._secrets)
        if ran.returncode != 0 and not (isinstance(answer, dict) and answer.get("errors")):
            status = _STATUS.search(ran.stderr)
            raise web.ApiError(said or f"gh: exit code {ran.returncode}", int(status[1]) if status else None)
        return _data(answer, said)


def _data(answer: Any, said: str) -> Any:
    """Return the data of an answer in GraphQL's form; raises `ApiError` for its errors."""
    if not isinstance(answer, dict):
        raise web.ApiError("GitHub's answer is no JSON", 400)
    errors = answer.get("errors")
    if errors:
        kind = errors[0].get("type", "") if isinstance(errors, list) and isinstance(errors[0], dict) else ""
        raise web.ApiError(said or "GitHub gave no reason", _BY_TYPE.get(kind, 400))
    return answer.get("data", {})
