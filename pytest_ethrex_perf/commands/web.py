"""One request to the API of a platform; its token is in a header, and in nothing that is shown."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.replay.redaction import redact, redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S = 30.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MOST = 64 * 2**20  # bytes of an answer
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 401, 403, 404, 429, 500


class ApiError(EthrexPerfError):
    """What a platform did not do, and why; `status` is HTTP's, None where there was no answer at all."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether the same request may well be answered in a moment."""
        return self.status is None or self.status >= _SERVER

    @property
    def is_rate_limit(self) -> bool:
        """Whether there were too many requests, in GitHub's words or by the status."""
        return self.status == _TOO_MANY or "rate limit" in str(self).lower()

    @property
    def is_permission(self) -> bool:
        """Whether the token may not do it."""
        return self.status in (_UNAUTHORIZED, _FORBIDDEN) and not self.is_rate_limit

    @property
    def is_missing(self) -> bool:
        """Whether there is no such thing, or the token can't see it."""
        return self.status == _NOT_FOUND


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to wherever it leads."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Follow none: it is answered as the error that it is."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def token(environ: Mapping[str, str], *names: str) -> str | None:
    """Return the token in the first of these variables that is set; raises `UsageError` for what is none."""
    for name in names:
        value = environ.get(name, "").strip()
        if value and not (value.isascii() and value.isprintable() and " " not in value):
            raise UsageError(f"${name} is no token: it has spaces or characters that no token has")
        if value:
            return value
    return None


def request(
    method: str, url: str, *, token: str, header: str, body: object = None
) -> tuple[Any, Mapping[str, str]]:
    """Return what the API at `url` answers (JSON, decoded) and its headers.

    `header` names the one that carries the `token`, with what stands before it: `Authorization: Bearer`.
    Raises `ApiError`, without the token.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise UsageError(f"{redact_url(url)}: a token is sent over https only")
    name, _, before = header.partition(": ")
    content = None if body is None else json.dumps(body).encode()
    ask = urllib.request.Request(  # noqa: S310 - https only, see above
        url,
        data=content,
        method=method,
        headers={
            name: f"{before} {token}".strip(),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "ethrex-perf",
        },
    )
    said = ""
    try:
        with _OPENER.open(ask, timeout=_TIMEOUT_S) as answer:
            return _decoded(answer.read(_MOST)), answer.headers
    except urllib.error.HTTPError as error:
        with error, contextlib.suppress(OSError, http.client.HTTPException):  # cut off: its status is enough
            said = message(_decoded(error.read(_MOST)))
        said = said or str(error.reason)
        raise ApiError(redact(f"{said} (HTTP {error.code})", [token]), error.code) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ApiError(redact(f"{redact_url(url)} can't be reached: {reason}", [token])) from None


def message(answer: Any) -> str:
    """Return what an API says of an error in the JSON that it answers, empty where it says nothing."""
    if isinstance(answer, dict):
        said = answer.get("message") or answer.get("error") or answer.get("errors") or ""
        if isinstance(said, list) and said and isinstance(said[0], dict):
            said = said[0].get("message", "")
        return " ".join(str(said).split())[:300]
    return ""


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
