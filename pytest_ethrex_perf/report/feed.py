"""An Atom feed of a history: an entry for each change, the newest first.

Format: RFC 4287. Ids are UUIDs made of the ids of changes: they stay what they are as the history grows.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree as ET

from pytest_ethrex_perf.records import moment
from pytest_ethrex_perf.report import escape, site, timeline_text

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.history import BlockHistory, History, HistoryChange

_ATOM = "http://www.w3.org/2005/Atom"
_MOST = 200
"""Entries: readers keep what they have seen."""
_OURS = uuid.uuid5(uuid.NAMESPACE_URL, "ethrex-perf history")


def dump(history: History, base: str) -> bytes:
    """Return the feed; `base` is where the site is: a URL, or a path from the feed, ending in a slash."""
    feed = ET.Element("feed", xmlns=_ATOM)
    _text(feed, "title", "ethrex-perf: changes of performance")
    _text(feed, "id", _OURS.urn if "://" not in base else uuid.uuid5(uuid.NAMESPACE_URL, base).urn)
    newest = max(_utc(block.sessions[-1].started) for block in history.blocks)
    _text(feed, "updated", newest)
    _text(ET.SubElement(feed, "author"), "name", "ethrex-perf")
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=quote(base, "/:%") + site.INDEX)
    changes = [(block, change) for block in history.blocks for change in block.changes]
    changes.sort(key=lambda pair: _utc(pair[1].start.started), reverse=True)
    for block, change in changes[:_MOST]:
        _entry(feed, block, change, quote(base, "/:%"))
    ET.indent(feed)
    content: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _entry(feed: ET.Element, block: BlockHistory, change: HistoryChange, base: str) -> None:
    entry = ET.SubElement(feed, "entry")
    _text(entry, "title", f"{block.block} on {block.machine}: {timeline_text.headline(change)}")
    _text(entry, "id", uuid.uuid5(_OURS, change.id).urn)
    _text(entry, "updated", _utc(change.after.started))
    href = f"{base}{quote(site.page_path(block))}#{change.id}"
    ET.SubElement(entry, "link", rel="alternate", type="text/html", href=href)
    command = f"\n{change.bisect}" if change.bisect and change.accepted is None else ""
    _text(entry, "summary", f"{timeline_text.sentence(change)}{command}")


def _text(parent: ET.Element, name: str, content: str) -> None:
    element = ET.SubElement(parent, name)
    element.text = escape.plain(content)


def _utc(text: str) -> str:
    """`2026-03-01T02:00:00Z`, as RFC 3339 writes a time."""
    return moment.utc(text).strftime("%Y-%m-%dT%H:%M:%SZ")
