"""The Atom feed of a history, by RFC 4287."""

from __future__ import annotations

import re
from datetime import datetime
from xml.etree import ElementTree as ET

import msgspec

from pytest_ethrex_perf.baseline.change_points import with_changes
from pytest_ethrex_perf.records.history import BlockHistory, HistoryEpoch
from pytest_ethrex_perf.report import feed
from tests.baseline import years

ATOM = "{http://www.w3.org/2005/Atom}"


def read(block: BlockHistory, base: str = "https://example.org/perf/") -> ET.Element:
    return ET.fromstring(feed.dump(years.history(with_changes(block, ["exec"])), base))


def test_it_has_what_a_feed_must_have() -> None:
    root = read(years.year((90, 5), (180, -4), (270, 8)))
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 3
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            (field,) = element.findall(f"{ATOM}{name}")
            assert field.text
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated", "")).tzinfo is not None
        assert element.findtext(f"{ATOM}id", "").startswith("urn:uuid:")
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "ethrex-perf"
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 3
    updated = [entry.findtext(f"{ATOM}updated", "") for entry in entries]
    assert updated == sorted(updated, reverse=True)
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    assert link.get("href", "").startswith(
        "https://example.org/perf/blocks/mainnet-24443168/bench-ethrex.html#"
    )


def test_a_title_has_a_word_or_a_sign_and_never_both() -> None:
    titles = read(years.year((90, 8), (180, -4))).findall(f"{ATOM}entry/{ATOM}title")
    faster, slower = (title.text or "" for title in titles)
    assert re.fullmatch(r"mainnet/24443168 on bench: exec \d\.\d % slower", slower)
    assert re.fullmatch(r"mainnet/24443168 on bench: exec \d\.\d % faster", faster)


def test_the_id_of_a_change_stays_as_the_history_grows() -> None:
    def first(nights: int) -> str | None:
        return read(years.year((90, 8), noise=0.003, nights=nights)).findtext(f"{ATOM}entry/{ATOM}id")

    assert first(100) == first(365) is not None


def test_an_unchanged_history_has_no_entries() -> None:
    assert read(years.year()).findall(f"{ATOM}entry") == []


def test_a_hostile_reason_is_text() -> None:
    block = years.year((90, 8))
    reason = "<script>\x1b]]></feed>"
    epoch = HistoryEpoch(started=block.sessions[95].started, reason=reason)
    root = read(msgspec.structs.replace(block, epochs=(epoch,)))
    assert root.findtext(f"{ATOM}entry/{ATOM}summary", "").endswith("<script>#x1B]]></feed>")
