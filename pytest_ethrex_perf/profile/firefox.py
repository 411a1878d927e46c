"""Both sides in one file of the Firefox Profiler (https://profiler.firefox.com), a process for each.

Format: firefox-devtools/profiler `docs-developer/processed-profile-format.md`, `CHANGELOG-formats.md` and
`src/types/profile.ts` of version 58; the Profiler upgrades files of older versions itself.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from pytest_ethrex_perf.records import moment
from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.profile.stacks import Frames

Unit = Literal["tracing-ms", "samples"]
"""What a stack's weight is, in the format's words."""
_Json: TypeAlias = dict[str, object]
_VERSION = 58
_GECKO_VERSION = 31  # of Firefox's own format, which is asked for and not read
_COLOURS = {"prep": "yellow", "exec": "blue", "cache-io": "brown", "cleanup": "purple"}
_OTHER = "Other"
_MAIN = "main"
_NO_RESOURCE = -1
_DIGITS = 6  # of ms: 1 ns


class Process(NamedTuple):
    """One side: what it is called, and its stacks (thread first, then root first) by phase."""

    name: str
    phases: Mapping[str, Mapping[Frames, float]]


def dump(title: str, processes: Sequence[Process], unit: Unit = "tracing-ms", started: str = "") -> str:
    """The file's content; `started` (ISO 8601) is the date that it shows.

    A profile of samples has times; ours are added up over repeats, so each thread's stacks stand one after
    another, phase by phase, and each lasts as long as it weighs.
    """
    categories = list(dict.fromkeys(phase for process in processes for phase in process.phases if phase))
    strings: dict[str, int] = {}
    threads: list[_Json] = []
    for number, process in enumerate(processes, 1):
        tables: dict[str, _Thread] = {}
        for phase, stacks in process.phases.items():
            for frames in sorted(stacks):
                name = frames[0] if frames else ""
                table = tables.setdefault(name, _Thread(strings, categories))
                table.add(phase, frames[1:], stacks[frames])
        for name in sorted(tables, key=lambda name: (name != _MAIN, name)):
            threads.append(tables[name].content(process.name, number, name, len(threads) + 1, unit))
    mains = [index for index, thread in enumerate(threads) if thread["isMainThread"]]
    content = {
        "meta": {
            "interval": 1,
            "startTime": _since_1970_ms(started),
            "processType": 0,
            "product": title,
            "importedFrom": f"pytest-ethrex-perf {version()}",
            "stackwalk": 1,
            "version": _GECKO_VERSION,
            "preprocessedProfileVersion": _VERSION,
            "categories": [
                *({"name": _OTHER, "color": "grey", "subcategories": [_OTHER]},),
                *(
                    {"name": phase, "color": _COLOURS.get(phase, "green"), "subcategories": [_OTHER]}
                    for phase in categories
                ),
            ],
            "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "ns"},
            "markerSchema": [],
            "symbolicated": True,
            "symbolicationNotSupported": True,
            "usesOnlyOneStackType": True,
            "sourceCodeIsNotOnSearchfox": True,
            "keepProfileThreadOrder": True,
            "initialVisibleThreads": [*range(len(threads))],
            "initialSelectedThreads": mains[-1:] or [*range(len(threads))][-1:],
        },
        "libs": [],
        "shared": {
            "stringArray": list(strings),
            "sources": {"length": 0, "uuid": [], "filename": []},
        },
        "threads": threads,
    }
    return json.dumps(content, separators=(",", ":")) + "\n"


def _since_1970_ms(started: str) -> float:
    """0 for what is no moment: results files can be written by anybody."""
    try:
        return moment.utc(started).timestamp() * 1e3
    except ValueError:
        return 0.0


class _Thread:
    """The tables of one thread: each function once, each path of callers once, each stack a sample."""

    def __init__(self, strings: dict[str, int], categories: Sequence[str]) -> None:
        self._strings = strings
        self._categories = categories
        self._functions: dict[tuple[str, int | None], int] = {}
        self._stacks: dict[tuple[int | None, int], int] = {}
        self._leaves: list[int | None] = []
        self._weights: list[float] = []

    def add(self, phase: str, frames: Frames, weight: float) -> None:
        """Add a stack below a frame of its phase."""
        stack: int | None = None
        if phase:
            stack = self._stack(None, f"[{phase}]", 1 + self._categories.index(phase))
        for frame in frames:
            stack = self._stack(stack, frame, None)
        self._leaves.append(stack)
        self._weights.append(round(weight, _DIGITS))

    def _stack(self, caller: int | None, name: str, category: int | None) -> int:
        function = self._functions.setdefault((name, category), len(self._functions))
        return self._stacks.setdefault((caller, function), len(self._stacks))

    def content(self, process: str, pid: int, name: str, tid: int, unit: Unit) -> _Json:
        """What the file has of the thread."""
        # a last sample of nothing ends the one before; each says what CPU time there was since the one before
        times = [round(time, _DIGITS) for time in accumulate(self._weights, initial=0.0)]
        used_ns = [None, *(round(weight * 1e6) for weight in self._weights)]
        length = len(self._functions)
        nothing: list[None] = [None] * length
        categories = [category for _, category in self._functions]
        return {
            "processType": "default",
            "processName": process,
            "processStartupTime": 0,
            "processShutdownTime": times[-1],
            "registerTime": 0,
            "unregisterTime": times[-1],
            "pausedRanges": [],
            "name": name,
            "isMainThread": name == _MAIN,
            "pid": str(pid),
            "tid": tid,
            "samples": {
                "stack": [*self._leaves, None],
                "time": times,
                "weight": [*self._weights, 0],
                "weightType": unit,
                "threadCPUDelta": used_ns,
                "length": len(times),
            },
            "markers": {
                **{column: [] for column in ("data", "name", "startTime", "endTime", "phase", "category")},
                "length": 0,
            },
            "stackTable": {
                "frame": [function for _, function in self._stacks],
                "prefix": [caller for caller, _ in self._stacks],
                "length": len(self._stacks),
            },
            "frameTable": {
                "address": [-1] * length,
                "inlineDepth": [0] * length,
                "category": categories,
                "subcategory": [None if category is None else 0 for category in categories],
                "func": [*range(length)],
                **dict.fromkeys(("nativeSymbol", "innerWindowID", "line", "column"), nothing),
                "length": length,
            },
            "funcTable": {
                "name": [self._string(function) for function, _ in self._functions],
                "isJS": [False] * length,
                "relevantForJS": [False] * length,
                "resource": [_NO_RESOURCE] * length,
                **dict.fromkeys(("source", "lineNumber", "columnNumber"), nothing),
                "length": length,
            },
            "resourceTable": {**{column: [] for column in ("lib", "name", "host", "type")}, "length": 0},
            "nativeSymbols": {
                **{column: [] for column in ("libIndex", "address", "name", "functionSize")},
                "length": 0,
            },
        }

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))
