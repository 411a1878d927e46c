"""The results file: what was written is read back, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.records.result import SCHEMA
from tests.report import builders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from pytest_ethrex_perf.records.result import RunResult


@pytest.mark.parametrize("make", [builders.one, builders.several, builders.hostile, lambda: builders.run([])])
def test_what_is_read_back_is_equal(tmp_path: Path, make: Callable[[], RunResult]) -> None:
    file = tmp_path / "results.json"
    file.write_text(results_file.dump(make()))
    assert results_file.load(file) == make()


def test_the_text_is_the_same_every_time_and_a_line_ends_it() -> None:
    assert results_file.dump(builders.several()) == results_file.dump(builders.several())
    assert results_file.dump(builders.one()).endswith("}\n")


def test_raw_repeats_are_integers_in_nanoseconds() -> None:
    content = json.loads(results_file.dump(builders.one()))
    (block,) = content["blocks"]
    assert content["schema"] == SCHEMA
    for pair in block["pairs"]:
        for side in ("base", "head"):
            assert all(isinstance(ns, int) for ns in pair[side]["exec_ns"])


def test_an_edited_repeat_is_found_out(tmp_path: Path) -> None:
    content = json.loads(results_file.dump(builders.one()))
    content["blocks"][0]["pairs"][0]["head"]["exec_ns"][1] += 1
    file = tmp_path / "results.json"
    file.write_text(json.dumps(content))
    (block,) = results_file.load(file).blocks
    assert block.raw_digest() != block.raw_sha256
    (untouched,) = builders.one().blocks
    assert untouched.raw_digest() == untouched.raw_sha256


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(results_file.dump(builders.one()))
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a results file of --ethrex-json: "),
        (b"{", "not a results file of --ethrex-json: "),
        (b"[]", "not a results file of --ethrex-json: "),
        (b"\xff\xfe", "not a results file of --ethrex-json: "),
        (b"{}", "not a results file of this version (schema None, not "),
        (b'{"schema": "1"}', "not a results file of this version (schema '1', not "),
        (
            changed(lambda content: content.update(schema=SCHEMA + 1)),
            "write it with --ethrex-json of the same",
        ),
        (changed(lambda content: content.update(extra=1)), "unknown field `extra`"),
        (changed(lambda content: content.pop("machine")), "missing required field `machine`"),
        (changed(lambda content: content["blocks"][0].update(mode="guess")), "$.blocks[0].mode"),
        (results_file.dump(builders.one()).encode()[:-200], "not a results file of --ethrex-json: "),
    ],
)
def test_anything_else_is_refused_in_one_line_that_names_the_file(
    tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        results_file.load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.json: cannot be read: No such file or directory"):
        results_file.load(tmp_path / "nowhere.json")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        results_file.load(tmp_path)
