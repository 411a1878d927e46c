"""What the workflows of `ethrex-perf init` install: this package, from where it came from itself."""

from __future__ import annotations

import json
import os
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.commands import requirement
from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "a" * 40
ENVIRON = {**os.environ, **WHO}


class Installed:
    """A distribution with this direct_url.json; None: it came from an index."""

    def __init__(self, origin: str | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._origin


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:
    def asked(origin: object, version: str = "0.2.1") -> requirement.Requirement:
        text = origin if origin is None or isinstance(origin, str) else json.dumps(origin)
        monkeypatch.setattr(metadata, "distribution", lambda _: Installed(text))
        monkeypatch.setattr(requirement, "version", lambda: version)
        return requirement.of_this_package(ENVIRON)

    return asked


def test_a_release_of_an_index_asks_for_itself(ask: Any) -> None:
    assert ask(None) == requirement.Requirement("==0.2.1")
    assert ask(None).word() == "pytest-ethrex-perf==0.2.1"
    assert ask(None).word("[history]") == "'pytest-ethrex-perf[history]==0.2.1'"
    assert ask(None, "0.2.1.dev3+g123").word() == "pytest-ethrex-perf"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/somebody/pytest-ethrex-perf.git",
        "https://user:secret@github.com/somebody/pytest-ethrex-perf",
        "ssh://git@github.com/somebody/pytest-ethrex-perf.git",
    ],
)
def test_what_came_from_a_repository_comes_from_there_again(ask: Any, url: str) -> None:
    assert ask({"url": url, "vcs_info": {"vcs": "git", "commit_id": COMMIT}}) == requirement.Requirement(
        f" @ git+https://github.com/somebody/pytest-ethrex-perf@{COMMIT}"
    )


def test_a_checkout_is_found_by_its_remote_once_it_is_pushed(ask: Any, tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "checkout")
    head = repository.commit("First")
    origin = {"url": repository.path.as_uri(), "dir_info": {"editable": True}}
    assert "no remote of" in ask(origin).doubt
    repository.git("remote", "add", "origin", "git@github.com:somebody/pytest-ethrex-perf.git")
    assert "git push it first" in ask(origin).doubt
    repository.git("update-ref", "refs/remotes/origin/main", head)
    assert ask(origin).word("[history]") == (
        f"'pytest-ethrex-perf[history] @ git+https://github.com/somebody/pytest-ethrex-perf@{head}'"
    )


@pytest.mark.parametrize(
    "origin",
    [
        "{",
        "[]",
        {"url": "file:///nowhere/at/all", "dir_info": {}},
        {"url": "file:///tmp/a.whl", "archive_info": {}},
        {"url": "https://github.com/a/b", "vcs_info": {"vcs": "git", "commit_id": "main; rm -rf ~"}},
        {"url": "https://github.com/a/b;c", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
        {"url": "/srv/git/package", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
    ],
)
def test_what_others_can_not_reach_is_a_doubt(ask: Any, origin: object) -> None:
    answer = ask(origin)
    assert answer.specifier == "==0.2.1"
    assert answer.doubt
