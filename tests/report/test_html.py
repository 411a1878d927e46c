"""The page: self-contained, free of what others wrote into it, and alive in a browser."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
import pytest
from selenium.webdriver.support.wait import WebDriverWait

from pytest_ethrex_perf.report import html
from tests.report import browser, builders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.result import RunResult

SIZES = {"phone": (390, 844), "tablet": (700, 900), "desktop": (1280, 900)}


class Reader(HTMLParser):
    """Collects tags with their attributes, and words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "index.html"
    file.write_text(html.dump(builders.several()), encoding="utf-8")
    return file


# --- what is written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [builders.one, builders.several, builders.profiled, builders.hostile])
def test_nothing_is_loaded_from_anywhere(run: Callable[[], RunResult]) -> None:
    tags = Reader(html.dump(run())).tags
    assert not [tag for tag, _ in tags if tag in ("img", "link", "iframe", "object", "base", "a")]
    assert not [attrs for _, attrs in tags if {"src", "href", "style", "srcset"} & set(attrs)]
    scripts = [attrs for tag, attrs in tags if tag == "script" and attrs.get("type") != "application/json"]
    assert len(scripts) == (3 if run().blocks[0].profile else 2)


def test_hostile_text_is_text() -> None:
    told = html.dump(builders.hostile())
    reader = Reader(told)
    assert "<script>alert(1)</script>" in "".join(reader.words)
    assert not re.search(r"[\x00-\x08\x1b\u202e]", told)
    assert told.lower().count("</noscript") == len(builders.hostile().blocks)  # it would end the details
    assert not [attrs for _, attrs in reader.tags if any(name.startswith("on") for name in attrs)]


def test_every_block_and_number_is_there() -> None:
    run = builders.several()
    words = "".join(Reader(html.dump(run)).words)
    for block in run.blocks:
        assert block.block in words
        assert block.reproduce in words
        for told in (*block.notes, block.error, block.skipped, block.recorded):
            assert (told or "") in words
    assert "EIP-7702 checks, #6207" in words
    assert "AMD EPYC 9454P" in words


def test_the_whole_history_is_drawn_epoch_by_epoch_and_this_session_at_its_end() -> None:
    block = builders.from_baseline(1, 0.12)
    told = html.dump(builders.run([block]))
    words = "".join(Reader(told).words)
    assert "epoch 2 since 2025-11-11: flat trie layer, #5120; epoch 3 since" in words
    assert "exec: the baseline's history, 3 epochs, and this session" in words
    chart = next(svg for svg in told.split("<svg") if "history, 3 epochs" in svg.partition(">")[0])
    assert chart.count('<circle class="base"') == 13
    assert chart.count('<circle class="head"') == 1
    assert chart.count('<path class="epoch"') == 2
    assert chart.index('<circle class="head"') > chart.rindex('<circle class="base"')
    assert "session 00000000008f, tagged v7.0.0, 10 invocations: 71.21 ms" in chart


def test_results_of_older_versions_have_no_history_and_are_drawn() -> None:
    block = msgspec.structs.replace(builders.from_baseline(1, 0.12), history=())
    assert "the baseline's history" not in html.dump(builders.run([block])).replace("&#39;", "'")


def test_a_run_without_blocks_is_a_page_too() -> None:
    assert "no blocks" in html.dump(builders.run([]))


def test_charts_are_drawn_of_one_pair_and_of_values_that_are_all_the_same() -> None:
    block = builders.interleaved(1, 0.0, noise=0.0)
    assert html.dump(builders.run([block])).count('<svg class="chart"') == 6


# --- in a browser -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_the_window(
    page: browser.Page, several: Path, tmp_path: Path, size: str, *, dark: bool
) -> None:
    page.show(several, *SIZES[size], dark=dark)
    page.run("bodies.forEach((one) => open(one, true))")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.run("document.documentElement.scrollWidth") == SIZES[size][0]
    assert page.complaints() == []
    background = str(page.run("getComputedStyle(document.body).backgroundColor"))
    assert (sum(map(int, re.findall(r"\d+", background))) < 3 * 64) == dark
    picture = page.picture()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000  # one colour alone would be less
    (tmp_path / "picture.png").write_bytes(picture)


def test_sort(page: browser.Page, several: Path) -> None:
    page.show(several)
    assert page.texts("button.open")[:2] == ["mainnet/24443173", "mainnet/24443168"]
    page.one("[data-sort=block]").click()
    names = page.texts("button.open")
    assert names == sorted(names)
    assert page.one("th.block").get_attribute("aria-sort") == "ascending"
    page.one("[data-sort=block]").click()
    assert page.texts("button.open") == names[::-1]
    page.one("[data-sort=delta]").click()
    # of a block with several metrics the largest change counts
    blocks = {name: page.texts(f"tbody[data-block='{name}'] td.delta") for name in page.texts("button.open")}
    deltas = [max(float(text.rstrip(" %")) for text in texts) for texts in blocks.values() if texts]
    assert deltas == sorted(deltas, reverse=True)
    # blocks without a delta stay at the end, whichever way
    assert {page.texts("button.open")[-1], page.texts("button.open")[-2]} <= {
        "mainnet/24443175",
        "mainnet/24443177",
        "mainnet/24443176",
    }
    page.one("[data-sort=delta]").click()
    assert page.texts("button.open")[0] == "mainnet/24443169"


def test_filter(page: browser.Page, several: Path) -> None:
    page.show(several)
    page.one("#filter").send_keys("hoodi")
    assert page.texts("button.open") == ["hoodi/1265656"]
    assert page.one("#shown").text == "1 of 11 blocks"
    page.one("#filter").send_keys(" nothing")
    assert page.texts("button.open") == []
    assert page.one("#nothing").text == "No block is like that."
    page.one("#filter").clear()
    page.one(".chip.error").click()
    page.one(".chip.inconclusive").click()
    assert page.texts("button.open") == ["mainnet/24443176", "mainnet/24443172"]
    page.one(".chip.error").click()
    assert page.texts("button.open") == ["mainnet/24443172"]


def test_open_a_block(page: browser.Page, several: Path) -> None:
    page.show(several)
    assert page.all("article") == []
    button = next(one for one in page.all("button.open") if one.text == "mainnet/24443172")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    assert len(page.all("article svg.chart")) == 4
    assert len(page.all("svg.chart circle.estimate")) == 4  # one a look
    assert len(page.all("svg.chart circle.estimate.open")) == 3
    page.one("article details:nth-of-type(2) summary, article > details summary").click()
    assert len(page.all("article svg.chart")) == 6
    page.run("scrollTo(0, 0)")  # the button was below what stays in view
    button.click()
    assert page.all("article") == []


def test_warnings_and_what_was_measured_stand_under_the_verdict() -> None:
    block = msgspec.structs.replace(builders.profiled().blocks[0], notes=("the machine was noisy",))
    page = html.dump(builders.run([block]))
    places = [
        page.index(part)
        for part in ("exec is 4.7 % slower", "the machine was noisy", "What was measured, each side")
    ]
    assert places == sorted(places)
    assert places[-1] < page.index('<svg class="chart"', places[0]) < page.index('<figure class="flamegraph"')


def test_headings_follow_each_other_and_tables_have_captions_and_row_headers() -> None:
    for run in (builders.several(), builders.profiled()):
        tags = Reader(html.dump(run)).tags
        levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
        names = [tag for tag, _ in tags]
        tables = [index for index, name in enumerate(names) if name == "table"]
        assert {names[index + 1] for index in tables} == {"caption"}
        for start, end in itertools.pairwise([*tables, len(tags)]):
            assert any(attributes.get("scope") == "row" for _, attributes in tags[start:end])


def test_charts_have_text_alternatives_with_their_intervals() -> None:
    block = builders.interleaved(1, 0.05)
    tags = Reader(html.dump(builders.run([block]))).tags
    labels = [
        str(attributes["aria-label"]) for tag, attributes in tags if tag == "svg" and "role" in attributes
    ]
    change = r"[+-][\d.]+ %"
    interval = rf"{change} to {change}"
    patterns = [
        "axis of changes",
        rf"{change}, 95 % interval {interval}, deciding {interval}",
        r".*: base [\d.]+ ms \([\d.]+ ms to [\d.]+ ms\); head [\d.]+ ms \([\d.]+ ms to [\d.]+ ms\)",
        r"exec: share of invocations at or below each time .*: base [\d.]+ ms .* head [\d.]+ ms \(.*\)",
        rf".*: after 10 pairs {change}, interval {interval}",
    ]
    for pattern in patterns:
        assert any(re.fullmatch(pattern, label) for label in labels), pattern


def test_phases_of_both_sides_have_their_change_and_its_interval() -> None:
    told = html.dump(builders.run([builders.interleaved(1, 0.05)]))
    row = told.split('<th scope="row">merkle')[1].split("<tr")[0]
    assert re.search(r"<span>\+5\.\d %</span><span class=\"quiet\">\[\+\d\.\d, \+\d\.\d\]</span>", row)
    assert re.search(r'aria-label="\+5\.\d %, 95 % interval \+\d\.\d % to \+\d\.\d %"', row)


def test_the_head_of_the_table_stays_in_view(page: browser.Page, several: Path) -> None:
    page.show(several)
    page.run("open(bodies[0], true)")
    page.run("scrollTo(0, 1200)")
    below = "document.querySelector('.controls').getBoundingClientRect().bottom"
    gap = f"document.querySelector('#overview th').getBoundingClientRect().top - {below}"
    assert page.run(f"Math.abs({gap}) < 1")


@pytest.mark.parametrize("width", [700, 800])
def test_it_is_a_table_down_to_700_pixels(page: browser.Page, several: Path, width: int) -> None:
    page.show(several, width)
    assert page.texts("#overview > thead th")[:2] == ["Block", "Verdict"]
    row = "document.querySelector('#overview tr.row')"
    assert page.run(f"getComputedStyle({row}).display") == "table-row"
    assert page.run("document.documentElement.scrollWidth") == width


def test_printing_opens_the_blocks_that_failed(page: browser.Page, several: Path) -> None:
    page.show(several)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert [article.get_attribute("aria-label") for article in page.all("article")] == [
        "mainnet/24443173",
        "mainnet/24443168",
        "mainnet/24443176",
    ]
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.all("article") == []


def test_a_long_name_of_a_function_is_readable_whole(page: browser.Page, tmp_path: Path) -> None:
    block = builders.profiled().blocks[0]
    explanation = block.explanation
    assert explanation is not None
    name = "ethrex_trie::node::" + "Very<" * 40 + "Node" + ">" * 40 + "::encode"
    longest = msgspec.structs.replace(explanation.functions[0], name=name)
    changed = msgspec.structs.replace(explanation, functions=(longest,))
    file = tmp_path / "index.html"
    block = msgspec.structs.replace(block, explanation=changed)
    file.write_text(html.dump(builders.run([block])), encoding="utf-8")
    for width in (390, 1920):
        page.show(file, width)
        cell = page.one(".changes tbody th code")
        assert cell.text == name
        room = "document.querySelector('.changes').parentElement"
        assert page.run(f"{room}.scrollWidth <= {room}.clientWidth")


def test_flamegraphs_use_a_wide_window(page: browser.Page, profiled: Path) -> None:
    page.show(profiled, 1920)
    page.run("open(bodies[0], true)")
    frames = "document.querySelector('.flamegraph-frames')"
    assert page.run(f"{frames}.clientWidth > 1700")


def test_a_link_opens_its_block(page: browser.Page, several: Path) -> None:
    page.show(several)
    page.run("location.hash = document.querySelector('tbody:nth-of-type(3)').id")
    assert (
        page.run(
            "new Promise((done) => setTimeout(() => done(document.querySelectorAll('.opened').length), 50))"
        )
        == 1
    )


def test_an_address_that_ends_in_nonsense_is_a_page_all_the_same(page: browser.Page, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(html.dump(builders.one()), encoding="utf-8")
    page.driver.get(f"{file.as_uri()}#%E0%")
    assert page.all("article")
    assert page.complaints() == []


def test_hostile_text_does_nothing_in_a_browser(page: browser.Page, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(html.dump(builders.hostile()), encoding="utf-8")
    page.show(file)  # an alert would make every later command fail
    for button in page.all("button.open"):
        button.click()
    assert page.complaints() == []
    assert page.run("document.scripts.length") == 5  # three that run, two that are data


def test_details_are_drawn_when_they_are_opened(page: browser.Page, several: Path) -> None:
    page.show(several)
    charts = "document.querySelectorAll('svg.chart').length"
    assert page.run(charts) == 0
    page.run("open(bodies[0], true)")
    drawn = page.run(charts)
    assert drawn == 6
    page.run("open(bodies[0], false)")
    page.run("open(bodies[0], true)")
    assert page.run(charts) == drawn


def test_without_its_script_everything_is_there(page: browser.Page, several: Path) -> None:
    with page.without_scripts():
        page.show(several)
        assert len(page.all("article")) == 11


# --- many blocks --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that keeps the details of its worst block as they are."""
    file = tmp_path_factory.mktemp("report") / "index.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "_PLAIN", 50_000)
        file.write_text(html.dump(builders.several()), encoding="utf-8")
    return file


def test_500_blocks_are_less_than_4_megabytes() -> None:
    assert len(html.dump(builders.many(500)).encode()) < 4_000_000


def test_compressed_details_are_inflated_when_they_are_opened(
    page: browser.Page, several: Path, compressed: Path
) -> None:
    texts = []
    for file in (several, compressed):
        page.show(file)
        page.run("open(bodies[6], true)")
        WebDriverWait(page.driver, 30, 0.02).until(lambda _: page.all("article"))
        texts.append(page.run("document.querySelector('article').outerHTML"))
    assert texts[0] == texts[1]
    assert page.complaints() == []


def test_printing_opens_failing_blocks_that_are_compressed(page: browser.Page, compressed: Path) -> None:
    page.show(compressed)
    failed = "tbody[data-failed] [data-packed]"
    assert compressed.read_text(encoding="utf-8").count(' data-packed="') == 10
    WebDriverWait(page.driver, 30, 0.02).until(
        lambda _: not page.driver.find_elements("css selector", failed)
    )
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert len(page.all("article")) == 3


def test_without_its_script_the_worst_blocks_are_there_and_it_says_so(
    page: browser.Page, compressed: Path
) -> None:
    with page.without_scripts():
        page.show(compressed)
        assert len(page.all("article")) == 1
        assert page.one("noscript p").text == (
            "Details of the worst block are below; those of the other 10 blocks are compressed and need "
            "JavaScript. ethrex-perf report RESULTS.json --samples-csv FILE writes what was measured of all."
        )


def test_100_blocks_are_sorted_and_filtered(page: browser.Page, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(html.dump(builders.many(100)), encoding="utf-8")
    page.show(file)
    page.one("[data-sort=block]").click()
    assert page.run("document.querySelector('button.open').textContent") == "mainnet/24000000"
    page.one("#filter").send_keys("24000077")
    assert page.one("#shown").text == "1 of 100 blocks"


# --- profiled -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def profiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "index.html"
    run = builders.profiled()
    other = builders.interleaved(24443169, 0.0)
    file.write_text(html.dump(builders.run([*run.blocks, other])), encoding="utf-8")
    return file


def test_a_page_without_a_profile_holds_nothing_of_flamegraphs() -> None:
    assert "flamegraph" not in html.dump(builders.several())


def test_the_function_that_changed_is_in_the_page(page: browser.Page, profiled: Path) -> None:
    page.show(profiled)
    page.one("button.open").click()
    assert page.texts(".changes tbody tr")[0].startswith("+2.70 ")
    assert "ethrex_trie::node::Node::encode" in page.texts(".changes tbody tr")[0]
    assert page.texts("figure.flamegraph figcaption") == [
        "base against head, execution: CPU ms per block",
        "head, execution: CPU ms per block",
    ]


def test_flamegraphs_in_the_page_are_searched_and_zoomed(page: browser.Page, profiled: Path) -> None:
    page.show(profiled)
    page.one("button.open").click()  # drawn anew as soon as they have a width
    both, head = page.all("figure.flamegraph")
    frames = ".flamegraph-frames div"

    def drawn(selector: str = frames) -> list[str]:
        return [box.text for box in both.find_elements("css selector", selector)]

    def until(ready: Callable[[], object]) -> None:
        WebDriverWait(page.driver, 30, 0.02).until(lambda _: ready())

    until(lambda: "ethrex_trie::node::Node::encode" in drawn())
    whole = drawn()
    both.find_element("css selector", "input").send_keys("node::encode")
    assert drawn(".found") == ["ethrex_trie::node::Node::encode"]
    assert both.find_element("css selector", "output").text == "9 → 11.7 ms"
    thread = next(
        box for box in both.find_elements("css selector", frames) if box.text.startswith("block_executor_")
    )
    thread.click()
    assert "malloc" not in drawn()
    assert both.find_element("css selector", ".flamegraph-detail").text == (
        "block_executor_ (handle_merkleization) – 9 → 11.7 ms: +2.70 ± 0.788"
    )
    both.find_element("css selector", "button").click()
    assert drawn() == whole
    head.find_element("css selector", "input").send_keys("malloc")
    assert head.find_element("css selector", "output").text == "2.70 ms, 12.0 %"
    assert page.complaints() == []


@pytest.mark.parametrize("size", SIZES)
def test_a_profiled_block_fits_every_screen(page: browser.Page, profiled: Path, size: str) -> None:
    page.show(profiled, *SIZES[size])
    page.one("button.open").click()
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
