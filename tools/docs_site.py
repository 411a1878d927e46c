"""Hooks of MkDocs: parts that have a source elsewhere, links out of docs/, and nothing from other hosts."""

from __future__ import annotations

import functools
import logging
import posixpath
import re
from pathlib import PurePosixPath
from typing import Any, Final

from tools.docs_reference import PARTS, ROOT

PAGES: Final = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}
"""Files outside docs/ that are pages of the site, too."""
_log: Final = logging.getLogger("mkdocs.hooks.docs_site")  # a warning of it fails a strict build
_PART: Final = re.compile(r"^<!-- made: (\S+) -->.*$", re.MULTILINE)
_FENCED: Final = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[([^\[\]]+)\]\(([^()\s#:]+)(#[^()\s]*)?\)")
_LOADED: Final = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//[^"'>\s]+"""
    r"""|<link\b[^>]*rel=["']?(?:stylesheet|preload|preconnect|icon)\b[^>]*href=["']?(?:https?:)?//[^"'>\s]+"""
)


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Fill in the page's parts, and lead its links to where the site has their files."""
    return site_markdown(markdown, page.file.src_uri)


def on_post_page(output: str, *, page: Any, **_: object) -> str:
    """Warn of what a browser would fetch from another host."""
    for loaded in _LOADED.findall(output):
        _log.warning("%s loads from another host: %s", page.file.src_uri, loaded)
    return output


def site_markdown(markdown: str, page: str) -> str:
    """The Markdown that the site shows as `page`, a path in docs/."""
    text = _linked(markdown, PurePosixPath("docs") / page, page)
    return _PART.sub(lambda match: _part(match[1], page), text)


def _part(name: str, page: str) -> str:
    if name in PAGES:
        return _linked((ROOT / name).read_text(), PurePosixPath(name), page)
    if name not in PARTS:
        _log.warning("%s: there is no part %r; there are %s", page, name, ", ".join((*PAGES, *PARTS)))
        return ""
    return PARTS[name]()


def _linked(markdown: str, file: PurePosixPath, page: str) -> str:
    """`markdown` of the repository's `file`, with links as `page` needs them; code stays as it is."""
    lead = functools.partial(_lead, file=file, page=page)
    pieces = _FENCED.split(markdown)
    return "".join(piece if piece.startswith("```") else _LINK.sub(lead, piece) for piece in pieces)


def _lead(link: re.Match[str], *, file: PurePosixPath, page: str) -> str:
    """One link: to a page of the site, or the text alone where the site does not have its file."""
    text, path, anchor = link[1], link[2], link[3] or ""
    target = posixpath.normpath(str(file.parent / path))
    if not (ROOT / target).exists():
        _log.warning("%s: there is no %s", file, path)
    inside = PAGES.get(target) or target.removeprefix("docs/")
    if inside == target:
        return text
    return f"[{text}]({posixpath.relpath(inside, posixpath.dirname(page) or '.')}{anchor})"
