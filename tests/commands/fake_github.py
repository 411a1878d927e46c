"""A GitHub of one repository, kept in a file: behind a `gh` that is a script, or behind a local port."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "ghs_s3cr3tOfTheWorkflow"
SHA = "a" * 40
PAGE = 2  # comments

_SCRIPT = f"""#!{sys.executable} -IS
import runpy
runpy.run_path({str(Path(__file__))!r}, run_name="__main__")
"""


class FakeGitHub:
    """What the platform knows, and what it was asked."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "github.json"
        self.directory = directory
        if not self.file.exists():
            self.write({"viewer": "github-actions", "pull_requests": {}, "calls": [], "refusals": []})

    def read(self) -> Any:
        return json.loads(self.file.read_text())

    def write(self, state: Any) -> None:
        self.file.write_text(json.dumps(state))

    def open(self, number: int, head: str = SHA, branch: str = "faster") -> None:
        """Open a pull request."""
        state = self.read()
        state["pull_requests"][str(number)] = {"head": head, "branch": branch, "comments": []}
        self.write(state)

    def say(self, number: int, author: str, body: str) -> None:
        """Have somebody comment."""
        state = self.read()
        comments = state["pull_requests"][str(number)]["comments"]
        comments.append({"id": f"{number}-{len(comments)}", "author": author, "body": body})
        self.write(state)

    def refuse(self, *answers: tuple[int, str]) -> None:
        """Answer the next requests by these HTTP statuses and messages; 200 is an error of GraphQL."""
        state = self.read()
        state["refusals"] += answers
        self.write(state)

    def comments(self, number: int) -> list[tuple[str, str]]:
        """Author and body of each."""
        comments = self.read()["pull_requests"][str(number)]["comments"]
        return [(comment["author"], comment["body"]) for comment in comments]

    def calls(self) -> list[list[str]]:
        """The words of every call of `gh`."""
        calls: list[list[str]] = self.read()["calls"]
        return calls

    def gh(self, directory: Path) -> None:
        """Write a `gh` into `directory`; $FAKE_GITHUB must name ours."""
        directory.mkdir(parents=True, exist_ok=True)
        script = directory / "gh"
        script.write_text(_SCRIPT)
        script.chmod(0o755)

    def answer(self, query: str, variables: dict[str, Any]) -> tuple[int, Any]:
        """HTTP's status, and the JSON."""
        state = self.read()
        if state["refusals"]:
            status, said = state["refusals"].pop(0)
            self.write(state)
            if status == 200:
                kind, _, words = said.partition(": ")
                return status, {"data": None, "errors": [{"type": kind, "message": words}]}
            return status, {"message": said}
        assert variables.get("owner", "o") == "o", variables
        requests = state["pull_requests"]
        if "pullRequests(" in query:
            nodes = [
                {"number": int(number), "headRefOid": each["head"]}
                for number, each in requests.items()
                if each["branch"] == variables["branch"]
            ]
            return 200, {"data": {"repository": {"pullRequests": {"nodes": nodes}}}}
        if "pullRequest(" in query:
            return 200, self._page(state, variables)
        if "addComment" in query:
            number = variables["on"].removeprefix("PR_")
            self.say(int(number), state["viewer"], variables["body"])
            url = f"https://github.com/o/r/pull/{number}#issuecomment-1"
            return 200, {"data": {"addComment": {"commentEdge": {"node": {"url": url}}}}}
        assert "updateIssueComment" in query
        (comment,) = (
            comment
            for each in requests.values()
            for comment in each["comments"]
            if comment["id"] == variables["on"]
        )
        assert comment["author"] == state["viewer"]
        comment["body"] = variables["body"]
        self.write(state)
        url = "https://github.com/o/r/pull/12#issuecomment-2"
        return 200, {"data": {"updateIssueComment": {"issueComment": {"url": url}}}}

    def _page(self, state: Any, variables: dict[str, Any]) -> Any:
        pull_request = state["pull_requests"].get(str(variables["number"]))
        if pull_request is None:
            error = {"type": "NOT_FOUND", "message": "Could not resolve to a PullRequest"}
            return {"data": {"repository": {"pullRequest": None}}, "errors": [error]}
        start = int(variables["after"] or 0)
        end = start + PAGE
        nodes = [
            {**comment, "viewerDidAuthor": comment["author"] == state["viewer"]}
            for comment in pull_request["comments"][start:end]
        ]
        more = end < len(pull_request["comments"])
        comments = {"pageInfo": {"hasNextPage": more, "endCursor": str(end)}, "nodes": nodes}
        found = {
            "id": f"PR_{variables['number']}",
            "headRefOid": pull_request["head"],
            "comments": comments,
        }
        return {"data": {"repository": {"pullRequest": found}}}

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The address at which it answers those who bring the token."""
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # `gh` starts faster without

        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.headers["Authorization"] == f"Bearer {TOKEN}":
                    status, answer = github.answer(asked["query"], asked["variables"])
                else:
                    status, answer = 401, {"message": "Bad credentials"}
                content = json.dumps(answer).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "https://elsewhere.example/")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/graphql"
            server.shutdown()


def gh(words: list[str]) -> int:
    """Be `gh`."""
    github = FakeGitHub(Path(os.environ["FAKE_GITHUB"]))
    state = github.read()
    state["calls"].append(words)
    github.write(state)
    assert not any(TOKEN in word for word in words)
    if os.environ.get("GH_TOKEN", os.environ.get("GITHUB_TOKEN")) != TOKEN:
        sys.stderr.write("To get started with GitHub CLI, please run:  gh auth login\n")
        return 4
    if words[:2] == ["api", "graphql"]:
        asked = json.loads(sys.stdin.read())
        status, answer = github.answer(asked["query"], asked["variables"])
        sys.stdout.write(json.dumps(answer))
        if status == 200 and "errors" not in answer:
            return 0
        said = answer.get("message") or answer["errors"][0]["message"]
        sys.stderr.write(f"gh: {said}" + (f" (HTTP {status})\n" if status != 200 else "\n"))
        return 1
    if words[:2] == ["pr", "list"]:
        branch = re.sub(r"^--head=", "", next(word for word in words if word.startswith("--head=")))
        found = [number for number, each in state["pull_requests"].items() if each["branch"] == branch]
        sys.stdout.write("".join(f"{number}\n" for number in found))
    if words[:2] == ["pr", "create"]:
        branch = next(word for word in words if word.startswith("--head=")).removeprefix("--head=")
        github.open(77, branch=branch)
    return 0


if __name__ == "__main__":
    sys.exit(gh(sys.argv[1:]))
