"""samply, the profiler of macOS: its recording (the Firefox Profiler's format) read into the same samples.

Format: firefox-devtools/profiler `docs-developer/processed-profile-format.md` and `src/types/profile.ts`;
samply's `fxprof-processed-profile`. A thread's tables moved to `shared` over the versions; both are read.
Names of functions are in a file beside it, `NAME.syms.json` (samply's `symbol_precog.rs`): for each library
(address, symbol) of every frame.
"""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.profile.folding import Sample, without_entry
from pytest_ethrex_perf.profile.names import of_module, shorten
from pytest_ethrex_perf.records import nesting, regular_file
from pytest_ethrex_perf.records.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.profile.sampling import Limits, Sampling
    from pytest_ethrex_perf.profile.stacks import Frames

_Value = TypeVar("_Value")
_PRESYMBOLICATE = ("--presymbolicate", "--unstable-presymbolicate")
_HELP_TIMEOUT_S = 30.0
_GZIP = b"\x1f\x8b"
# what Python says of a damaged file, and of values that are not of the format's types
_UNREADABLE = (
    *(OSError, EOFError, zlib.error, RecursionError),
    *(ValueError, LookupError, TypeError, AttributeError, OverflowError),
)


@dataclass(frozen=True, slots=True)
class Samply:
    """An installed samply."""

    path: str
    symbols: str
    """Its option for a file of symbols: recent versions dropped the `unstable`."""

    def describe(self, sampling: Sampling) -> str:
        """`samply`; how it walks stacks is its own business."""
        return f"samply, {sampling.frequency} Hz"

    def stack_sizes(self, sampling: Sampling) -> tuple[int, ...]:  # noqa: ARG002 - one interface
        """None: it walks stacks itself."""
        return ()

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The program's own."""
        return Environment(environ)

    def arguments(self, argv: Sequence[str], file: Path, sampling: Sampling) -> list[str]:
        """`samply record` of `argv` into a file, without its web page."""
        return [
            *(self.path, "record", "--save-only", "--no-open", self.symbols),
            *("--rate", str(sampling.frequency), "--output", str(file), "--", *argv),
        ]

    def complaint(self, finished: process.Finished, sampling: Sampling) -> str | None:  # noqa: ARG002 - one interface
        """Where macOS does not let it look into the program."""
        if "codesign" in finished.stderr or "task_for_pid" in finished.stderr:
            return "samply may not look into the program: run `samply setup` once"
        return None

    def samples(
        self,
        file: Path,
        *,
        utc_offset_ns: int,  # noqa: ARG002 - perf needs it
        environ: Mapping[str, str],  # noqa: ARG002 - perf needs it
        limits: Limits,
    ) -> tuple[list[Sample], list[str]]:
        """Read a recording; its own times are UTC already."""
        if file.exists() and file.stat().st_size > limits.mib << 20:
            raise MeasurementError(f"the recording is larger than {limits.mib} MiB: {limits.more_space}")
        symbols = file.with_suffix(".syms.json")
        try:
            return list(convert(_load(file), _load(symbols) if symbols.exists() else None)), []
        except _UNREADABLE as error:
            raise MeasurementError(f"samply's recording can't be read: {error!r}") from None


def find(environ: Mapping[str, str]) -> Samply:
    """The samply on PATH. Raises `MeasurementError`, one line with the command that installs it."""
    path = shutil.which("samply", path=environ.get("PATH"))
    if path is None:
        raise MeasurementError("macOS has no perf, and samply is not installed: cargo install samply")
    help_text = process.run([path, "record", "--help"], environ=environ, timeout=_HELP_TIMEOUT_S).stdout
    words = help_text.replace("\n", " ").split(" ")
    option = next((option for option in _PRESYMBOLICATE if option in words), None)
    if option is None:
        raise MeasurementError(f"{path} is too old to write symbols: cargo install samply")
    return Samply(path, option)


def convert(profile: Mapping[str, Any], symbols: Mapping[str, Any] | None = None) -> Iterator[Sample]:
    """Samples of a processed profile, `symbols` being the content of the file beside it.

    Samples in which the thread used no CPU (it waited) are left out. Raises AttributeError, LookupError,
    OverflowError, TypeError or ValueError for another format.
    """
    start_ns = round(profile["meta"]["startTime"] * 1000) * 1000  # ms, of which a float has no ns
    names = _symbol_names(symbols) if symbols else {}
    for thread in profile["threads"]:
        samples = thread["samples"]
        if not samples["stack"]:
            continue  # its tables may be missing as well
        tables = _tables(profile, thread, names)
        times = samples["time"] if samples.get("time") is not None else accumulate(samples["timeDeltas"])
        used = samples.get("threadCPUDelta") or [None] * len(samples["stack"])
        pid, tid = _number(thread["pid"]), _number(thread["tid"])
        name = _text(thread["name"])
        if thread.get("isMainThread"):
            # as on Linux, where a process's first thread has its number; samply names it after the executable
            tid, name = pid, ""
        for time_ms, stack, cpu in zip(times, samples["stack"], used, strict=True):
            if stack is not None and cpu != 0:
                frames = without_entry(tables.frames(stack))
                yield Sample(start_ns + round(time_ms * 1e6), name, pid, tid, frames)


class _Tables(NamedTuple):
    """The columns that a stack's number leads through."""

    prefix: Sequence[int | None]
    frame: Sequence[int]
    names: Sequence[str]
    """Of each frame."""

    def frames(self, stack: int) -> Frames:
        frames: list[str] = []
        at: int | None = stack
        while at is not None:
            if len(frames) == len(self.prefix):
                raise ValueError(f"stack {stack} is its own caller")
            frames.append(_at(self.names, _at(self.frame, at)))
            at = _at(self.prefix, at)
        return tuple(reversed(frames))


def _tables(
    profile: Mapping[str, Any], thread: Mapping[str, Any], symbols: Mapping[tuple[str, int], str]
) -> _Tables:
    shared = profile.get("shared", {})

    def table(name: str) -> Any:
        return thread[name] if name in thread else shared[name]

    strings: Sequence[str] = table("stringArray")
    stack, frame, function, resource = map(table, ("stackTable", "frameTable", "funcTable", "resourceTable"))
    names = []
    for func, address in zip(frame["func"], frame["address"], strict=True):
        name, lib = _text(_at(strings, _at(function["name"], func))), None
        if (owner := _at(function["resource"], func)) is not None and owner >= 0:
            lib = _at(resource["lib"], owner)
        module = _text(_at(profile["libs"], lib)["debugName"]) if lib is not None else ""
        symbol = symbols.get((module, address))
        if symbol is None and name.startswith("0x"):
            names.append(of_module(module))
        else:
            names.append(shorten(symbol or name))
    return _Tables(stack["prefix"], stack["frame"], names)


def _symbol_names(symbols: Mapping[str, Any]) -> dict[tuple[str, int], str]:
    """Names by (library, address in it)."""
    strings = symbols["string_table"]
    return {
        (library["debug_name"], address): _text(_at(strings, _at(library["symbol_table"], index)["symbol"]))
        for library in symbols["data"]
        for address, index in library["known_addresses"]
    }


def _at(column: Sequence[_Value], index: int) -> _Value:
    """A row of a column; Python would count a negative number from the end."""
    if index < 0:
        raise IndexError(f"no row {index}")
    return column[index]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r:.60}")
    return value


def _number(text: str | float) -> int:
    # a number that was used again reads `123.1`
    return int(str(text).partition(".")[0])


def _load(file: Path) -> Any:
    content = regular_file.content(file)
    text = (gzip.decompress(content) if content.startswith(_GZIP) else content).decode()
    nesting.check(text)
    return json.loads(text)
