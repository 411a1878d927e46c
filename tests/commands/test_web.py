"""Requests with a token: over https only, nowhere else, and never shown."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.commands import web
from pytest_ethrex_perf.errors import UsageError

TOKEN = "ghp_s3cr3t"


def test_a_token_goes_over_https_only() -> None:
    with pytest.raises(UsageError, match="a token is sent over https only") as caught:
        web.request("GET", f"http://ci:{TOKEN}@example.org/x", token=TOKEN, header="Authorization: Bearer")
    assert TOKEN not in str(caught.value)


def test_a_host_that_is_not_there_is_a_passing_error() -> None:
    with pytest.raises(web.ApiError, match=r"http://127\.0\.0\.1:9 can't be reached") as caught:
        web.request("GET", "http://127.0.0.1:9/x", token=TOKEN, header="PRIVATE-TOKEN: ")
    assert caught.value.is_passing


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"message": "Not  Found\n"}, "Not Found"),
        ({"errors": [{"message": "of GraphQL"}]}, "of GraphQL"),
        ({"error": "insufficient_scope"}, "insufficient_scope"),
        ({"message": {"base": ["is wrong"]}}, "{'base': ['is wrong']}"),
        ({}, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_what_an_api_says_is_read_from_its_answer(answer: object, words: str) -> None:
    assert web.message(answer) == words


def test_the_first_token_that_is_set_is_taken() -> None:
    assert web.token({"A": " ", "B": f"{TOKEN}\n"}, "A", "B") == TOKEN
    assert web.token({}, "A", "B") is None
