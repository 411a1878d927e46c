"""--ethrex-head-label: what reports call head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_stands_in_place_of_the_path_in_every_form(bench: Bench) -> None:
    files = {"markdown": "r.md", "report": "page", "json": "r.json", "csv": "r.csv"}
    result = bench.compare(
        bench.program("head"),
        bench.program("base"),
        "--ethrex-head-label=feature/fast-trie (#6207)",
        *(f"--ethrex-{form}={file}" for form, file in files.items()),
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*: head feature/fast-trie (#6207) (binary *"])
    for file in ("r.md", "page/index.html", "r.json", "r.csv"):
        assert "feature/fast-trie (" in (bench.path / file).read_text(encoding="utf-8"), file


def test_a_recorded_session_keeps_it(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-invocations=6", "--ethrex-head-label=it's main")
    (file,) = (bench.path / "baselines").rglob("*.json")
    assert bench.json(str(file))["epochs"][0]["sessions"][0]["program"]["label"] == "it's main"


@pytest.mark.parametrize("name", ["two\nlines", "x" * 101, " "])
def test_it_is_one_line(bench: Bench, name: str) -> None:
    assert bench.refuse("--ethrex-block=1", f"--ethrex-head-label={name}").startswith("--ethrex-head-label: ")
