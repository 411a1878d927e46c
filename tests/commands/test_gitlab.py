"""Notes of a merge request: `ethrex-perf comment` in a job of GitLab's CI."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pytest_ethrex_perf.commands import gitlab, web
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.report.markdown import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "glpat-s3cr3tOfTheProject"
ME = 7
NOTES = "/projects/42/merge_requests/12/notes"


class Server:
    """A GitLab of one merge request, two notes to a page."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.refusal: tuple[int, Any] | None = None
        self.environ: dict[str, str] = {}

    def say(self, author: int, body: str, *, system: bool = False) -> None:
        self.notes.append(
            {"id": 100 + len(self.notes), "author": {"id": author}, "body": body, "system": system}
        )

    def answer(self, method: str, url: str, body: Any) -> tuple[int, Any, str]:
        parts = urlsplit(url)
        if self.refusal:
            return *self.refusal, ""
        if (method, parts.path) == ("GET", "/user"):
            return 200, {"id": ME}, ""
        if (method, parts.path) == ("GET", NOTES):
            page = int(parse_qs(parts.query)["page"][0])
            more = str(page + 1) if len(self.notes) > 2 * page else ""
            return 200, self.notes[2 * page - 2 : 2 * page], more
        if (method, parts.path) == ("POST", NOTES):
            self.say(ME, body["body"])
            return 201, {}, ""
        (note,) = (note for note in self.notes if f"{NOTES}/{note['id']}" == parts.path)
        assert method == "PUT"
        note["body"] = body["body"]
        return 200, note, ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def handle_it(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            assert self.headers["PRIVATE-TOKEN"] == TOKEN
            status, answer, more = state.answer(self.command, self.path, json.loads(content or "null"))
            self.send_response(status)
            self.send_header("X-Next-Page", more)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PUT = handle_it  # noqa: N815 - as the library calls them

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        state.environ = {
            "GITLAB_CI": "true",
            "GITLAB_TOKEN": TOKEN,
            "CI_API_V4_URL": f"http://127.0.0.1:{http.server_port}",
            "CI_PROJECT_ID": "42",
            "CI_PROJECT_PATH": "group/ethrex",
            "CI_MERGE_REQUEST_IID": "12",
        }
        yield state
        http.shutdown()


def test_the_note_is_written_once_and_then_brought_up_to_date(server: Server) -> None:
    server.say(1, f"{MARK}\nnot ours")
    server.say(ME, f"{MARK}\na system note", system=True)
    request = gitlab.MergeRequest(server.environ)
    assert request.post(f"{MARK}\nfirst") == "group/ethrex!12"
    request.post(f"{MARK}\nsecond")  # found on the second page
    assert [note["body"].partition("\n")[2] for note in server.notes] == [
        "not ours",
        "a system note",
        "second",
    ]


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (403, {"message": "403 Forbidden"}, "needs the scope `api` and the role Reporter"),
        (
            401,
            {"error": "insufficient_scope"},
            "no permission to write a note (insufficient_scope (HTTP 401))",
        ),
        (404, {"message": "404 Not found"}, "there is no such merge request"),
        (429, {"message": "slow down"}, "try again in some minutes"),
        (418, None, "not posted: I'm a Teapot (HTTP 418)"),
        (200, {"id": ME}, "GitLab's answer has another form than expected"),
    ],
)
def test_a_refusal_says_what_to_do(server: Server, status: int, answer: Any, words: str) -> None:
    server.refusal = (status, answer)
    with pytest.raises(EthrexPerfError, match="group/ethrex!12") as caught:
        gitlab.MergeRequest(server.environ).post("x")
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_server_that_stumbles_may_be_asked_again(server: Server) -> None:
    server.refusal = (502, None)
    with pytest.raises(web.ApiError) as caught:
        gitlab.MergeRequest(server.environ).post("x")
    assert caught.value.is_passing


@pytest.mark.parametrize(
    ("missing", "words"),
    [("GITLAB_TOKEN", "set $GITLAB_TOKEN"), ("CI_MERGE_REQUEST_IID", "no merge request: run this job for")],
)
def test_what_is_missing_is_named(server: Server, missing: str, words: str) -> None:
    del server.environ[missing]
    with pytest.raises(UsageError) as caught:
        gitlab.MergeRequest(server.environ)
    assert words in str(caught.value)
