from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.profile import artifacts, firefox, samply, stacks
from tests.profile import samples as made

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.profile.stacks import Frames

BASE: dict[Frames, float] = {
    ("main", "run", "a"): 4.5,
    ("main", "run", "b"): 2.25,
    ("rayon-1", "run", "hash"): 1.5,
}
HEAD: dict[Frames, float] = {
    ("main", "run", "a"): 9.5,
    ("main", "run", "c"): 2.25,
    ("rayon-1", "run", "hash"): 1.5,
}
PREP: dict[Frames, float] = {("main", "read"): 1.0}
COLUMNS = {
    # of version 58, `src/types/profile.ts`
    "samples": "stack time weight threadCPUDelta",
    "stackTable": "frame prefix",
    "frameTable": "address inlineDepth category subcategory func nativeSymbol innerWindowID line column",
    "funcTable": "name isJS relevantForJS resource source lineNumber columnNumber",
    "resourceTable": "lib name host type",
    "nativeSymbols": "libIndex address name functionSize",
    "markers": "data name startTime endTime phase category",
}
LEADS = {
    ("samples", "stack"): "stackTable",
    ("stackTable", "frame"): "frameTable",
    ("stackTable", "prefix"): "stackTable",
    ("frameTable", "category"): "categories",
    ("frameTable", "func"): "funcTable",
    ("funcTable", "name"): "stringArray",
}


def dumped(started: str = "2026-02-18T02:42:01+00:00") -> dict[str, Any]:
    processes = [
        firefox.Process("base: base/ethrex-replay", {"prep": PREP, "exec": BASE}),
        firefox.Process("head: head/ethrex-replay", {"prep": PREP, "exec": HEAD}),
    ]
    content: dict[str, Any] = json.loads(firefox.dump("mainnet/1", processes, started=started))
    return content


def test_every_table_has_the_columns_of_its_version_and_leads_somewhere() -> None:
    content = dumped()
    assert content["meta"]["preprocessedProfileVersion"] == 58
    assert [category["name"] for category in content["meta"]["categories"]] == ["Other", "prep", "exec"]
    assert content["meta"]["categories"][0]["color"] == "grey"  # without one the Profiler has no default
    for thread in content["threads"]:
        lengths = {table: thread[table]["length"] for table in COLUMNS}
        lengths |= {"stringArray": len(content["shared"]["stringArray"]), "categories": 3}
        for table, columns in COLUMNS.items():
            assert {*thread[table]} - {"length", "weightType"} == {*columns.split()}
            assert {len(thread[table][column]) for column in columns.split()} == {lengths[table]}
        for (table, column), target in LEADS.items():
            assert all(row is None or 0 <= row < lengths[target] for row in thread[table][column])
        callers = thread["stackTable"]["prefix"]
        assert all(caller is None or caller < stack for stack, caller in enumerate(callers))


def test_base_and_head_are_processes_of_their_names() -> None:
    threads = dumped()["threads"]
    assert [(t["processName"], t["pid"], t["name"], t["isMainThread"]) for t in threads] == [
        ("base: base/ethrex-replay", "1", "main", True),
        ("base: base/ethrex-replay", "1", "rayon-1", False),
        ("head: head/ethrex-replay", "2", "main", True),
        ("head: head/ethrex-replay", "2", "rayon-1", False),
    ]
    assert len({thread["tid"] for thread in threads}) == 4


def test_our_reader_of_the_format_finds_every_stack_where_it_weighs() -> None:
    content = dumped()
    start_ns = round(content["meta"]["startTime"] * 1e6)
    of_head = {
        (sample.time_ns - start_ns, sample.comm, sample.frames)
        for sample in samply.convert(content)
        if sample.pid == 2
    }
    assert of_head == {
        (0, "", ("[prep]", "read")),
        (1_000_000, "", ("[exec]", "run", "a")),
        (10_500_000, "", ("[exec]", "run", "c")),
        (0, "rayon-1", ("[exec]", "run", "hash")),
    }
    main = content["threads"][2]["samples"]
    assert (main["weight"], main["weightType"]) == ([1.0, 9.5, 2.25, 0], "tracing-ms")


@pytest.mark.parametrize("started", ["", "yesterday", "2026-13-01"])
def test_a_moment_that_is_none_is_1970(started: str) -> None:
    assert dumped(started=started)["meta"]["startTime"] == 0


def test_a_folder_has_prep_and_exec_of_both_sides(tmp_path: Path) -> None:
    base = made.profile([*made.executing({"a": [3] * 4}), ("prep", 1, "main", ("p",))])
    head = made.profile(made.executing({"a": [4] * 4}))
    artifacts.write(tmp_path, [head], [base])
    content = json.loads((tmp_path / "firefox.json").read_text())
    weights = {t["processName"]: t["samples"]["weight"] for t in content["threads"]}
    assert weights == {"base: ethrex-replay": [0.25, 3.0, 0], "head: ethrex-replay": [4.0, 0]}


def test_stacks_without_thread_or_phase_are_written_too() -> None:
    taken, _ = stacks.parse("[exec] 2\n[exec];main;a 3\nmain;b 4\n")
    content = json.loads(firefox.dump("x", [firefox.Process("x", stacks.by_phase(taken))], "samples"))
    named = {thread["name"]: thread["samples"]["weight"] for thread in content["threads"]}
    assert named == {"main": [3, 4, 0], "": [2, 0]}
