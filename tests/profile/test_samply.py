"""samply's recording, made after its documented format, in the older and the newer layout of its tables."""

from __future__ import annotations

import contextlib
import gzip
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import folding, samply
from pytest_ethrex_perf.profile.sampling import Limits, Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STRINGS = ["0x1000", "0x2000", "0x7fff", "ethrex-replay", "libsystem.dylib", "named_by_samply", "start"]
TABLES: dict[str, Any] = {
    "stringArray": STRINGS,
    "stackTable": {"prefix": [None, 0, 1, 0, 0], "frame": [0, 1, 2, 3, 4], "length": 5},
    "frameTable": {"func": [5, 0, 1, 2, 3], "address": [-1, 0x1000, 0x2000, 0x7FFF, 0x99], "length": 5},
    "funcTable": {"name": [0, 1, 2, 5, 3, 6], "resource": [0, 0, 1, 1, 0, -1], "length": 6},
    "resourceTable": {"lib": [0, 1], "name": [3, 4], "length": 2},
}
LIBS = [
    {"debugName": "ethrex-replay", "name": "ethrex-replay"},
    {"debugName": "libsystem.dylib", "name": "x"},
]
SYMBOLS = {
    "string_table": [
        "UNKNOWN",
        "_RNvMs_Cs80nISGL7dYr_3vecINtB4_1WyE4showB4_",
        "ethrex_vm::run::h0123456789abcdef",
    ],
    "data": [
        {
            "debug_name": "ethrex-replay",
            "debug_id": "5C0A0D51-EA19-80DF-43F2-03B4525BE9BE",
            "code_id": "",
            "symbol_table": [{"rva": 0xF00, "size": 512, "symbol": 2}, {"rva": 0x1F00, "symbol": 1}],
            "known_addresses": [[0x1000, 0], [0x2000, 1]],
        }
    ],
}


def thread(name: str, tid: str, samples: dict[str, Any], *, main: bool = False) -> dict[str, Any]:
    return {"name": name, "pid": "123", "tid": tid, "isMainThread": main, "samples": samples}


def layout(*, shared: bool) -> dict[str, Any]:
    """Tables in each thread (until 2025), or in `shared`; times as they are, or as deltas."""
    times = {"timeDeltas": [1.0, 1.5, 1.0, 2.0]} if shared else {"time": [1.0, 2.5, 3.5, 5.5]}
    main = {"stack": [2, 3, None, 4], **times, "threadCPUDelta": [900, 1000, 0, 800]}
    waiting = {"stack": [1, 1], "threadCPUDelta": [0, 7], "time": [1.0, 9.0]}
    threads = [
        thread("ethrex-replay", "1", main, main=True),
        thread("block_executor_merkleizer", "456.1", waiting),
    ]
    if not shared:
        threads = [{**one, **TABLES} for one in threads]
    meta = {"startTime": 1771382521000.5, "interval": 1.0}
    return {"meta": meta, "libs": LIBS, "threads": threads, **({"shared": TABLES} if shared else {})}


@pytest.mark.parametrize("shared", [False, True], ids=["tables of each thread", "shared tables"])
def test_a_recording_reads_as_samples(shared: bool) -> None:  # noqa: FBT001 - a parameter of the test
    taken = list(samply.convert(layout(shared=shared), SYMBOLS))
    assert [sample.frames for sample in taken] == [
        ("ethrex_vm::run", "vec::W::show"),
        ("[libsystem.dylib]",),
        ("named_by_samply",),
        ("ethrex_vm::run",),
    ]
    assert taken[0].time_ns == 1771382521001_500_000
    assert taken[2].time_ns == 1771382521006_000_000
    assert folding.threads(taken) == {
        (123, 123): "main",
        (123, 456): "block_executor_merkleizer (run)",
    }


def test_without_symbols_addresses_go_by_their_module() -> None:
    taken = list(samply.convert(layout(shared=True)))
    assert taken[0].frames == ("[ethrex-replay]", "[ethrex-replay]")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_file_and_its_symbols_are_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "recording.json"
    file.write_bytes(pack(json.dumps(layout(shared=True)).encode()))
    file.with_suffix(".syms.json").write_text(json.dumps(SYMBOLS))
    tool = samply.Samply("samply", "--presymbolicate")
    taken, notes = tool.samples(file, utc_offset_ns=0, environ={}, limits=Limits())
    assert len(taken) == 4
    assert notes == []


@pytest.mark.parametrize("content", ["{}", "[1]", '{"meta": {}}', "not json", ""])
def test_another_file_is_one_clear_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "recording.json"
    file.write_text(content)
    with pytest.raises(MeasurementError, match="samply's recording can't be read"):
        samply.Samply("samply", "--x").samples(file, utc_offset_ns=0, environ={}, limits=Limits())


def refused(path: Path, recording: Any) -> str:
    path.write_text(json.dumps(recording))
    tool = samply.Samply("samply", "--presymbolicate")
    with pytest.raises(MeasurementError, match=r"^samply's recording can't be read: ") as error:
        tool.samples(path, utc_offset_ns=0, environ={}, limits=Limits())
    return str(error.value)


@pytest.mark.parametrize("shared", [False, True], ids=["tables of each thread", "shared tables"])
@pytest.mark.parametrize("times", ["time", "timeDeltas"])
def test_a_thread_without_samples_costs_nothing(shared: bool, times: str) -> None:  # noqa: FBT001 - a parameter
    recording = layout(shared=shared)
    idle = thread("idle", "9", {"stack": [], times: [], "length": 0})
    recording["threads"].insert(0, idle)
    assert len(list(samply.convert(recording, SYMBOLS))) == 4


@pytest.mark.parametrize("prefix", [[0, 0, 1, 0, 0], [2, 0, 1, 0, 0]])
def test_stacks_that_call_themselves_are_an_error(tmp_path: Path, prefix: list[int]) -> None:
    recording = layout(shared=True)
    recording["shared"] = {**TABLES, "stackTable": {**TABLES["stackTable"], "prefix": prefix}}
    assert "is its own caller" in refused(tmp_path / "recording.json", recording)


def test_a_negative_row_is_an_error(tmp_path: Path) -> None:
    recording = layout(shared=True)
    recording["shared"] = {**TABLES, "stackTable": {**TABLES["stackTable"], "frame": [0, 1, -1, 3, 4]}}
    assert "no row -1" in refused(tmp_path / "recording.json", recording)


def test_a_damaged_archive_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "recording.json"
    packed = bytearray(gzip.compress(json.dumps(layout(shared=True)).encode()))
    packed[20] ^= 0xFF
    for content in (bytes(packed), bytes(packed[:60]), b"\x1f\x8b", b"[" * 100_000):
        file.write_bytes(content)
        with pytest.raises(MeasurementError, match="samply's recording can't be read"):
            samply.Samply("samply", "--x").samples(file, utc_offset_ns=0, environ={}, limits=Limits())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value within a value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if value else ():
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))
        else:
            yield (*path, key)


OTHER: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just([])
    | st.just({})
    | st.just([{}])
)


@given(st.booleans(), st.data())
def test_a_value_of_another_type_is_one_clear_error(shared: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
    both = json.loads(json.dumps([layout(shared=shared), SYMBOLS]))
    *way, last = data.draw(st.sampled_from([path for path in places(both) if path]))
    holder = both
    for key in way:
        holder = holder[key]
    holder[last] = data.draw(OTHER)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "recording.json")
        file.write_text(json.dumps(both[0]))
        file.with_suffix(".syms.json").write_text(json.dumps(both[1]))
        tool = samply.Samply("samply", "--x")
        taken: list[folding.Sample] = []
        with contextlib.suppress(MeasurementError):
            taken, _ = tool.samples(file, utc_offset_ns=0, environ={}, limits=Limits())
        assert all(isinstance(frame, str) for sample in taken for frame in (sample.comm, *sample.frames))


def test_a_recording_that_is_too_large_is_said(tmp_path: Path) -> None:
    file = tmp_path / "recording.json"
    with file.open("wb") as content:
        content.truncate(2**20 + 1)
    with pytest.raises(MeasurementError, match="larger than 1 MiB: fewer repeats"):
        samply.Samply("samply", "--x").samples(file, utc_offset_ns=0, environ={}, limits=Limits(mib=1))


def installed(directory: Path, text: str) -> dict[str, str]:
    program = directory / "samply"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    return {"PATH": f"{directory}:/usr/bin:/bin"}


@pytest.mark.parametrize("option", ["--presymbolicate", "--unstable-presymbolicate"])
def test_it_is_told_to_write_symbols_in_its_own_words(tmp_path: Path, option: str) -> None:
    tool = samply.find(installed(tmp_path, f"  -s, --save-only\n      {option}\n  Emit symbols"))
    arguments = tool.arguments(["replay", "block"], tmp_path / "x.json", Sampling())
    assert option in arguments
    assert arguments[-3:] == ["--", "replay", "block"]
    assert "--save-only" in arguments


def test_a_missing_or_old_samply_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="samply is not installed: cargo install samply"):
        samply.find({"PATH": str(tmp_path)})
    with pytest.raises(MeasurementError, match="too old to write symbols: cargo install samply"):
        samply.find(installed(tmp_path, "--save-only"))
