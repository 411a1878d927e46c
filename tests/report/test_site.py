"""The static site of a history."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline.change_points import with_changes
from pytest_ethrex_perf.records.history import BlockHistory, History, HistoryEpoch, Release
from pytest_ethrex_perf.report import site
from tests.baseline import years

if TYPE_CHECKING:
    from collections.abc import Iterable

METRICS = ("exec", "prep", "instructions")
HOSTILE = '</svg><script>alert("1")</script>\x1b[31m'


def made(*blocks: BlockHistory, releases: Iterable[Release] = ()) -> dict[str, str]:
    history = years.history(*(with_changes(block, METRICS) for block in blocks))
    return dict(site.pages(msgspec.structs.replace(history, releases=tuple(releases)), METRICS))


class Reader(HTMLParser):
    """What a page links to, its ids, its texts and the labels of its pictures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [value for name in ("href", "src") if (value := given.get(name))]
        self.ids += [value for name in ("id",) if (value := given.get(name))]
        if tag == "svg" and "aria-hidden" not in given:
            self.labels.append(given["aria-label"] or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def year() -> dict[str, str]:
    block = years.year((90, 5), (180, -4), (270, 8), epochs=[(95, "EIP-7702")], metrics=METRICS)
    sessions = list(block.sessions)
    sessions[130] = msgspec.structs.replace(sessions[130], tags=("v8",), note="after an update")
    sessions[200] = msgspec.structs.replace(sessions[200], waived={"prep": "until the fork"})
    return made(
        msgspec.structs.replace(block, sessions=tuple(sessions)),
        years.year(block="workload/keccak,gas=30M,seed=0"),
        releases=[Release(name="v9.0.0", date=years.START.isoformat()[:10] + "T05:00:00+00:00", commit="ab")],
    )


def test_every_link_leads_to_a_page_or_a_change(year: dict[str, str]) -> None:
    assert set(year) == {
        "index.html",
        "blocks/mainnet-24443168/bench-ethrex.html",
        "blocks/workload-keccak-gas30M-seed0/bench-ethrex.html",
    }
    for name, page in year.items():
        for link in Reader(page).links:
            path, _, anchor = link.partition("#")
            target = os.path.normpath(PurePosixPath(name).parent / path)
            assert target in year
            assert not anchor or anchor in Reader(year[target]).ids


def test_the_page_of_a_block_shows_what_changed_and_what_happened(year: dict[str, str]) -> None:
    page = Reader(year["blocks/mainnet-24443168/bench-ethrex.html"])
    text = " ".join(" ".join(page.texts).split())
    assert "ethrex-perf bisect " in text
    for words in ("accepted on 2026-04-06: EIP-7702", "tagged v8", "prep waived: until the fork", "v9.0.0"):
        assert words in text
    assert re.search(r"instructions \+8\.\d % .* more between", text)
    charts = [label.split(" of ")[0] for label in page.labels]
    assert charts == ["exec", "Ggas/s", "prep", "instructions"]
    assert "exec +5.0 %" in page.labels[0]


def test_the_first_page_begins_with_the_open_slowdowns(year: dict[str, str]) -> None:
    page = Reader(year["index.html"])
    text = " ".join(" ".join(page.texts).split())
    assert "2 histories, 9 changes, 3 open slowdowns" in text
    assert text.index("exec +8.") < text.index("Blocks")
    assert "workload/keccak,gas=30M,seed=0 on bench" in text


def test_nothing_is_loaded_and_no_script_may_run(year: dict[str, str]) -> None:
    for page in year.values():
        assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'" in page
        assert {"script", "img", "iframe", "object"} & set(Reader(page).tags) == set()
        assert "http://" not in page
        assert "https://" not in page


def test_text_from_outside_is_text() -> None:
    block = years.year((90, 8), (200, -6), nights=300)
    sessions = list(block.sessions)
    sessions[5] = msgspec.structs.replace(
        sessions[5], note=HOSTILE, tags=(HOSTILE,), commit=HOSTILE, waived={"exec": HOSTILE}
    )
    block = msgspec.structs.replace(
        block, sessions=tuple(sessions), epochs=(HistoryEpoch(started=sessions[95].started, reason=HOSTILE),)
    )
    releases = [Release(name=HOSTILE, date=sessions[40].started, commit=HOSTILE)]
    for page in made(block, releases=releases).values():
        assert "<script" not in page
        assert "\x1b" not in page


def test_the_first_page_of_many_blocks_is_small() -> None:
    block = years.year(nights=365)
    blocks = [msgspec.structs.replace(block, block=f"mainnet/{number}") for number in range(500)]
    pages = site.pages(History(version="1", blocks=tuple(blocks)), ("exec",))
    assert len(next(pages)[1]) < 700_000


def test_a_block_of_one_session_has_a_page() -> None:
    pages = made(years.year(nights=1))
    assert "None was found." in pages["blocks/mainnet-24443168/bench-ethrex.html"]
    assert "1 history, 0 changes, no open slowdown" in pages["index.html"]


def test_the_feed_is_linked() -> None:
    history = years.history(years.year(nights=1))
    index = dict(site.pages(history, METRICS, PurePosixPath("changes.atom")))["index.html"]
    assert '<link rel="alternate" type="application/atom+xml" title="changes" href="changes.atom">' in index
