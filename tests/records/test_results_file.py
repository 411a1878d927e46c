"""The results file: what was written is read back, and nothing else is taken for one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import msgspec
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
    with pytest.raises(UsageError, match=r"results\.json: its sha256 differs: it was edited since"):
        results_file.load(file)
    (block,) = results_file.load(file, edited=True).blocks
    assert block.raw_digest() != block.raw_sha256
    (untouched,) = builders.one().blocks
    assert untouched.raw_digest() == untouched.raw_sha256


@pytest.mark.parametrize(
    "edit",
    [
        lambda run: run["blocks"][0]["metrics"][0]["decision"].update(verdict="unchanged"),
        lambda run: run["blocks"][0]["metrics"][0].update(outcome="pass"),
        lambda run: run.update(started="2026-01-01T00:00:00+00:00"),
    ],
)
def test_an_edited_verdict_is_found_out(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(changed(edit))
    with pytest.raises(UsageError, match="it was edited since it was written: `ethrex-perf explain"):
        results_file.load(file)


def test_a_file_of_a_version_that_knew_fewer_fields_is_no_edit(tmp_path: Path) -> None:
    """The seal is over what is in the file, not over what this version makes of it."""
    content = json.loads(results_file.dump(builders.one()))
    del content["origin"]
    content["sha256"] = None
    content["sha256"] = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
    file = tmp_path / "results.json"
    file.write_text(json.dumps(content))
    assert results_file.load(file) == builders.one()
    content["version"] = "0.0.9"
    file.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="its sha256 differs"):
        results_file.load(file)


def test_a_file_of_another_version_that_can_t_be_read_says_who_wrote_it(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(changed(lambda content: content.update(version="9.9.9", extra=1)))
    with pytest.raises(UsageError, match=r"`extra`; pytest-ethrex-perf 9\.9\.9 wrote it, and this"):
        results_file.load(file)


def test_white_space_and_the_order_of_fields_are_no_edit(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    content = json.loads(results_file.dump(builders.one()))
    file.write_text(json.dumps(dict(sorted(content.items())), indent=4))
    assert results_file.load(file) == builders.one()


def without_seals(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    """The change, as whoever knows of the seals would make it."""

    def edit(run: dict[str, Any]) -> None:
        change(run)
        run["sha256"] = None
        for block in run["blocks"]:
            block["raw_sha256"] = None

    return edit


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (
            lambda run: run["blocks"][0]["cache"].update(network="../../X"),
            "'../../X' is no name",
        ),
        (lambda run: run["blocks"][0]["cache"].update(number=-1), "-1 is no number of a block"),
        (lambda run: run["measured_on"].update(key="../x"), "'../x' is no key of a machine"),
        (lambda run: run["measured_on"].update(key="a/b"), "'a/b' is no key of a machine"),
        (lambda run: run["measured_on"].update(key="\x1b[2J"), "is no key of a machine"),
        (lambda run: run["blocks"][0]["head"]["program"].update(sha256="abc"), "'abc' is no sha256"),
        (lambda run: run["blocks"][0]["head"]["program"].update(label=""), "label has 0 characters"),
        (lambda run: run["blocks"][0]["pairs"][0]["base"]["exec_ns"].__setitem__(0, 0), "exec_ns holds 0"),
        (lambda run: run["blocks"][0]["pairs"][0]["base"]["exec_ns"].clear(), "exec_ns is empty"),
        (lambda run: run["blocks"][0]["pairs"][0]["base"]["prep_ns"].clear(), "prep_ns is empty"),
        (lambda run: run["blocks"][0].update(drop=11), "has 11 repeats, and the first 11 are dropped"),
        (lambda run: run["blocks"][0]["pairs"][0]["base"]["exec_ns"].__setitem__(0, -5), "exec_ns holds -5"),
        (lambda run: run["blocks"][0]["pairs"][0]["base"].update(started="soon"), "'soon', not a time"),
        (lambda run: run.update(started="2026-99-01"), "'2026-99-01', not a time in ISO 8601"),
        (lambda run: run.update(shard="abc"), "shard is 'abc', not a part like 2/5"),
        (lambda run: run["blocks"][0]["metrics"][0]["rules"].update(alpha=0), "alpha is 0"),
        (lambda run: run["blocks"][0]["metrics"][0]["rules"].update(looks=[]), "growing numbers of pairs"),
        (
            lambda run: run["blocks"][0]["metrics"][0]["rules"].update(looks=[6, 10, 16, -1]),
            "growing numbers",
        ),
        (lambda run: run["blocks"][0]["metrics"][0]["rules"].update(looks=[6, 10**8]), "a look at 100000000"),
        (lambda run: run["blocks"][0]["metrics"][0]["rules"].update(floor=-1), "floor is -1"),
        (
            lambda run: run["blocks"][0]["metrics"][0]["decision"].update(estimate=1e300),
            "1e+300, which is the logarithm of no change",
        ),
        (
            lambda run: run["blocks"][0]["metrics"][0]["decision"]["looks"][0].update(low=-701),
            "-701.0, which is the logarithm of no change",
        ),
    ],
)
def test_what_no_run_can_have_written_is_refused(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], says: str
) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(changed(without_seals(edit)))
    with pytest.raises(UsageError) as caught:
        results_file.load(file)
    assert str(caught.value).startswith(f"{file}: not a results file of --ethrex-json: ")
    assert says in str(caught.value)


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
