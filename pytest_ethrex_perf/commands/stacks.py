"""`ethrex-perf stacks`: analyses of folded stacks, ours or anybody's."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands.arguments import whole
from pytest_ethrex_perf.errors import MeasurementError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_ethrex_perf.profile.stacks import Stacks


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
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
    parser.add_argument("-n", "--rows", metavar="N", type=whole, default=30, help="default: %(default)s")
    parser.add_argument("--flamegraph", metavar="FILE.html", type=Path, help="also draw a flamegraph")
    parser.add_argument(
        "--firefox", metavar="FILE.json", type=Path, help="also write them for profiler.firefox.com"
    )
    parser.set_defaults(run=_stacks)


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _stacks(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.profile import firefox, flamegraph, stacks

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
    if cut := stacks.cut_sentence(stacks.cut_off(chosen)):
        notes.append(f"note: {cut}")
    _say(f"{chosen.total():,} samples", *notes)
    for section in _sections(args, chosen):
        _say("", *section)
    title = ", ".join(file.name for file in args.files)
    if args.flamegraph is not None:
        _write(args.flamegraph, flamegraph.page(title, [flamegraph.graph(title, chosen)]))
        _say("", f"wrote {args.flamegraph}")
    if args.firefox is not None:
        process = firefox.Process(title, stacks.by_phase(chosen))
        _write(args.firefox, firefox.dump(title, [process], "samples"))
        _say("", f"wrote {args.firefox}")
    return 0


def _sections(args: argparse.Namespace, chosen: Stacks) -> Iterator[list[str]]:
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
