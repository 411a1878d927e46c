"""Only like is compared with like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.compatibility import IncomparableError, check, missing, others
from pytest_ethrex_perf.records.block import BlockId
from tests.baseline.builders import BLOCK, CACHE, MACHINE, REPEAT, make_baseline

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Kind

replace = msgspec.structs.replace


def _check(**fields: Any) -> None:
    asked: dict[str, Any] = {
        "block": BLOCK,
        "kind": "ethrex",
        "machine_key": MACHINE.key,
        "cache": CACHE,
        "repeat": REPEAT,
        "prefix": (),
    }
    check(make_baseline(), **asked | fields)


def test_the_same_measurement_is_compared() -> None:
    _check()


@pytest.mark.parametrize(
    ("fields", "reason", "remedy"),
    [
        ({"block": BlockId("hoodi", 1)}, "a baseline of hoodi/1265656, not of hoodi/1", "where it belongs"),
        (
            {"kind": "embedded"},
            "of the ethrex program, and embedded was measured",
            "--ethrex-update-baseline",
        ),
        ({"machine_key": "laptop"}, f"of machine {MACHINE.key}, and this is laptop", "--ethrex-machine"),
        (
            {"cache": replace(CACHE, block_hash="0xff")},
            "the cache file now holds 0xff",
            "restore that cache file",
        ),
        ({"cache": replace(CACHE, witness_sha256="ef" * 32)}, "another witness", "restore that cache file"),
        ({"repeat": 11}, "recorded with 4 repeats, and this run takes 11", "--ethrex-repeat 4"),
        (
            {"prefix": ("taskset", "-c", "0")},
            "without a prefix, and this run is under 'taskset -c 0'",
            "--ethrex-prefix",
        ),
    ],
)
def test_anything_else_is_refused_with_the_reason_and_what_to_do(
    fields: dict[str, Any], reason: str, remedy: str
) -> None:
    with pytest.raises(IncomparableError) as refusal:
        _check(**fields)
    assert reason in str(refusal.value)
    assert remedy in str(refusal.value)


def _touch(root: Path, kind: Kind, machine: str) -> None:
    file = store.path(root, BLOCK, kind, machine)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def test_machines_that_have_a_baseline_of_the_block_are_found(tmp_path: Path) -> None:
    _touch(tmp_path, "ethrex", "b-8c-0001")
    _touch(tmp_path, "ethrex", "a-4c-0002")
    _touch(tmp_path, "embedded", "c-2c-0003")
    assert others(tmp_path, BLOCK, "ethrex") == ["a-4c-0002", "b-8c-0001"]
    assert others(tmp_path, BlockId("hoodi", 1), "ethrex") == []


def test_a_missing_baseline_says_for_which_machines_there_are_ones(tmp_path: Path) -> None:
    assert missing(tmp_path, BLOCK, "ethrex", "here") == (
        f"there is no baseline of hoodi/1265656 for ethrex on here in {tmp_path}"
    )
    _touch(tmp_path, "embedded", "here")
    assert missing(tmp_path, BLOCK, "ethrex", "here").endswith("of another kind of program: embedded")
    _touch(tmp_path, "ethrex", "b-8c-0001")
    _touch(tmp_path, "ethrex", "a-4c-0002")
    assert missing(tmp_path, BLOCK, "ethrex", "here").endswith(
        "there are baselines of this block for a-4c-0002, b-8c-0001; this machine is here"
    )
