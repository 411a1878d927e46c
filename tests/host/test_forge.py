"""Addresses of commits, from the remote of a repository."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.host import forge

GITHUB = "https://github.com/lambdaclass/ethrex/commit/"


@pytest.mark.parametrize(
    ("remote", "commits"),
    [
        ("https://github.com/lambdaclass/ethrex.git", GITHUB),
        ("https://github.com/lambdaclass/ethrex/", GITHUB),
        ("https://user:ghp_secret@github.com/lambdaclass/ethrex.git?token=1#2", GITHUB),
        ("git@github.com:lambdaclass/ethrex.git", GITHUB),
        ("ssh://git@GitHub.com:22/lambdaclass/ethrex", GITHUB),
        ("git://github.com/lambdaclass/ethrex", GITHUB),
        (
            "http://oauth2:glpat@gitlab.example.org:8080/a/b/c.git",
            "http://gitlab.example.org:8080/a/b/c/-/commit/",
        ),
        ("git@gitlab.com:a/b.git", "https://gitlab.com/a/b/-/commit/"),
        ("https://example.org/a/b.git", None),
        ("/srv/git/github.com/ethrex.git", None),
        ("../ethrex", None),
        ("file:///github.com/ethrex", None),
        ("https://github.com", None),
        ("https://github.com:port/a/b", None),
        ("https://github.com/a/<b>", None),
        ("https://notgithub.com/a/b", None),
        ("", None),
    ],
)
def test_where_the_commits_of_a_remote_are(remote: str, commits: str | None) -> None:
    assert forge.commits(remote) == commits


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("git@example.org:a/b.git", "https://example.org/a/b"),
        ("https://user:ghp_secret@example.org:8443/a/b.git", "https://example.org:8443/a/b"),
        ("/srv/git/b.git", None),
    ],
)
def test_where_a_remote_is_on_the_web(remote: str, repository: str | None) -> None:
    assert forge.repository(remote) == repository
