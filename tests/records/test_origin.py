"""Origins as files hold them: what no report may link to is refused when it is read."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ethrex_perf.records.origin import Change, Job, Source, is_url

SHA = "a1" * 20


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/lambdaclass/ethrex/commit/a1",
        "http://gitlab.local:8080/group/sub/-/merge_requests/3",
        "https://github.com/o/r/actions/runs/9#artifacts",
    ],
)
def test_it_may_be_linked_to(url: str) -> None:
    assert is_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://user:key@github.com/o/r",
        "https://github.com/o/r)[x](http://evil",
        'https://github.com/"onclick=',
        "https://github.com/<b>",
        "//github.com/o/r",
        "https:///o/r",
        "https://github.com/o r",
        "https://github.com/" + 2_000 * "x",
        "",
    ],
)
def test_it_may_not(url: str) -> None:
    for make in (
        lambda: Source(commit=SHA, url=url),
        lambda: Change(name="#1", url=url),
        lambda: Job(url=url),
        lambda: Job(artifacts=url),
    ):
        with pytest.raises(ValueError, match="no address"):
            make()


@pytest.mark.parametrize("commit", ["main", "a1b2c3d", SHA.upper(), f"{SHA}\n"])
def test_a_commit_is_a_whole_hash(commit: str) -> None:
    content = msgspec.json.encode({"commit": commit})
    with pytest.raises(msgspec.ValidationError, match="no commit"):
        msgspec.json.decode(content, type=Source)


def test_of_a_merge_people_read_what_was_merged() -> None:
    assert Source(commit=SHA, merged="b2" * 20).short == "b2b2b2b2"
    assert Source(commit=SHA).short == "a1a1a1a1"
