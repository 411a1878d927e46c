"""`ethrex-perf doctor`: what this machine can measure, and the command for each thing that is missing."""

from __future__ import annotations

import os
import shutil
import statistics
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.commands import programs
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.counters import probe
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import perf_tool, proc
from pytest_ethrex_perf.host.machine import identify
from pytest_ethrex_perf.host.noise import NoiseProbe, load1
from pytest_ethrex_perf.profile import depth, perf, recursion, samply
from pytest_ethrex_perf.profile.sampling import Limits, Sampling
from pytest_ethrex_perf.records import regular_file, units
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from pytest_ethrex_perf.records.measurement import Program

State = Literal["ok", "better", "missing", "unknown"]
"""`better`: it works, and would work better. `missing`: something cannot be done. `unknown`: no file says."""
_MARKS = {"ok": "✅", "better": "⚠️", "missing": "❌", "unknown": "❔"}
_EXIT_MISSING = 1
_LOAD_PER_CPU = 0.1  # beside us
_SPREAD = 0.02  # of a loop that always does the same
_RECURSION_LIMITS = Limits(timeout_s=30.0, mib=64)
_LOOPS, _LOOP_MS = 40, 15.0
_RELEASE_WITH_DEBUG = "cargo build --profile release-with-debug"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    text: str
    fix: str | None = None
    """A command, to be typed as it is, or what to do."""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = (
        "say what this machine can measure and explain, and which commands fix what is missing; exit code 1 "
        "if something cannot be done (❌), 0 if it only could work better (⚠️); with --ethrex-block also "
        "which slowdown of that block is seen here in how many minutes, and which options to take"
    )
    parser = subparsers.add_parser("doctor", help=text, description=text)
    parser.add_argument(
        "--replay",
        "--ethrex-replay",
        metavar="PROGRAM",
        help="the program whose symbols to look at, and to measure; as --ethrex-replay of pytest",
    )
    parser.add_argument("--no-noise", action="store_true", help="don't measure the noise (a second)")
    parser.add_argument(
        "--block",
        "--ethrex-block",
        metavar="SPEC",
        help="measure this block against itself; as --ethrex-block of pytest",
    )
    for name in ("cache_dir", "prefix", "repeat"):
        flag = OPTIONS[name].flag_name
        parser.add_argument(
            flag.replace("--ethrex-", "--"),
            flag,
            metavar=OPTIONS[name].metavar,
            help=f"to measure with; as {flag} of pytest",
        )
    parser.add_argument(
        "--for",
        dest="lasts",
        metavar="TIME",
        default="60s",
        help="how long to measure, about (default: 60s); 6 pairs at least, whatever they take",
    )
    parser.set_defaults(run=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    program = programs.resolve(args.replay, "--replay") if args.replay else None
    missing = False
    for finding in examine(os.environ, program=program, noise=not args.no_noise):
        sys.stdout.writelines(f"{line}\n" for line in lines(finding))
        missing = missing or finding.state == "missing"
    if args.block is not None:
        _measure(args)
    return _EXIT_MISSING if missing else 0


def _measure(args: argparse.Namespace) -> None:
    """Measure a block for a while, and say what is seen here."""
    from pytest_ethrex_perf.commands import outlook
    from pytest_ethrex_perf.config import settings as config
    from pytest_ethrex_perf.config.parsers import read, seconds
    from pytest_ethrex_perf.gate import trial

    lasts = read(seconds, args.lasts, "--for")
    typed = {name: getattr(args, name) for name in ("replay", "cache_dir", "prefix", "repeat")}
    settings = config.load(
        {**typed, "block": [args.block]}, cwd=Path.cwd(), root=Path.cwd(), ini={}, environ=os.environ
    )
    if len(settings.blocks) != 1:
        raise UsageError(f"--block {args.block}: name one block")
    (block,) = settings.blocks
    _say(f"\n{block}: measuring a program against itself for about {units.clock(lasts)}")
    measured = trial.run(settings, block, lasts, _say)
    counted = f" and {measured.counts} counts by callgrind" if measured.counts else ""
    took = units.clock(measured.took_s)
    _say(f"{measured.pairs} pairs{counted} in {took}; a pair takes {measured.outlooks[0].pair_s:.2g} s")
    for line in outlook.text(measured):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def lines(finding: Finding) -> Iterator[str]:
    """A finding, and below it the command that helps."""
    yield f"{_MARKS[finding.state]} {finding.name}: {finding.text}"
    if finding.fix is not None:
        yield f"      {finding.fix}"


def examine(
    environ: Mapping[str, str], *, program: Program | None = None, root: Path = proc.ROOT, noise: bool = True
) -> Iterator[Finding]:
    """Look at everything, in a few seconds, fewer unless `noise` is measured; `root` holds proc and sys."""
    if sys.platform == "darwin":
        yield _samply(environ)
    else:
        yield from _perf(environ, root)
        yield from _permissions(root)
        yield _pmu(root)
        yield from _counts(environ, root)
    yield _valgrind(environ, root)
    if program is not None:
        yield symbols(program)
    if (root / "proc/cpuinfo").exists():
        yield from _clock(root)
        yield _load(root)
    if noise:
        yield _noise(root)


def _perf(environ: Mapping[str, str], root: Path) -> Iterator[Finding]:
    try:
        tool = perf.find(environ, root=root)
    except MeasurementError as error:
        reason, _, fix = str(error).partition(": ")
        yield Finding("profiles (perf)", "missing", reason, fix or None)
        return
    compression = "" if tool.compresses else ", without compression"
    yield Finding("profiles (perf)", "ok", f"perf {tool.version} records user-space stacks{compression}")
    yield _whole_stacks(tool, environ)


def _whole_stacks(tool: perf.Perf, environ: Mapping[str, str]) -> Finding:
    """Whether stacks as deep as ethrex's come out whole: a recursion in Python, recorded now."""
    name = "whole stacks (perf)"
    cut, kib = 1.0, 0
    for size in tool.stack_sizes(Sampling()):
        kib = round(size / 1024)
        try:
            cut = recursion.cut_off(tool, Sampling(stack_bytes=size, limits=_RECURSION_LIMITS), environ)
        except MeasurementError as error:
            return Finding(name, "missing", f"a recursion in Python: {error}")
        if cut <= depth.ENOUGH:
            text = f"{units.percent(cut)} of stacks some 20 KiB deep were cut off, with {kib} KiB of each"
            return Finding(name, "ok", text)
    return Finding(
        name,
        "better",
        f"{units.percent(cut)} of stacks some 20 KiB deep were cut off, even with {kib} KiB of each",
        "perf version --build-options: it needs libunwind or libdw; programs with frame pointers do without "
        "(--ethrex-profile-frames=fp)",
    )


def _samply(environ: Mapping[str, str]) -> Finding:
    try:
        tool = samply.find(environ)
    except MeasurementError as error:
        reason, _, fix = str(error).partition(": ")
        return Finding("profiles (samply)", "missing", reason, fix)
    return Finding("profiles (samply)", "ok", tool.path)


def _permissions(root: Path) -> Iterator[Finding]:
    level = perf_tool.paranoid(root)
    if level is not None:
        allowed = level <= perf_tool.USER_SPACE
        who = "everybody" if allowed else "only root"
        yield Finding(
            "kernel.perf_event_paranoid",
            "ok" if allowed else "better" if os.geteuid() == 0 else "missing",
            f"{level}: {who} may sample and count their own processes",
            None if allowed else perf_tool.PERMIT,
        )
    hidden = proc.read(root / "proc/sys/kernel/kptr_restrict")
    if hidden is not None:
        shown = hidden == "0"
        yield Finding(
            "kernel.kptr_restrict",
            "ok" if shown else "better",
            f"{hidden}: the kernel's functions have {'names' if shown else 'no names in your own profiles'}",
            None if shown else "sudo sysctl -w kernel.kptr_restrict=0",
        )


def _pmu(root: Path) -> Finding:
    names = perf_tool.pmus(root)
    if names:
        return Finding("hardware counters (PMU)", "ok", ", ".join(names))
    return Finding(
        "hardware counters (PMU)",
        "better",
        "this machine shows none, as most virtual machines and hosted runners",
        "no command brings them: measure on bare metal, or count instructions with callgrind",
    )


def _counts(environ: Mapping[str, str], root: Path) -> Iterator[Finding]:
    """Only what `_perf` does not say: a perf that samples may be too old to count."""
    try:
        outdated = probe.too_old(perf_tool.find(environ, root=root))
    except MeasurementError:
        return
    if outdated is not None:
        fix = "install the perf of a newer kernel, or count instructions with callgrind"
        yield Finding("counts (perf stat)", "better", outdated, fix)


def _valgrind(environ: Mapping[str, str], root: Path) -> Finding:
    path = shutil.which("valgrind", path=environ.get("PATH"))
    if path is not None:
        return Finding("instruction counts (callgrind)", "ok", path)
    if sys.platform == "darwin":
        return Finding(
            "instruction counts (callgrind)", "missing", "valgrind does not run on this macOS", None
        )
    return Finding(
        "instruction counts (callgrind)",
        "missing",
        "valgrind is not installed",
        perf_tool.install_command("valgrind", root),
    )


# --- the program -------------------------------------------------------------------------------------------


def symbols(program: Program) -> Finding:
    """Whether stacks of `program` will have names, by the sections of its executable."""
    name = f"symbols of {program.label}"
    if stacks := KINDS[program.kind].stacks:
        return Finding(name, "ok", stacks)
    executable = Path(program.command[0])
    try:
        sections = elf_sections(executable)
    except OSError as error:
        return Finding(name, "missing", f"{executable} can't be read: {error.strerror}")
    if sections is None:
        return Finding(name, "better", f"{executable} is no ELF file: is it a script around the program?")
    if ".symtab" not in sections:
        return Finding(name, "missing", "stripped: stacks have addresses, no names", _RELEASE_WITH_DEBUG)
    if not sections & {".debug_info", ".zdebug_info"}:
        text = "function names, but no debug info (inlined functions, lines)"
        return Finding(name, "better", text, _RELEASE_WITH_DEBUG)
    return Finding(name, "ok", "function names and debug info")


def elf_sections(path: Path) -> set[str] | None:
    """Names of an executable's sections, None where it is no 64-bit little-endian ELF file (elf(5)).

    Raises OSError where it can't be read.
    """
    with regular_file.opened(path) as file:
        header = file.read(64)
        if len(header) < 64 or header[:6] != b"\x7fELF\x02\x01":  # noqa: PLR2004 - size of the header
            return None
        (offset,) = struct.unpack_from("<Q", header, 40)
        size, count, names_at = struct.unpack_from("<HHH", header, 58)
        if not offset or size < 64:  # noqa: PLR2004 - size of a section's header
            return set()
        if offset > path.stat().st_size:
            return None
        file.seek(offset)
        table = file.read(size * count)
        if len(table) < size * count or names_at >= count:
            return None
        # sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size
        entries = [struct.unpack_from("<IIQQQQ", table, size * index) for index in range(count)]
        *_, names_offset, names_size = entries[names_at]
        if names_offset + names_size > path.stat().st_size:
            return None
        file.seek(names_offset)
        strings = file.read(names_size)
    return {strings[name:].split(b"\0", 1)[0].decode(errors="replace") for name, *_ in entries}


# --- the machine -------------------------------------------------------------------------------------------


def _clock(root: Path) -> Iterator[Finding]:
    facts = identify(root=root).keyed
    governor = facts.get("governor")
    if governor is None:
        yield Finding("CPU governor", "unknown", "not told (a virtual machine's host decides)")
    else:
        steady = governor == "performance"
        yield Finding(
            "CPU governor",
            "ok" if steady else "better",
            str(governor),
            None
            if steady
            else "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        )
    boost = facts.get("boost")
    if boost:
        intel = (root / proc.CPU / "intel_pstate/no_turbo").exists()
        fix = (
            "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
            if intel
            else "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
        )
        yield Finding("CPU boost", "better", "on: clocks depend on heat and on the other cores", fix)
    else:
        state: State = "unknown" if boost is None else "ok"
        yield Finding("CPU boost", state, "not told" if boost is None else "off")


def _load(root: Path) -> Finding:
    load = load1(root)
    if load is None:
        return Finding("load", "unknown", "not told")
    cpus = int(identify(root=root).keyed.get("cpus", 1))
    quiet = load <= _LOAD_PER_CPU * cpus
    return Finding(
        "load",
        "ok" if quiet else "better",
        f"{load:.2f} on {cpus} CPU{'' if cpus == 1 else 's'} over the last minute",
        None if quiet else "see what else runs: ps -eo pcpu,comm --sort=-pcpu | head",
    )


def measure_spread() -> float:
    """Coefficient of variation of a loop of about 15 ms that always does the same, over 40 of them."""
    rounds = 20_000
    while (took := _loop(rounds)) < _LOOP_MS / 4:
        rounds *= 2
    rounds = max(1, round(rounds * _LOOP_MS / took))
    times = [_loop(rounds) for _ in range(_LOOPS)]
    return statistics.stdev(times) / statistics.fmean(times)


def _loop(rounds: int) -> float:
    """Milliseconds of so many rounds."""
    value = 1
    start = time.perf_counter_ns()
    for _ in range(rounds):
        value = (value * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return (time.perf_counter_ns() - start) / 1e6


def _noise(root: Path) -> Finding:
    probe = NoiseProbe(root)
    probe.start()
    spread = measure_spread()
    steal = probe.stop().steal_ticks
    quiet = spread <= _SPREAD and not steal
    host = f", and the host took {steal} ticks of CPU away" if steal else ""
    return Finding(
        "noise",
        "ok" if quiet else "better",
        f"the same work varies by {units.percent(spread)} ({_LOOPS} loops of {_LOOP_MS:g} ms){host}",
        None if quiet else "see what the gate can resolve here: pytest --ethrex-block BLOCK --ethrex-aa",
    )
