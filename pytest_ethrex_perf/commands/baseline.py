"""`ethrex-perf baseline …`: every verb, and those that look at stored baselines without changing them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import baseline_upkeep
from pytest_ethrex_perf.commands.baseline_files import BASELINES, BLOCK, archive, files, one_file, say, select
from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import DEFAULT, METRICS
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    import argparse
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from pytest_ethrex_perf.baseline.reference import Reference
    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.commands.baseline_files import Selection
    from pytest_ethrex_perf.records.block import BlockId

    # argparse's own class for what `add_subparsers` returns is private
    Subparsers = argparse._SubParsersAction[ArgumentParser]  # noqa: SLF001


def add_commands(subparsers: Subparsers) -> None:
    """Register `baseline` and its verbs; each parser sets `run`, which takes the Namespace and returns rc."""
    baseline = subparsers.add_parser("baseline", help="look at stored baselines and look after them")
    verbs = baseline.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[Namespace], int], text: str, *, stored: bool = True) -> ArgumentParser:
        parser = verbs.add_parser(name, help=text.replace("%", "%%"), description=text)
        parser.set_defaults(run=run)
        if stored:
            parser.add_argument(
                "--baselines",
                type=Path,
                default=BASELINES,
                metavar="DIR",
                help="where they are (default: %(default)s)",
            )
            parser.add_argument("--machine", metavar="NAME", help="only those of this machine")
            parser.add_argument("--kind", choices=KINDS, help="only those of this kind of program")
        return parser

    listing = verb("list", _list, "one line for each stored baseline")
    listing.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"{BLOCK} (default: every one)")
    showing = verb("show", _show, "the history of a block's baselines: a table and a sparkline")
    showing.add_argument("blocks", nargs="+", metavar="BLOCK", help=BLOCK)
    showing.add_argument(
        "--metric", choices=METRICS, help="(default: exec, or instructions where only those are stored)"
    )
    side = "FILE or BLOCK, alone (its current epoch) or with @first, @last, @TAG or @ID"
    diffing = verb("diff", _diff, f"two baselines or sessions side by side; each is {side}")
    diffing.add_argument("a", metavar="A", help=side)
    diffing.add_argument("b", metavar="B", help=side)
    merging = verb(
        "merge",
        baseline_upkeep.merge,
        "join two branches' files of a baseline, or the two sides of a file that git left in conflict. As "
        "git's merge driver: ethrex-perf baseline merge %A %B -o %A",
        stored=False,
    )
    merging.add_argument("ours", type=Path, metavar="OURS", help="a file, or one that is in conflict")
    merging.add_argument("theirs", type=Path, nargs="?", metavar="THEIRS", help="the other file")
    merging.add_argument("-o", "--output", type=Path, metavar="OUT", help="(default: the file in conflict)")
    merging.add_argument(
        "--epochs",
        choices=("refuse", "join", "order"),
        default="refuse",
        help="epochs that both sides began: refuse, join as one level, or put in order (default: refuse)",
    )
    accepting = verb(
        "accept",
        baseline_upkeep.accept,
        "record what a CI run measured, from its results file (--ethrex-json), as that machine's session",
        stored=False,
    )
    accepting.add_argument("results", type=Path, metavar="RESULTS.json", help="a file of --ethrex-json")
    accepting.add_argument(
        "--reason", metavar="TEXT", help="accept a session that contradicts its epoch as a new one"
    )
    accepting.add_argument(
        "--block", action="append", default=[], metavar="BLOCK", help="only this one (may be repeated)"
    )
    accepting.add_argument(
        "--baselines", type=Path, default=BASELINES, metavar="DIR", help="(default: %(default)s)"
    )
    tagging = verb(
        "tag", baseline_upkeep.tag, "name a session, so that later results are shown against it too"
    )
    tagging.add_argument("block", metavar="BLOCK", help=BLOCK)
    tagging.add_argument("name", metavar="NAME", help="the tag")
    tagging.add_argument(
        "--session", default="last", metavar="ID", help="first, last or an id (default: last)"
    )
    tagging.add_argument("--delete", action="store_true", help="take the tag away")
    pruning = verb(
        "prune",
        baseline_upkeep.prune,
        "delete old epochs, one session or a whole baseline, or archived programs; a dry run without --yes",
    )
    pruning.add_argument("blocks", nargs="*", metavar="BLOCK", help=BLOCK)
    what = pruning.add_mutually_exclusive_group(required=True)
    what.add_argument("--keep-epochs", type=int, metavar="N", help="delete all but the last N epochs")
    what.add_argument("--session", metavar="ID", help="delete one session: first, last, a tag or an id")
    what.add_argument("--all", action="store_true", help="delete the whole baseline")
    what.add_argument(
        "--unused-programs",
        type=float,
        metavar="DAYS",
        help="delete programs that were neither recorded nor run for so long, of any block",
    )
    pruning.add_argument("--archive", type=Path, metavar="DIR", help="as --ethrex-archive of pytest")
    pruning.add_argument("--yes", action="store_true", help="really delete")
    verifying = verb(
        "verify",
        _verify,
        "check every file against the schema and what must hold beyond it, and the caches and programs that "
        "the files name",
    )
    verifying.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"{BLOCK} (default: every one)")
    verifying.add_argument(
        "--cache-dir", metavar="DIR", help="check the cache files here, as --ethrex-cache-dir of pytest"
    )
    verifying.add_argument("--archive", type=Path, metavar="DIR", help="check the programs in this archive")
    verb("schema", _schema, "print the JSON Schema of a baseline's file", stored=False)


def _list(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.schema import BaselineError

    broken = False
    lines = [("block", "kind", "machine", "epochs", "sessions", "level", "latest")]
    for file in files(args):
        try:
            baseline = store.load(file)
        except BaselineError as error:
            say(str(error))
            broken = True
            continue
        lines.append(
            (
                str(baseline.block_id),
                baseline.kind,
                baseline.machine,
                str(len(baseline.epochs)),
                str(len(list(baseline.sessions()))),
                _level(baseline),
                baseline.epoch.sessions[-1].started[:10],
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 1 if broken else 0


def _level(baseline: Baseline) -> str:
    from pytest_ethrex_perf.baseline import history

    metric = history.main_metric(baseline)
    level = units.level(history.level(baseline, baseline.epoch.recent, metric), metric)
    return level if metric == DEFAULT else f"{level} {metric}"


def _show(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.commands.baseline_show import show, show_reference

    blocks = parse_blocks(args.blocks)
    references = {} if args.kind else {str(block): _references(block, args) for block in blocks}
    optional = [block for block, published in references.items() if published]
    texts = [show(store.load(file), args.metric) for file in files(args, optional)]
    texts += [show_reference(reference) for published in references.values() for reference in published]
    say("\n".join(texts), end="")
    return 0


def _references(block: BlockId, args: Namespace) -> list[Reference]:
    """What is published of `block`, of the machine that the arguments name."""
    from pytest_ethrex_perf.baseline import reference

    published = map(reference.load, reference.files(args.baselines, block))
    return [summary for summary in published if args.machine in (None, summary.machine)]


def _diff(args: Namespace) -> int:
    from pytest_ethrex_perf.commands.baseline_show import diff

    say(diff(_selection(args.a, args), _selection(args.b, args)), end="")
    return 0


def _selection(spec: str, args: Namespace) -> Selection:
    """The sessions that `FILE@SELECTOR` or `BLOCK@SELECTOR` means."""
    from pytest_ethrex_perf.baseline import store

    name, at, selector = spec.rpartition("@") if "@" in spec else (spec, "", "")
    file = Path(name) if Path(name).is_file() else one_file(name, args)
    return select(store.load(file), selector if at else None, name)


def _verify(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import verification
    from pytest_ethrex_perf.replay import cache

    programs = archive(args.archive) if args.archive is not None else None
    cache_dir = None if args.cache_dir is None else cache.directory(args.cache_dir)
    findings = [
        verification.examine(file, args.baselines, cache_dir=cache_dir, archive=programs)
        for file in files(args)
    ]
    broken = list(verification.references(args.baselines))
    for line in [*(line for finding in findings for line in finding.wrong), *broken]:
        say(line)
    for line in (line for finding in findings for line in finding.remarks):
        say(f"note: {line}")
    sound = sum(not finding.wrong for finding in findings)
    say(f"{sound} of {len(findings)} baselines are sound")
    return 1 if broken or sound < len(findings) else 0


def _schema(_: Namespace) -> int:
    from pytest_ethrex_perf.baseline.schema import json_schema

    say(json_schema(), end="")
    return 0
