"""Counting instructions with callgrind: exact where there is no PMU, 50 times slower, so it never times.

An invocation's times come from the plain program; afterwards it runs once more under callgrind with a few
repeats. Where it has the symbol of `add_block_pipeline`, callgrind dumps what it counted, all threads, when
that is entered and left: execution and preparation apart, repeat by repeat. Where it has not, one more run
with a single repeat is subtracted. (`--toggle-collect` would lose every thread but one.)
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import perf_tool, proc, scratch
from pytest_ethrex_perf.records.environment import Environment
from pytest_ethrex_perf.records.measurement import Count, Machine
from pytest_ethrex_perf.records.metric import EXEC, INSTRUCTIONS, PREP, PREP_INSTRUCTIONS
from pytest_ethrex_perf.replay.instrument import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.measurement import CountMethod, Covered, Facts
    from pytest_ethrex_perf.replay.instrument import Counting

FUNCTION = "*add_block_pipeline"
"""Matches legacy and v0 names of Rust, both demangled. No star at its end: of two options with the same
pattern that ends in one, callgrind (3.19) forgets the second."""
REPEATS = 3
"""Repeats under callgrind, the first of which is left out."""
SLOWDOWN = 100.0
"""At most: some 50 times slower, and threads run one at a time."""
_TOGETHER = "without the symbol of add_block_pipeline, preparation and execution are counted together"
_EDGE_OF_FILE = 16_384  # bytes: what is read of a dump is in its head and its last lines
_SIGILL = -4
_END = "Program termination"
_NUMBER = re.compile(r"[0-9]{1,18}")
_TOTALS = re.compile(r"^totals: *(?P<count>[0-9]{0,18})[^\n]*\n\s*\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tool:
    """An installed valgrind."""

    path: str
    version: str
    """`3.19.0`."""


def find(environ: Mapping[str, str]) -> Tool:
    """The valgrind on PATH. Raises `UsageError` that says how to get one."""
    path = shutil.which("valgrind", path=environ.get("PATH", os.defpath))
    if path is None:
        raise UsageError(
            "--ethrex-counters callgrind: valgrind was not found on PATH: "
            + perf_tool.install_command("valgrind")
        )
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
            env=Environment(environ),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"--ethrex-counters callgrind: {path} can't be run: {error}") from None
    version = re.search(r"valgrind-(\d[\w.]*)", done.stdout)
    if version is None:
        raise UsageError(f"--ethrex-counters callgrind: {path} --version fails: {done.stderr.strip()[:200]}")
    return Tool(path, version[1])


class Callgrind:
    """The instrument."""

    apart = True

    def __init__(self, tool: Tool, *, repeats: int = REPEATS) -> None:
        if repeats < 2:  # noqa: PLR2004 - the first repeat is left out
            raise ValueError(f"{repeats} repeats leave nothing to count")
        self.tool = tool
        self.repeats = repeats

    @contextlib.contextmanager
    def counting(self, repeat: int, turn: int) -> Iterator[Counting]:  # noqa: ARG002 - it counts one thing
        """The plain process, then one under callgrind, and one more where symbols are missing."""
        with scratch.folder() as directory:
            yield _CallgrindCounting(self, Run(repeat), directory)


@dataclass
class _CallgrindCounting:
    callgrind: Callgrind
    timed: Run
    directory: Path
    _dumps: dict[int, list[Dump]] = field(default_factory=dict)

    def companions(self) -> Iterator[Run]:
        many = self.callgrind.repeats
        yield self._run(many)
        self._dumps[many] = read_dumps(self._folder(many))
        if by_function(self._dumps[many], many) is None:
            yield self._run(1)
            self._dumps[1] = read_dumps(self._folder(1))

    def _folder(self, repeat: int) -> Path:
        return self.directory / str(repeat)

    def _run(self, repeat: int) -> Run:
        tool, folder = self.callgrind.tool, self._folder(repeat)
        folder.mkdir()
        wrapper = (
            tool.path,
            "--command-line-only=yes",  # nobody's ~/.valgrindrc
            "--tool=callgrind",
            "--vgdb=no",  # nobody debugs it, and its pipes would stay in TMPDIR where it is killed
            f"--callgrind-out-file={folder / 'out.%p'}",
            f"--log-file={folder / 'log.%p'}",
            "--trace-children=yes",  # the program may be behind a script
            "--dump-line=no",
            f"--dump-before={FUNCTION}",
            f"--dump-after={FUNCTION}",
        )
        # symbols are never fetched from the network; a Python hashes alike in every process
        environ = {"DEBUGINFOD_URLS": "", "PYTHONHASHSEED": "0"}
        return Run(
            repeat,
            wrapper,
            environ,
            trouble=lambda finished: trouble(finished, folder, tool.version),
            slowdown=SLOWDOWN,
        )

    def counts(self) -> dict[str, Count]:
        many = self.callgrind.repeats
        dumps = self._dumps[many]
        parts = by_function(dumps, many)
        if parts is not None:
            return {
                INSTRUCTIONS: _count("function", EXEC, parts.execution[1:]),
                PREP_INSTRUCTIONS: _count("function", PREP, parts.preparation[1:]),
            }
        apart = _count("difference", PREP, (), _TOGETHER)
        total, single = (sum(dump.total for dump in self._dumps[repeat]) for repeat in (many, 1))
        if not dumps or not self._dumps[1]:
            together = _count("difference", "repeat", (), "callgrind wrote nothing")
        else:
            together = _count("difference", "repeat", ((total - single) / (many - 1),))
        return {INSTRUCTIONS: together, PREP_INSTRUCTIONS: apart}


def _count(
    method: CountMethod, covers: Covered, values: Sequence[float], missing: str | None = None
) -> Count:
    return Count(
        event=INSTRUCTIONS,
        values=tuple(float(value) for value in values),
        instrument="callgrind",
        method=method,
        covers=covers,
        user_only=True,
        missing=missing,
    )


class Dump(NamedTuple):
    """One file of callgrind's: instructions of all threads since the dump before."""

    pid: int
    part: int
    trigger: str
    """`--dump-before=NAME`, `--dump-after=NAME`, or `Program termination`."""
    total: int


class Parts(NamedTuple):
    """Instructions of each repeat."""

    preparation: tuple[int, ...]
    """Since the execution before: dropping its store, and preparing this one's (loading, in the first)."""
    execution: tuple[int, ...]


def read_dumps(directory: Path) -> list[Dump]:
    """Every dump in `directory`, process by process, in order (callgrind's profile format, version 1).

    Raises `MeasurementError` where one has no end, or one of a process is missing.
    """
    dumps = []
    for path in directory.glob("out.*"):
        text = _edges(path)
        if not text:
            continue  # callgrind makes the file before it has anything to write
        dump = read_dump(text)
        if dump is None:
            raise MeasurementError(f"callgrind's {path.name} was cut: its last line is no total")
        dumps.append(dump)
    dumps.sort()
    for dump, following in itertools.zip_longest(dumps, dumps[1:]):
        if following is not None and following.pid == dump.pid:
            if following.part != dump.part + 1:
                raise MeasurementError(f"callgrind's part {dump.part + 1} of process {dump.pid} is missing")
        elif dump.trigger != _END:
            raise MeasurementError(f"callgrind's last part of process {dump.pid} is missing")
    return dumps


def _edges(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(_EDGE_OF_FILE)
        file.seek(max(_EDGE_OF_FILE, size - _EDGE_OF_FILE))
        return (head + file.read()).decode(errors="replace")


def read_dump(text: str) -> Dump | None:
    """Read the head and the end of a dump; None where it does not end in a whole line of totals."""
    fields = {
        name: re.search(rf"^{pattern}(.*)$", text, re.MULTILINE)
        for name, pattern in (("pid", "pid: *"), ("part", "part: *"), ("trigger", "desc: Trigger: *"))
    }
    total = _TOTALS.search(text)
    if total is None:
        return None
    number = {
        name: int(match[1]) for name, match in fields.items() if match and _NUMBER.fullmatch(match[1].strip())
    }
    trigger = fields["trigger"]
    # nothing but zeros is written as nothing
    return Dump(
        number.get("pid", 0),
        number.get("part", 1),
        trigger[1].strip() if trigger else "",
        int(total["count"] or 0),
    )


def by_function(dumps: Sequence[Dump], repeat: int) -> Parts | None:
    """Preparation and execution of each of `repeat` repeats, None where the dumps do not tell them apart.

    Of several functions that match, the one entered first is the outermost: dumps at the others only cut what
    lies between into more pieces.
    """
    first = next((dump for dump in dumps if dump.trigger.startswith("--dump-before=")), None)
    if first is None:
        return None
    function = first.trigger.removeprefix("--dump-before=")
    preparation, execution, since, inside = [], [], 0, False
    for dump in dumps:
        if dump.pid != first.pid:
            continue
        since += dump.total
        if dump.trigger == f"--dump-before={function}" and not inside:
            preparation.append(since)
            since, inside = 0, True
        elif dump.trigger == f"--dump-after={function}" and inside:
            execution.append(since)
            since, inside = 0, False
    if not len(preparation) == len(execution) == repeat:
        return None
    return Parts(tuple(preparation), tuple(execution))


def trouble(finished: Finished, folder: Path, version: str) -> str | None:
    """What valgrind says of a program that it could not run."""
    logs = "\n".join(log.read_text(errors="replace") for log in sorted(folder.glob("log.*")))
    if finished.returncode == _SIGILL or "unhandled instruction" in logs:
        return (
            f"the program uses an instruction that valgrind {version} does not have (it has no AVX-512): "
            "build it without `-C target-cpu=native`, or count with --ethrex-counters perf"
        )
    if "Fatal error at startup" in logs + finished.stderr:
        return (
            f"valgrind can't start the program: it needs {perf_tool.SYMBOLS}: "
            + perf_tool.install_command(perf_tool.SYMBOLS)
        )
    return None


def machine(tool: Tool, *, root: Path = Path("/")) -> Machine:
    """Where counts of callgrind are comparable: whatever changes the work, and not the CPU's model.

    That is the instruction set as far as valgrind shows it to the program, the CPUs that the program sees (it
    starts threads by them), the C library and valgrind itself.
    """
    architecture = os.uname().machine
    keyed: Facts = {
        "isa": _isa(architecture, root),
        "cpus": _visible_cpus(root),
        "libc": _libc(),
        "valgrind": tool.version,
    }
    key = f"callgrind-{keyed['isa']}-{keyed['cpus']}c-{keyed['libc']}-valgrind-{tool.version}"
    return Machine(key=re.sub(r"[^a-z0-9._-]+", "-", key.lower()), keyed=keyed, recorded={})


# x86-64 psABI, levels; valgrind emulates up to v3 and hides what is above
_X86_LEVELS = (
    ("v2", {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    ("v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
)
_ARM_FEATURES = ("atomics", "aes", "sha2", "crc32")


def _isa(architecture: str, root: Path) -> str:
    cpuinfo = root / "proc/cpuinfo"
    flags = set((proc.field(cpuinfo, "flags") or proc.field(cpuinfo, "Features") or "").split())
    if architecture == "x86_64":
        level = "v1"
        for name, needed in _X86_LEVELS:
            if not needed <= flags:
                break
            level = name
        return f"x86-64-{level}"
    return "-".join([architecture, *(feature for feature in _ARM_FEATURES if feature in flags)])


def _visible_cpus(root: Path) -> int:
    """CPUs that a program may run on, as `std::thread::available_parallelism` sees them but for quotas."""
    return len(proc.allowed_cpus(root)) or os.cpu_count() or 1


def _libc() -> str:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        if version := os.confstr("CS_GNU_LIBC_VERSION"):
            return version.replace(" ", "-")  # glibc-2.36
    return "libc"
