"""No secret of an RPC URL is shown or kept."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.replay.redaction import Redactor, redact, redact_url

URL = "https://user:s3cr3t@rpc.example.org:8545/v2/0123456789abcdef?key=hidden-value"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "https://rpc.example.org:8545"),
        ("http://localhost:8545", "http://localhost:8545"),
        ("wss://Eth.Example.ORG/ws/key", "wss://eth.example.org"),
        ("http://[::1]:8545/key", "http://[::1]:8545"),
        ("https://key@host", "https://host"),
        ("rpc.example.org/key", "<redacted>"),
        ("localhost:8545", "<redacted>"),
        ("http://host:port/key", "<redacted>"),
        ("file:///etc/passwd", "<redacted>"),
        ("", "<redacted>"),
    ],
)
def test_of_a_url_only_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"error sending request for url ({URL})",
        URL.replace("?", "/?"),
        quote(URL, safe=""),
        "https://rpc.example.org:8545/v2/0123456789abcdef",
        "HTTPS://RPC.EXAMPLE.ORG/v2/0123456789abcdef",
        'Url { password: Some("s3cr3t"), path: "/v2/0123456789abcdef", query: Some("key=hidden-value") }',
        "the key 0123456789abcdef is not known",
        "no key_0123456789abcdef_x",
        "user:s3cr3t",
        "hidden%2Dvalue hidden-value",
        "sent Basic dXNlcjpzM2NyM3Q=",
    ],
)
def test_every_form_of_a_secret_is_scrubbed(text: str) -> None:
    got = redact(text, [URL])
    for secret in ("s3cr3t", "0123456789abcdef", "hidden-value", "dXNlcjpzM2NyM3Q"):
        assert secret not in got


@pytest.mark.parametrize(
    "text",
    [
        "> Authorization: Basic c29tZTpib2R5",
        "authorization: bearer c29tZTpib2R5",
        '{"Authorization": "Basic c29tZTpib2R5"}',
    ],
)
def test_an_authorization_header_is_scrubbed_whosever_it_is(text: str) -> None:
    got = redact(text, [])
    assert "c29tZTpib2R5" not in got
    assert "<redacted>" in got


def test_unknown_urls_lose_credentials_and_queries_too() -> None:
    text = "tried https://a:b@other.org/x and ws://third.net:1/y?token=1, then https://hoodi.etherscan.io/block/1"
    assert (
        redact(text, [])
        == "tried https://other.org and ws://third.net:1, then https://hoodi.etherscan.io/block/1"
    )


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "ethrex_replay: user error: Block 1265656 at v2 of rpc"
    assert redact(text, ["https://eth@rpc.example.org/v2"]) == text


def test_a_secret_that_is_no_url_is_scrubbed_whole() -> None:
    assert redact("no rpc.example.org/key here", ["rpc.example.org/key"]) == "no <redacted> here"


def test_empty_secrets_are_none() -> None:
    assert redact("text", ["", " "]) == "text"


KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_%/ .~", min_size=8, max_size=40)


@settings(deadline=None)
@given(KEYS, st.text(max_size=20), st.text(max_size=20))
def test_a_key_in_the_path_never_survives(key: str, before: str, after: str) -> None:
    url = f"https://rpc.example.org/{quote(key, safe='')}"
    got = Redactor([url])(f"{before} {url} {after}")
    assert quote(key, safe="") not in got.replace(before, "").replace(after, "")


@settings(deadline=None)
@given(st.text())
def test_redaction_never_raises(text: str) -> None:
    redact(text, [text, URL])
    redact_url(text)
