"""`perf script` folded: a few lines instead of stackcollapse-perf.pl, which keep time and thread.

Format: perf-script(1) of `-F comm,pid,tid,time,ip,sym,dso`: a header line for each sample, below it its
frames, leaf first, then an empty line. The period and the event's name, which other fields bring, are passed
over. With `--show-task-events` a line says when a process began to execute a file.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.profile.names import CUT, UNKNOWN, of_module, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pytest_ethrex_perf.profile.stacks import Frames

MAIN = "main"
"""The first thread of a process, whatever its executable is called."""
UNNAMED = "thread"
"""Another that has no name of its own."""
FIELDS = "comm,pid,tid,time,ip,sym,dso"
_HEADER = re.compile(
    r"\s*(?P<comm>\S.*?)\s+(?P<pid>-?[0-9]+)(?:/(?P<tid>-?[0-9]+))?\s+(?:\[[0-9]+\]\s+)?"
    r"(?P<seconds>[0-9]+)\.(?P<fraction>[0-9]{1,9}):(?P<rest>.*)"
)
_EXECUTED = re.compile(r"PERF_RECORD_COMM exec: (?P<name>.+):-?[0-9]+/-?[0-9]+")
_FRAME = re.compile(r"\s*(?P<ip>[0-9a-f]+) (?P<symbol>.+)")
# a path may have brackets and spaces; symbols have none of " (/", " ([" and " (bpf_prog_"
_MODULE = re.compile(
    r"(?:^| )\((?P<module>(?:/|\[|//anon|memfd:|bpf_(?:prog|trampoline|dispatcher)_).*|inlined|)\)$"
)
_OFFSET = re.compile(r"\+0x[0-9a-f]+$")
_ENTRY = {
    *("_start", "__libc_start_main", "__libc_start_main_impl", "__libc_start_call_main"),
    *("_dl_start_user", "_start_c", "libc_start_main_stage2"),
    *("clone", "clone3", "__clone", "__clone3", "__GI___clone", "__GI___clone3", "start_thread"),
    *("start", "thread_start", "_pthread_start"),
}
# where a thread begins if the C library has no names for it: in the library, or in Rust's own first function
_BEGINNING = re.compile(r"\[(?:libc|libpthread|ld)\b[^\]]*\]|std::.*\bthread_start")
_ETHREX_FUNCTION = re.compile(r"ethrex_\w+::")


class Sample(NamedTuple):
    """One moment of one thread."""

    time_ns: int
    """On the clock that perf records with."""
    comm: str
    """The name that the program gave the thread; empty where it has its executable's."""
    pid: int
    tid: int
    frames: Frames
    """Root first; below `CUT` if its callers are missing."""


def samples(lines: Iterable[str]) -> Iterator[Sample]:
    """Read what `perf script` printed; lines of no sample (lost events, comments) are passed over."""
    header: re.Match[str] | None = None
    frames: list[str] = []
    executables: set[str] = set()  # as threads are named after them, cut by the kernel to 15 characters
    for line in lines:
        if line.strip() and line[0].isspace() and header is not None:
            if frame := _frame(line):
                frames.append(frame)
            continue
        # an empty line, or another header at once
        if header is not None and (sample := _sample(header, frames, executables)):
            yield sample
        header, frames = None if line.startswith("#") else _HEADER.match(line.rstrip("\n")), []
        if header is not None and (executed := _EXECUTED.fullmatch(header["rest"].strip())):
            executables.add(executed["name"].strip())
    if header is not None and (sample := _sample(header, frames, executables)):
        yield sample


def _sample(header: re.Match[str], frames: list[str], executables: Collection[str]) -> Sample | None:
    rest = header["rest"].strip()
    if not frames and rest and not rest.endswith(":"):
        frame = _frame(rest)  # a sample without a chain stands on the header's own line
        if frame is None:
            return None  # another event: `PERF_RECORD_LOST lost 12`
        frames = [frame]
    pid = int(header["pid"])
    return Sample(
        time_ns=int(header["seconds"]) * 10**9 + int(header["fraction"].ljust(9, "0")),
        comm="" if header["comm"] in executables else header["comm"],
        pid=pid,
        tid=int(header["tid"] or pid),
        frames=from_start(tuple(reversed(frames))),
    )


def from_start(frames: Frames) -> Frames:
    """The stack from its thread's first function on; below `CUT` where it does not reach back to that.

    What perf can't walk further it says by a frame without module, `ffffffffffffffff [unknown] ([unknown])`,
    where libunwind unwinds (libdw only stops), and so it does where it already was at the start. So a stack
    is whole if, that frame apart, the outermost or the next is where the C library enters a process or a
    thread. A stack all of whose frames have no name is let pass: its start could have none, either.
    """
    known = tuple(itertools.dropwhile(lambda frame: frame == UNKNOWN, frames))
    if not known:
        return (CUT, UNKNOWN)
    if any(frame in _ENTRY or _BEGINNING.fullmatch(frame) for frame in known[:2]):
        return without_entry(known[1:] if known[1:2] and known[1] in _ENTRY else known)
    if len(known) == len(frames) and all(frame.startswith("[") for frame in known):
        return known
    return (CUT, *known)


def without_entry(frames: Frames) -> Frames:
    """The stack without how the C library enters a thread: unwinders find these frames now and then only."""
    at = next((index for index, frame in enumerate(frames[:-1]) if frame not in _ENTRY), len(frames) - 1)
    return frames[max(at, 0) :]


def _frame(line: str) -> str | None:
    match = _FRAME.fullmatch(line.rstrip())
    if match is None:
        return None
    symbol, module = match["symbol"].rstrip(), None
    if suffix := _MODULE.search(symbol):
        symbol, module = symbol[: suffix.start()], suffix["module"]
    symbol = _OFFSET.sub("", symbol).strip()
    if symbol and symbol != UNKNOWN:
        return shorten(symbol)
    return of_module(module) if module and module != "inlined" else UNKNOWN


def threads(taken: Iterable[Sample]) -> dict[tuple[int, int], str]:
    """A name for each (pid, tid): `main`, or its own, and for threads that are not main what they mostly do.

    Base and head meet in these names, whatever their files are called. Linux keeps 15 characters of a name:
    ethrex's `block_executor_execution` and `block_executor_merkleizer` are both `block_executor_`, and a
    thread without a name has its parent's.
    """
    comms: dict[tuple[int, int], str] = {}
    roles: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for sample in taken:
        key = (sample.pid, sample.tid)
        comms[key] = sample.comm
        if sample.tid != sample.pid and (role := _role(sample.frames)):
            roles[key][role] += 1
    return {key: _thread(key, comm, roles.get(key)) for key, comm in comms.items()}


def _thread(key: tuple[int, int], comm: str, roles: Counter[str] | None) -> str:
    pid, tid = key
    if pid == tid:
        return comm or MAIN
    if roles:
        return f"{comm or UNNAMED} ({roles.most_common(1)[0][0]})"
    return f"{comm} ({UNNAMED})" if comm else UNNAMED


def _role(frames: Frames) -> str | None:
    """The outermost ethrex function that is not a closure, without its path."""
    for frame in frames:
        if _ETHREX_FUNCTION.search(frame) and not frame.endswith("{{closure}}"):
            return frame.rsplit("::", 1)[-1]
    return None
