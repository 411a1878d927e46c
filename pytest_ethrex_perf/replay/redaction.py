"""Keeping RPC URLs out of everything that is shown or kept: they carry keys in credentials, path or query."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, quote, quote_plus, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HIDDEN = "<redacted>"
SECRET_VARIABLES = ("ETHREX_RPC_URL", "RPC_URL", "SLACK_WEBHOOK_URL")
"""Variables of our environment whose values no file and no report may hold."""
_SCHEMES = ("http", "https", "ws", "wss")
_URL = re.compile(r"\b(?:https?|wss?)://[^\s\"'<>`|),]+", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    r"(?P<name>\bauthorization\b[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|digest)\s+)[^\s\"',;)]+", re.IGNORECASE
)
_AS_GIVEN = "surrogateescape"  # bytes of our environment that are no UTF-8
_TELLING = 8  # characters: shorter segments of a path (`v2`, `mainnet`) are no keys


def redact_url(url: str) -> str:
    """Return scheme, host and port of `url` only; `<redacted>` where it is not an http(s) or ws(s) URL."""
    parts = _split(url)
    if parts is None:
        return HIDDEN
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme.lower()}://{host}{port}"


class Redactor:
    """Scrubs text of the given secrets (URLs as the user gave them, mostly).

    Gone are: each secret as given; credentials, path, long path segments and query values of a URL, plain and
    percent-encoded, and its credentials as a header carries them (base64); any http(s)/ws(s) URL with
    credentials, with a query, or on a secret URL's host; and whatever an Authorization header holds. What
    cannot be written in UTF-8, a byte of a file's name that is none, is made plain.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        literals: dict[str, str] = {}
        for secret in filter(None, (secret.strip() for secret in secrets)):
            literals[secret] = redact_url(secret)
            parts = _split(secret)
            if parts is not None:
                self._hosts.add((parts.hostname or "").lower())
                literals |= dict.fromkeys(_pieces(parts), HIDDEN)
        self._literals = {form: shown for text, shown in literals.items() for form in _forms(text)}

    def __call__(self, text: str) -> str:
        """Return `text` without the secrets."""
        # the longest first, or a piece would be taken out of the middle of a whole
        present = sorted((literal for literal in self._literals if literal in text), key=len, reverse=True)
        if present:
            text = re.sub("|".join(map(_bounded, present)), lambda match: self._literals[match[0]], text)
        text = _AUTHORIZATION.sub(rf"\g<name>{HIDDEN}", _URL.sub(self._shown, text))
        return text.encode(errors="backslashreplace").decode()

    def _shown(self, match: re.Match[str]) -> str:
        parts = _split(match[0])
        if parts is None:
            return HIDDEN
        telling = "@" in parts.netloc or bool(parts.query)
        return redact_url(match[0]) if telling or (parts.hostname or "") in self._hosts else match[0]


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """Return the secrets that an environment holds."""
    return [environ[name] for name in SECRET_VARIABLES if environ.get(name)]


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without the secrets; see `Redactor`."""
    return Redactor(secrets)(text)


def redact_words(value: object, redact: Callable[[str], str]) -> object:
    """The plain data `value` (dicts, lists, numbers, text) with every text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact_words(key, redact): redact_words(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_words(item, redact) for item in value]
    return value


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    return parts if parts.scheme.lower() in _SCHEMES and parts.hostname else None


def _pieces(parts: SplitResult) -> set[str]:
    """Return what must not be seen of a URL even alone, as when a program prints its URL field by field."""
    credentials = parts.netloc.rpartition("@")[0]
    pieces = {credentials, *credentials.split(":", 1), parts.query, parts.fragment}
    pieces |= _in_base64(credentials)
    pieces |= {value for _, value in parse_qsl(parts.query)}
    if len(parts.path) > _TELLING:
        pieces |= {parts.path, parts.path.strip("/")}
    pieces |= {segment for segment in parts.path.split("/") if len(segment) >= _TELLING}
    return pieces - {""}


def _in_base64(credentials: str) -> set[str]:
    """`user:password` as `Authorization: Basic` has it (RFC 7617), with and without the padding."""
    if not credentials:
        return set()
    content = unquote(credentials).encode(errors=_AS_GIVEN)
    encoded, safe = base64.b64encode(content).decode(), base64.urlsafe_b64encode(content).decode()
    return {form.rstrip("=") for form in (encoded, safe)}


def _forms(text: str) -> set[str]:
    plain = unquote(text)
    quoted = {quote(plain, errors=_AS_GIVEN), quote_plus(plain, errors=_AS_GIVEN)}
    quoted |= {quote(each, safe="", errors=_AS_GIVEN) for each in (plain, text)}
    return {text, plain, *quoted} - {""}


def _bounded(text: str) -> str:
    """Match a short `text` as a word of its own only: the user `eth` must not eat up `ethrex`."""
    if len(text) >= _TELLING:
        return re.escape(text)
    before = r"(?<!\w)" if re.match(r"\w", text) else ""
    after = r"(?!\w)" if re.search(r"\w$", text) else ""
    return f"{before}{re.escape(text)}{after}"
