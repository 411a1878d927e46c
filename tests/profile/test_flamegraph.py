from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.profile import artifacts, flamegraph, speedscope, stacks
from tests.profile import samples as made

if TYPE_CHECKING:
    from pathlib import Path

HEAD = {
    ("main", "ethrex_vm::run", "ethrex_vm::op_sload"): 30.0,
    ("main", "ethrex_vm::run", "ethrex_vm::op_call"): 10.0,
    ("main", "serde"): 20.0,
    ("rayon", "ethrex_vm::op_sload"): 39.99,
    ("rayon", "dust"): 0.01,
}
BASE = {**HEAD, ("main", "ethrex_vm::run", "ethrex_vm::op_sload"): 20.0, ("main", "gone"): 10.0}


def errors(error: float) -> dict[tuple[str, ...], float]:
    return dict.fromkeys(flamegraph.paths(BASE, HEAD), error)


def data(figure: str) -> Any:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', figure)
    return json.loads(text)


def found(figure: str, *path: str) -> tuple[float, float, float]:
    """Width, base and head of a frame."""
    content = data(figure)
    node = content["tree"]
    for name in path:
        node = next(child for child in node[4] if content["names"][child[0]] == name)
    return node[1], node[2], node[3]


def test_a_frame_is_as_wide_as_what_is_below_it() -> None:
    figure = flamegraph.graph("head", HEAD, unit="ms")
    assert found(figure) == (100, 0, 100)
    assert found(figure, "main", "ethrex_vm::run") == (40, 0, 40)
    assert found(figure, "rayon") == (40, 0, 40)


def test_frames_that_nobody_could_see_are_left_out_and_it_says_so() -> None:
    figure = flamegraph.graph("head", HEAD)
    with pytest.raises(StopIteration):
        found(figure, "rayon", "dust")
    assert "Frames below 0.05 % are left out." in figure
    assert "left out" not in flamegraph.graph("head", {("a",): 1.0})


def test_what_is_gone_keeps_its_place_in_a_differential_graph() -> None:
    figure = flamegraph.differential("both", BASE, HEAD, errors(1.0))
    assert found(figure, "main", "gone") == (10, 10, 0)
    assert found(figure, "main", "ethrex_vm::run") == (40, 30, 40)
    assert found(figure) == (110, 100, 100)


def test_names_cannot_break_out_of_the_page() -> None:
    evil = "</script><script>alert(1)</script><!--"
    page = flamegraph.page(evil, [flamegraph.graph(evil, {(evil, "<T as Trait>::f"): 1.0})])
    assert evil not in page
    assert "<!--" not in page
    (figure,) = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert evil in data(figure)["names"]


def test_a_page_needs_nothing_else() -> None:
    page = flamegraph.page("block", [flamegraph.graph("head", HEAD)])
    assert not re.search(r"""(?:src|href)=|@import|url\(|https?://""", page)
    assert "default-src 'none'" in page


# --- in a browser ------------------------------------------------------------------------------------------

DRIVE = """
<script>
const figure = document.querySelector("figure.flamegraph");
const boxes = () => [...figure.querySelectorAll(".flamegraph-frames div")];
const named = (name) => boxes().find((box) => box.textContent === name);
const said = () => figure.querySelector("output").textContent;
const search = (text) => {
  const input = figure.querySelector("input");
  input.value = text;
  input.dispatchEvent(new Event("input"));
};
const seen = {};
seen.drawn = boxes().map((box) => box.textContent);
seen.width = named("ethrex_vm::run").style.width;
seen.title = named("ethrex_vm::op_call").title;
const rgb = (box) => box.style.background.match(/\\d+/g).map(Number);
seen.colours = Object.fromEntries(boxes().map((box) => [box.title, rgb(box)]));
search("SLOAD");
seen.found = boxes().filter((box) => box.classList.contains("found")).length;
seen.share = said();
search("(");
seen.bad = figure.querySelector("input").classList.contains("bad");
search("nothing like it");
seen.nothing = said();
search("sload");
named("ethrex_vm::run").click();
seen.zoomed = boxes().map((box) => box.textContent);
seen.zoomedWidth = named("ethrex_vm::run").style.width;
seen.zoomedShare = said();
seen.above = boxes().filter((box) => box.classList.contains("above")).length;
figure.querySelector("button").click();
seen.back = boxes().length;
search("");
seen.cleared = said();
document.body.innerHTML = "";
const result = document.createElement("pre");
result.textContent = JSON.stringify(seen);
document.body.append(result);
</script>
</body>"""


def opened(page: str, directory: Path) -> Any:
    """Open a page in headless Chromium, drive it, and return what was seen."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed")
    file = directory / "flamegraph.html"
    file.write_text(page.replace("</body>", DRIVE), encoding="utf-8")
    arguments = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={directory / 'chromium'}", "--window-size=1200,800", "--dump-dom", file.as_uri()),
    ]
    done = subprocess.run([chromium, *arguments], capture_output=True, check=True, text=True)
    result = re.search(r"<pre>(.*)</pre>", done.stdout)
    assert result is not None, done.stderr
    return json.loads(result[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def test_a_browser_draws_searches_and_zooms(tmp_path: Path) -> None:
    seen = opened(flamegraph.page("block", [flamegraph.graph("head", HEAD, unit="ms")]), tmp_path)
    names = {"all", "main", "ethrex_vm::run", "ethrex_vm::op_call", "ethrex_vm::op_sload", "serde", "rayon"}
    assert names <= set(seen["drawn"])
    assert seen["width"] == "40%"
    assert seen["title"] == "ethrex_vm::op_call – 10 ms, 10.0 %"
    assert seen["found"] == 2
    assert seen["share"] == "70.0 ms, 70.0 %"
    assert seen["bad"]
    assert seen["nothing"] == "nothing found"
    assert seen["zoomed"] == ["all", "main", "ethrex_vm::run", "ethrex_vm::op_call", "ethrex_vm::op_sload"]
    assert seen["zoomedWidth"] == "100%"
    assert seen["zoomedShare"] == "30 ms, 75.0 %"
    assert seen["above"] == 2
    assert seen["back"] == len(seen["drawn"])
    assert seen["cleared"] == ""


def test_a_browser_shows_both_sides_of_a_difference(tmp_path: Path) -> None:
    figure = flamegraph.differential("both", BASE, HEAD, errors(2.0))
    seen = opened(flamegraph.page("block", [figure]), tmp_path)
    assert seen["title"] == "ethrex_vm::op_call – 10 → 10 ms: +0 ± 4, within noise"
    red, _, blue = seen["colours"]["ethrex_vm::op_sload – 20 → 30 ms: +10 ± 4"]
    assert red > blue
    red, _, blue = seen["colours"]["gone – 10 → 0 ms: −10 ± 4"]
    assert blue > red
    assert len(set(seen["colours"][seen["title"]])) == 1, "grey"
    assert seen["share"] == "60.0 → 70.0 ms"
    assert "gone" in seen["drawn"]


def test_a_browser_shows_a_program_against_itself_in_grey(tmp_path: Path) -> None:
    figure = flamegraph.differential("both", BASE, HEAD, errors(6.0))
    seen = opened(flamegraph.page("block", [figure]), tmp_path)
    assert all(len(set(colour)) == 1 for colour in seen["colours"].values()), seen["colours"]
    assert all(title.endswith("within noise") for title in seen["colours"])


# --- the change's scale and error --------------------------------------------------------------------------


def test_no_frame_beyond_noise_is_said_over_the_picture() -> None:
    sentence = "Nothing changed beyond noise: every frame is within two standard errors."
    assert sentence in flamegraph.differential("both", BASE, HEAD, errors(6.0))
    assert sentence not in flamegraph.differential("both", BASE, HEAD, errors(4.9))
    assert sentence not in flamegraph.differential("both", BASE, HEAD, {}), "the errors are not known"
    assert sentence not in flamegraph.graph("head", HEAD)


def test_as_few_frames_beyond_noise_as_chance_makes_are_said_to_be_so() -> None:
    frames: dict[tuple[str, ...], float] = {("main", f"f{number}"): 1.0 for number in range(40)}
    head = {**frames, ("main", "f7"): 1.5}
    known = {**dict.fromkeys(flamegraph.paths(frames, head), 0.3), ("main", "f7"): 0.1}
    figure = flamegraph.differential("both", frames, head, known)
    assert "Of 42 frames 1 is outside two standard errors; chance alone puts about one in twenty" in figure
    assert "Nothing changed" not in figure
    assert "chance alone" not in flamegraph.differential("both", frames, head, dict.fromkeys(known, 0.1))


@pytest.mark.parametrize(
    ("base", "scale"), [(100.0, 5), (60.0, 2), (16.7, 0.5), (4.1, 0.2), (0.31, 0.01), (300_000.0, 10_000)]
)
def test_the_scale_is_of_the_block_not_of_what_changed(base: float, scale: float) -> None:
    for head in (base, base * 3):
        path: tuple[str, ...] = ("main", "a")
        figure = flamegraph.differential("both", {path: base}, {path: head}, {})
        assert data(figure)["scale"] == scale
        assert f"faster: −{scale:,g} ms per block or more".replace(",", "") in figure
        assert f"slower: +{scale:g} ms or more" in figure


def test_a_program_against_itself_has_no_frame_that_changed() -> None:
    counts = {name: [samples] * 6 for name, samples in (("a", 9), ("b", 4), ("c", 1))}
    base, head = ([made.profile(made.executing(counts))] * 3 for _ in range(2))
    page = "".join(artifacts.figures(head, base))
    assert page.count("Nothing changed beyond noise") == 1
    kept = "".join(artifacts.figures_of(artifacts.summed_up(head, base)))
    assert kept.count("Nothing changed beyond noise") == 1


def test_a_results_file_keeps_the_error_of_every_frame() -> None:
    base = [made.profile(made.executing({"a": [9] * 4, "b": [4] * 4}))]
    head = [made.profile(made.executing({"a": [19] * 4, "b": [4] * 4}))]
    kept = artifacts.summed_up(head, base)
    assert len(kept.errors_ms) == 1 + len(kept.frames)
    # three repeats of each side are counted: sqrt of the samples, of 1 ms each, over 3
    assert kept.errors_ms[0] == pytest.approx((3 * (13 + 23)) ** 0.5 / 3, abs=1e-3)
    figure = artifacts.figures_of(kept)[0]
    assert "Nothing changed" not in figure
    assert artifacts.summed_up(head).errors_ms == ()


def test_stacks_deeper_than_anybody_can_draw_are_cut_there() -> None:
    deep = tuple(f"f{number}" for number in range(20_000))
    base, head = {("main", *deep): 4.0}, {("main", *deep): 9.0, ("main", "f0"): 1.0}
    for figure in (
        flamegraph.graph("deep", head),
        flamegraph.differential("deep", base, head, dict.fromkeys(flamegraph.paths(base, head), 0.1)),
    ):
        assert f"What is more than {flamegraph.DEEPEST} calls deep is in the frame" in figure
        assert f'"f{flamegraph.DEEPEST - 2}"' in figure
        assert f'"f{flamegraph.DEEPEST - 1}"' not in figure
    assert "calls deep" not in flamegraph.graph("flat", {("main", "f0"): 1.0})


# --- speedscope and the folder -----------------------------------------------------------------------------


def test_speedscope_has_both_sides_in_one_file() -> None:
    content = json.loads(speedscope.dump("mainnet/1", {"base": BASE, "head": HEAD}))
    assert content["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert [profile["name"] for profile in content["profiles"]] == ["base", "head"]
    names = [frame["name"] for frame in content["shared"]["frames"]]
    for profile, side in zip(content["profiles"], (BASE, HEAD), strict=True):
        assert profile["unit"] == "milliseconds"
        read = {
            tuple(names[index] for index in sample): weight
            for sample, weight in zip(profile["samples"], profile["weights"], strict=True)
        }
        assert read == side
        assert profile["endValue"] == pytest.approx(sum(side.values()))


def test_a_folder_has_every_file_of_both_sides(tmp_path: Path) -> None:
    base = made.profile([*made.executing({"a": [3] * 4}), ("prep", 1, "main", ("p",))])
    head = made.profile(made.executing({"a": [4] * 4}))
    written = artifacts.write(tmp_path / "mainnet-1", [head], [base])
    assert [path.name for path in written] == [
        "base.folded",
        "head.folded",
        "flamegraph.html",
        "speedscope.json",
        "firefox.json",
    ]
    read, _ = stacks.read(tmp_path / "mainnet-1/base.folded")
    assert read == base.folded()
    assert artifacts.per_block([head]) == {("main", "main", "ethrex_vm::run", "a"): 4.0}
    assert [path.name for path in artifacts.write(tmp_path / "b", [head])] == [
        "head.folded",
        "flamegraph.html",
        "speedscope.json",
        "firefox.json",
    ]


def test_what_a_results_file_keeps_has_the_guides_analyses_of_both_sides() -> None:
    def taken(counts: dict[str, int]) -> stacks.Profile:
        each = {name: [samples] * 4 for name, samples in counts.items()}
        return made.profile(made.executing(each))

    base = taken({"ethrex_levm::vm::VM::op_sload": 6, "malloc": 2, "serde": 1})
    head = taken({"ethrex_levm::vm::VM::op_sload": 8, "malloc": 4, "serde": 1})
    kept = artifacts.summed_up([head], [base])
    assert kept.repeats == (3, 3)
    assert [(spot.name, spot.ms) for spot in kept.hotspots][:2] == [
        ("ethrex_levm::vm::VM::op_sload", 8),
        ("malloc", 4),
    ]
    parts = {
        title: [(part.name, part.base_ms, part.head_ms) for part in parts]
        for title, parts in kept.parts.items()
    }
    assert parts == {
        "crate": [("ethrex_vm", 9, 13)],
        "opcode": [("SLOAD", 6, 8)],
        "allocation": [("malloc", 2, 4)],
    }
    alone = artifacts.summed_up([head])
    assert alone.repeats == (None, 3)
    assert alone.parts["opcode"][0].base_ms is None
    assert len(artifacts.figures_of(alone)) == 1
    assert len(artifacts.figures_of(kept)) == 2
