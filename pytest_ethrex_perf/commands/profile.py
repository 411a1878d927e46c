"""`ethrex-perf profile`, `stacks` and `doctor`: where the time goes, by hand."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from pytest_ethrex_perf.profile.stacks import Stacks
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program, Side

    # argparse's own class for what `add_subparsers` returns is private
    Subparsers = argparse._SubParsersAction[ArgumentParser]  # noqa: SLF001

_BUNDLED = "bundled"
_LOCK_TIMEOUT_S = 1800.0
_EXIT_MISSING = 1


def add_commands(subparsers: Subparsers) -> None:
    """Register the commands; each parser sets `run`, which takes the Namespace and returns the exit code."""
    _add_profile(subparsers)
    _add_stacks(subparsers)
    _add_doctor(subparsers)


def _add_profile(subparsers: Subparsers) -> None:
    text = (
        "profile a block's execution: hotspots, folded stacks, a flamegraph; with --base, what changed from "
        "base to head, function by function"
    )
    parser = subparsers.add_parser("profile", help=text, description=text)
    parser.add_argument("block", metavar="BLOCK", help="24443168, hoodi:1265656")
    parser.add_argument("--replay", metavar="PROGRAM", help="as --ethrex-replay of pytest")
    parser.add_argument("--base", metavar="PROGRAM", help="as --ethrex-base of pytest")
    parser.add_argument("--prefix", metavar="COMMAND", default="", help="put before the program")
    parser.add_argument("--network", metavar="NAME", default="mainnet", help="default: %(default)s")
    parser.add_argument(
        "--cache-dir",
        metavar="DIR",
        default="replay_cache",
        help="default: %(default)s; `bundled`: the embedded program's own block",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="default: ethrex-perf-profile/NETWORK-N")
    parser.add_argument(
        "--repeat", metavar="R", type=_whole, default=10, help="per invocation (default: %(default)s)"
    )
    parser.add_argument(
        "--invocations",
        metavar="N",
        type=_whole,
        help="of each program (default: 1; with --base 4, in turns, each at a rate of its own)",
    )
    parser.add_argument(
        "--frames",
        choices=("dwarf", "fp"),
        default="dwarf",
        help="how perf walks the stack; fp needs a program with frame pointers (default: %(default)s)",
    )
    parser.add_argument(
        "--frequency",
        metavar="HZ",
        type=_whole,
        default=997,
        help="samples per second of CPU time (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_whole,
        default=300,
        help="of one invocation (default: %(default)s)",
    )
    parser.add_argument(
        "--max-size", metavar="MIB", type=_whole, default=512, help="of one recording (default: %(default)s)"
    )
    parser.add_argument("--log-dir", metavar="DIR", default="ethrex-perf-logs", help="default: %(default)s")
    parser.set_defaults(run=_profile)


def _add_stacks(subparsers: Subparsers) -> None:
    text = (
        "analyse folded stacks: a .folded file of `ethrex-perf profile`, stackcollapse-perf.pl or inferno, "
        "or the stacks kept beside a baseline; several files are taken together"
    )
    parser = subparsers.add_parser("stacks", help=text, description=text)
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+")
    parser.add_argument("--top", action="store_true", help="self time by function (the default)")
    parser.add_argument("--inclusive", action="store_true", help="time by function, what it calls included")
    parser.add_argument(
        "--callers",
        metavar="PATTERN",
        action="append",
        default=[],
        help="which ethrex functions call what this regular expression finds; may be repeated",
    )
    parser.add_argument("--crates", action="store_true", help="by ethrex crate")
    parser.add_argument("--phases", action="store_true", help="by phase")
    parser.add_argument("--threads", action="store_true", help="by thread")
    parser.add_argument("--allocations", action="store_true", help="malloc, free, realloc and their callers")
    parser.add_argument(
        "--structures", action="store_true", help="BTreeMap, SliceOrd, HashMap and their callers"
    )
    parser.add_argument("--opcodes", action="store_true", help="LEVM's opcodes")
    parser.add_argument("--phase", choices=("cache-io", "prep", "exec", "cleanup"), help="only this phase")
    parser.add_argument("--thread", metavar="PATTERN", help="only threads whose name this finds")
    parser.add_argument("--raw-names", action="store_true", help="names as they are in the file")
    parser.add_argument("-n", "--rows", metavar="N", type=_whole, default=30, help="default: %(default)s")
    parser.add_argument("--flamegraph", metavar="FILE.html", type=Path, help="also draw a flamegraph")
    parser.set_defaults(run=_stacks)


def _add_doctor(subparsers: Subparsers) -> None:
    text = (
        "say what this machine can measure and explain, and which commands fix what is missing; exit code 1 "
        "if something is"
    )
    parser = subparsers.add_parser("doctor", help=text, description=text)
    parser.add_argument(
        "--replay",
        metavar="PROGRAM",
        help="the program whose symbols to look at; as --ethrex-replay of pytest",
    )
    parser.add_argument("--no-noise", action="store_true", help="don't measure the noise (a second)")
    parser.set_defaults(run=_doctor)


def _whole(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return value


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


# --- profile -----------------------------------------------------------------------------------------------


def _profile(args: Namespace) -> int:
    from pytest_ethrex_perf.host import lock
    from pytest_ethrex_perf.profile import artifacts, differential, record, tables

    block = _one_block(args.block, args.network)
    sides: dict[Side, Program] = {"head": _program(args.replay, "--replay", args.prefix)}
    if args.base:
        sides["base"] = _program(args.base, "--base", args.prefix)
    with lock.measuring(f"ethrex-perf profile {block}", timeout=_LOCK_TIMEOUT_S, waiting=_say):
        taken = record.record_sides(
            sides,
            block,
            invocations=args.invocations or (record.INVOCATIONS if args.base else 1),
            cache_dir=_cache_dir(args.cache_dir),
            environ=os.environ,
            log_dir=Path(args.log_dir),
            repeat=args.repeat,
            sampling=record.Sampling(
                args.frames, args.frequency, record.Limits(timeout_s=args.timeout, mib=args.max_size)
            ),
        )
    head, base = taken["head"], taken.get("base", [])
    _say(*tables.profile(head))
    if base:
        _say("", *tables.explanation(differential.explain(base, head)))
    folder = args.out or Path("ethrex-perf-profile") / f"{block.network}-{block.number}"
    _say("", *(f"wrote {path}" for path in artifacts.write(folder, head, base)))
    return 0


def _one_block(spec: str, network: str) -> BlockId:
    from pytest_ethrex_perf.records.block import parse_blocks

    blocks = parse_blocks([spec], network)
    if len(blocks) != 1:
        raise UsageError(f"{spec!r} is {len(blocks)} blocks: profile one at a time")
    return blocks[0]


def _program(spec: str | None, option: str, prefix: str = "") -> Program:
    from pytest_ethrex_perf.replay import program

    return program.resolve(spec, cwd=Path.cwd(), environ=os.environ, prefix=prefix, option=option)


def _cache_dir(text: str) -> Path:
    from pytest_ethrex_perf.embedded.bundled import bundled_dir

    return bundled_dir() if text == _BUNDLED else Path(text)


# --- stacks ------------------------------------------------------------------------------------------------


def _stacks(args: Namespace) -> int:
    from pytest_ethrex_perf.profile import flamegraph, stacks

    chosen: stacks.Stacks = Counter()
    notes = []
    for file in args.files:
        read, other = stacks.read(file)
        chosen.update(read)
        if other:
            notes.append(f"note: {file}: {other} lines are no folded stacks, and were left out")
    if not args.raw_names:
        chosen = stacks.shortened(chosen)
    chosen = stacks.select(chosen, phase=args.phase, thread=args.thread)
    _say(f"{chosen.total():,} samples", *notes)
    for section in _sections(args, chosen):
        _say("", *section)
    if args.flamegraph is not None:
        title = ", ".join(file.name for file in args.files)
        _write(args.flamegraph, flamegraph.page(title, [flamegraph.graph(title, chosen)]))
        _say("", f"wrote {args.flamegraph}")
    return 0


def _sections(args: Namespace, chosen: Stacks) -> Iterator[list[str]]:
    """The tables that were asked for, self time if none was."""
    from pytest_ethrex_perf.profile import analyses, stacks, tables

    total = chosen.total()
    simple = {
        "top": ("self time", analyses.self_time),
        "inclusive": ("inclusive", analyses.inclusive),
        "crates": ("by crate", analyses.crates),
        "phases": ("by phase", analyses.phases),
        "threads": ("by thread", analyses.threads),
        "opcodes": ("LEVM opcodes, what they call included", analyses.opcodes),
    }
    nested = {
        "allocations": ("allocation pressure", analyses.allocations),
        "structures": ("data-structure overhead", analyses.structures),
    }
    wanted = [name for name in (*simple, *nested) if getattr(args, name)]
    if not wanted and not args.callers:
        wanted = ["top"]
    for name in wanted:
        if name in simple:
            title, analysis = simple[name]
            yield tables.analysis(title, analyses.table(analysis(chosen), total, args.rows))
        else:
            title, analysis_of_families = nested[name]
            yield tables.families(title, analysis_of_families(chosen), total, args.rows)
    for text in args.callers:
        counts = analyses.callers(chosen, stacks.pattern(text))
        title = f"callers of {text}, the nearest ethrex function above"
        yield tables.analysis(title, analyses.table(counts, total, args.rows))


def _write(path: Path, content: str) -> None:
    from pytest_ethrex_perf.host import files

    try:
        files.replace(path, content.encode())
    except OSError as error:
        raise MeasurementError(f"{path}: can't be written: {error.strerror}") from None


# --- doctor ------------------------------------------------------------------------------------------------


def _doctor(args: Namespace) -> int:
    from pytest_ethrex_perf.commands import doctor
    from pytest_ethrex_perf.profile import tables

    program = _program(args.replay, "--replay") if args.replay else None
    found = []
    for finding in doctor.examine(os.environ, program=program, noise=not args.no_noise):
        found.append(finding)
        _say(*tables.findings([finding]))
    missing = [finding for finding in found if finding.state == "missing"]
    return _EXIT_MISSING if missing else 0
