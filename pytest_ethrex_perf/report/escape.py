"""Text from outside – program output, file names, reasons, labels – made harmless for where it lands.

HTML needs nothing here: its template escapes every value.
"""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_\[\]<>|~$&#!])")
_LINE_START = re.compile(r"^(\d*)([-+=.)])")
_REFERENCE = re.compile(r"([@#])(?=\w)")
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_CI_COMMAND = re.compile(r"(?<!\S)::|##(?=\w*\[)")
"""What makes a line of output a command to GitHub's or Azure's CI: `::error`, `##[error]`, `##vso[…]`. Words
count, not lines: where a line is wrapped is decided later."""
_MOVING = re.compile("[\r\x85\u2028\u2029]")
_FORMULA = ("=", "+", "-", "@")
_SILENT = "\u200b"  # zero-width space


def plain(text: str) -> str:
    """`text` without control characters and what turns the direction of writing round: each as `#x1B`.

    What is left may stand in XML 1.0 (section 2.2), where an escape sequence would make a file unreadable.
    """
    return _CONTROL.sub(_code, text)


def shown(text: str) -> str:
    """`text` for a terminal and for the log of a CI: `plain`, and nothing in it is taken for a command.

    Line feeds and tabs stay; what else would begin a line, or write over it, is a code, too.
    """
    return _MOVING.sub(_code, _CI_COMMAND.sub(_code, plain(text)))


def _code(match: re.Match[str]) -> str:
    """The first character as `#x1B`, the others as they are."""
    return f"#x{ord(match[0][0]):02X}{match[0][1:]}"


def line(text: str, most: int | None = None) -> str:
    """`plain` in one line of at most `most` characters."""
    content = " ".join(plain(text).split())
    return content if most is None or len(content) <= most else f"{content[: most - 1]}…"


def markdown(text: str, most: int | None = None) -> str:
    """`text` as words of GitHub's Markdown: no markup, no HTML, no link, no mention, no issue reference."""
    escaped = _MARKUP.sub(r"\\\1", line(text, most))
    return silent(_LINE_START.sub(r"\1\\\2", escaped))


def silent(text: str) -> str:
    """`text` that notifies nobody and links nowhere: `@name`, `#1` and URLs broken up by a zero-width space.

    As Renovate does it: GitHub looks for those in the page that it has made, so no way of escaping stops it.
    """
    broken = _REFERENCE.sub(rf"\1{_SILENT}", text)
    return broken.replace("://", f":{_SILENT}//").replace("www.", f"www{_SILENT}.")


def code(text: str, most: int | None = None) -> str:
    """`text` as a code span of Markdown, fenced by more backticks than it holds; not for tables."""
    content = line(text, most)
    fence = "`" * (1 + max(map(len, re.findall("`+", content)), default=0))
    return f"{fence} {content} {fence}" if "`" in content or not content else f"{fence}{content}{fence}"


def csv(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    content = line(text)
    return f"'{content}" if content.startswith(_FORMULA) else content
