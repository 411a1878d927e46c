"""Baseline files: reviewable, refused when broken, changed whole or not at all."""

from __future__ import annotations

import difflib
import json
import os
import stat
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.baseline.store import MissingBaselineError
from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import CacheIdentity
from tests.baseline.builders import (
    REPEAT,
    add,
    baseline_path,
    make_baseline,
    make_epoch,
    make_session,
)

if TYPE_CHECKING:
    from pathlib import Path


replace = msgspec.structs.replace


def _everything_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


# reading and writing


def test_a_file_is_where_people_look_for_it(tmp_path: Path) -> None:
    assert baseline_path(tmp_path) == tmp_path / "hoodi" / "1265656" / "ethrex-amd-epyc-9454p-32c-4f1d.json"


def test_what_is_written_is_read_again() -> None:
    baseline = make_baseline(
        make_epoch([make_session(0)]), make_epoch([make_session(1, note="é")], "slower, but “right”")
    )
    assert store.parse(store.dump(baseline), "x") == baseline


@given(
    levels=st.lists(st.floats(0.001, 5_000), min_size=1, max_size=3),
    text=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
    load=st.floats(0, 1e6) | st.none(),
    phases=st.dictionaries(st.text(st.characters(codec="utf-8")), st.floats(0, 1e9), max_size=3),
)
def test_any_sound_baseline_survives_its_file(
    levels: list[float], text: str, load: float | None, phases: dict[str, float]
) -> None:
    sessions = [make_session(day, level + 0.1, invocations=2, note=text) for day, level in enumerate(levels)]
    first, *rest = sessions[0].invocations
    first = replace(first, phases=phases, noise=replace(first.noise, load1=load))
    sessions[0] = replace(sessions[0], invocations=(first, *rest))
    baseline = make_baseline(make_epoch(sessions, text))
    assert store.parse(store.dump(baseline), "x") == baseline


def test_a_new_session_is_a_few_added_lines(tmp_path: Path) -> None:
    before = store.dump(add(tmp_path, make_session(0)).baseline).splitlines()
    after = store.dump(add(tmp_path, make_session(1, invocations=6)).baseline).splitlines()
    diff = [
        line
        for line in difflib.unified_diff(before, after, n=0)
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    removed = [line for line in diff if line.startswith("-")]
    assert not removed, "the file's last session is closed as before"
    assert len(diff) == 6 + 10
    assert all(
        len(json.loads(line[1:].rstrip(","))["exec_ns"]) == REPEAT for line in diff if "exec_ns" in line
    )


def test_times_are_whole_nanoseconds() -> None:
    text = store.dump(make_baseline())
    invocation = json.loads(text)["epochs"][0]["sessions"][0]["invocations"][0]
    assert all(
        type(value) is int
        for value in (*invocation["exec_ns"], *invocation["prep_ns"], invocation["wall_ns"])
    )


# files that are not as they were recorded


def _broken(text: str) -> str:
    with pytest.raises(BaselineError) as caught:
        store.parse(text, "b.json")
    message = str(caught.value)
    assert message.startswith("b.json: ")
    assert "\n" not in message
    return message


def test_a_missing_file_names_the_option_that_records_one(tmp_path: Path) -> None:
    with pytest.raises(
        MissingBaselineError, match="no such baseline: record it with --ethrex-update-baseline"
    ):
        store.load(tmp_path / "none.json")


def test_a_directory_in_its_place_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot be read: Is a directory"):
        store.load(tmp_path)


def test_a_file_in_conflict_names_the_command_that_joins_it() -> None:
    text = store.dump(make_baseline()).replace('  "repeat"', '<<<<<<< HEAD\n  "repeat"')
    assert "`ethrex-perf baseline merge b.json`" in _broken(text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BaselineError, match="not text in UTF-8"):
        store.load(file)


@given(st.data())
def test_a_file_cut_off_anywhere_is_refused(data: st.DataObject) -> None:
    text = store.dump(make_baseline(make_epoch([make_session(0, invocations=1)])))
    end = data.draw(st.integers(0, len(text) - 2))  # without its final newline alone it is still whole
    assert "restore it from version control" in _broken(text[:end])


def test_an_empty_file_is_called_truncated() -> None:
    assert "truncated" in _broken("")


def test_a_newer_schema_asks_for_an_upgrade() -> None:
    text = store.dump(make_baseline()).replace('"schema": 1', '"schema": 2').replace('"repeat"', '"repeats"')
    assert "newer pytest-ethrex-perf (schema 2, this one reads 1): upgrade" in _broken(text)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"schema": 1,', "", "missing required field `schema`"),
        ('"schema": 1,', '"schema": 0,', "schema is 0"),
        ('"schema": 1,', '"schema": "1",', "Expected `int`, got `str`"),
        ('"repeat": 4,', '"repeat": 4, "margin": 5,', "unknown field `margin`"),
        ('"repeat": 4,', '"repeat": "4",', "Expected `int`, got `str`"),
        ('"repeat": 4,', '"repeat": 4.0,', "Expected `int`, got `float`"),
        ('"repeat": 4,', '"repeat": 4, "repeat": 4,', "'repeat' is there twice"),
        ('"repeat": 4,', '"repeat": 5,', "4 repeats of exec, the file says 5"),
        ('"kind": "ethrex",', '"kind": "reth",', "Invalid enum value 'reth'"),
        ('"load1": 0.25', '"load1": NaN', "NaN is not a number"),
        ('"load1": 0.25', '"load1": 1e999', "not a finite number"),
        ('"wall_ns": 2000000000', '"wall_ns": -1', "wall_ns is -1"),
    ],
)
def test_a_file_edited_by_hand_is_refused_and_says_where(old: str, new: str, told: str) -> None:
    text = store.dump(make_baseline())
    assert old in text
    assert told in _broken(text.replace(old, new, 1))


@pytest.mark.parametrize("text", ["null", "[]", "3", '"x"'])
def test_json_that_is_no_baseline_is_refused(text: str) -> None:
    _broken(text)


def test_json_that_is_nested_too_deep_is_refused() -> None:
    _broken("[" * 100_000)


# writing


def test_a_file_gets_the_mode_that_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        add(tmp_path, make_session(0))
    finally:
        os.umask(before)
    assert stat.S_IMODE(baseline_path(tmp_path).stat().st_mode) == 0o640


def test_nothing_but_the_baseline_is_left_in_its_directory(tmp_path: Path) -> None:
    for day in range(3):
        add(tmp_path, make_session(day))
    assert _everything_below(tmp_path) == ["hoodi/1265656/ethrex-amd-epyc-9454p-32c-4f1d.json"]


def test_a_link_to_a_baseline_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.json"
    store.write(real, make_baseline())
    link = tmp_path / "link.json"
    link.symlink_to(real)
    store.change(link, lambda baseline: replace(baseline, epochs=baseline.epochs))
    assert link.is_symlink()
    assert store.load(real) == make_baseline()


def test_a_full_disk_changes_nothing_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, make_session(0))
    before = baseline_path(tmp_path).read_bytes()

    def full(_descriptor: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(
        BaselineError, match="cannot be written: No space left on device: nothing was changed"
    ):
        add(tmp_path, make_session(1))
    assert baseline_path(tmp_path).read_bytes() == before
    assert len(_everything_below(tmp_path)) == 1


def test_what_cannot_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="nothing was changed: epochs is empty"):
        store.write(tmp_path / "b.json", make_baseline(epochs=()))
    assert not list(tmp_path.iterdir())


def test_files_are_found_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    blocks = [BlockId("hoodi", 9), BlockId("hoodi", 10), BlockId("mainnet", 1)]
    expected = [store.path(tmp_path, block, "embedded", "m") for block in blocks]
    for file in reversed(expected):
        file.parent.mkdir(parents=True)
        file.touch()
    (tmp_path / "hoodi" / "9" / "reference-m.json").touch()
    (tmp_path / "hoodi" / "notes").mkdir()
    (tmp_path / "hoodi" / "notes" / "ethrex-x.json").touch()
    assert store.files(tmp_path) == expected
    assert store.files(tmp_path / "nowhere") == []


def test_a_workload_has_a_folder_named_by_its_parameters_and_is_read_back(tmp_path: Path) -> None:
    (block,) = parse_blocks(["workload:sstore-fresh,gas=1500K,seed=3"])
    cache = CacheIdentity(
        network=block.network,
        number=block.number,
        workload=block.workload,
        block_hash="0x" + "ab" * 32,
        witness_sha256="cd" * 32,
    )
    baseline = make_baseline(network=block.network, block=block.number, cache=cache)
    file = store.path(tmp_path, block, "ethrex", "m")
    assert str(file.relative_to(tmp_path)) == "workload/sstore-fresh-gas1500K-seed3/ethrex-m.json"
    store.write(file, baseline)
    assert store.load(file) == baseline
    assert store.load(file).block_id == block
    assert store.files(tmp_path) == [file]


def test_what_is_no_workload_in_its_canonical_form_is_no_part_of_a_path(tmp_path: Path) -> None:
    file = tmp_path / "ethrex-m.json"
    text = store.dump(make_baseline())
    for name in ("../../x", "keccak", "keccak,seed=0,gas=30M"):
        file.write_text(text.replace('"number": 1265656', f'"number": 1265656, "workload": "{name}"'))
        with pytest.raises(BaselineError, match="workload"):
            store.load(file)
