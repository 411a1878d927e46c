"""`ethrex-perf baseline …`: look at stored baselines, join them, and delete what is not wanted any more."""

from __future__ import annotations

import argparse
import functools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.blocks import parse_blocks
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from pytest_ethrex_perf.baseline.history import Side
    from pytest_ethrex_perf.baseline.schema import Baseline, Session

    # argparse's own class for what `add_subparsers` returns is private
    Subparsers = argparse._SubParsersAction[ArgumentParser]  # noqa: SLF001

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_RESERVED = {"first", "last"}
_BLOCK = "a block: 24443168, hoodi:1265656"


def add_commands(subparsers: Subparsers) -> None:
    """Register `baseline` and its verbs; each parser sets `run`, which takes the Namespace and returns rc."""
    baseline = subparsers.add_parser("baseline", help="look at stored baselines and look after them")
    verbs = baseline.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[Namespace], int], text: str, *, stored: bool = True) -> ArgumentParser:
        parser = verbs.add_parser(name, help=text.replace("%", "%%"), description=text)
        parser.set_defaults(run=run)
        if stored:
            folder = Path("baselines")
            parser.add_argument(
                "--baselines",
                type=Path,
                default=folder,
                metavar="DIR",
                help=f"where they are (default: {folder})",
            )
            parser.add_argument("--machine", metavar="NAME", help="only those of this machine")
            parser.add_argument(
                "--kind", choices=("ethrex", "embedded"), help="only those of this kind of program"
            )
        return parser

    listing = verb("list", _list, "one line for each stored baseline")
    listing.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"{_BLOCK} (default: every one)")
    showing = verb("show", _show, "the history of a block's baselines: a table and a sparkline")
    showing.add_argument("blocks", nargs="+", metavar="BLOCK", help=_BLOCK)
    showing.add_argument("--metric", choices=("exec", "prep"), default="exec", help="(default: exec)")
    side = "FILE or BLOCK, alone (its current epoch) or with @first, @last, @TAG or @ID"
    diffing = verb("diff", _diff, f"two baselines or sessions side by side; each is {side}")
    diffing.add_argument("a", metavar="A", help=side)
    diffing.add_argument("b", metavar="B", help=side)
    merging = verb(
        "merge",
        _merge,
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
    tagging = verb("tag", _tag, "name a session, so that later results are shown against it too")
    tagging.add_argument("block", metavar="BLOCK", help=_BLOCK)
    tagging.add_argument("name", metavar="NAME", help="the tag")
    tagging.add_argument(
        "--session", default="last", metavar="ID", help="first, last or an id (default: last)"
    )
    tagging.add_argument("--delete", action="store_true", help="take the tag away")
    pruning = verb(
        "prune", _prune, "delete old epochs, one session or a whole baseline; a dry run without --yes"
    )
    pruning.add_argument("blocks", nargs="+", metavar="BLOCK", help=_BLOCK)
    what = pruning.add_mutually_exclusive_group(required=True)
    what.add_argument("--keep-epochs", type=int, metavar="N", help="delete all but the last N epochs")
    what.add_argument("--session", metavar="ID", help="delete one session: first, last, a tag or an id")
    what.add_argument("--all", action="store_true", help="delete the whole baseline")
    pruning.add_argument("--yes", action="store_true", help="really delete")
    verifying = verb("verify", _verify, "check every file against the schema and what must hold beyond it")
    verifying.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"{_BLOCK} (default: every one)")
    verb("schema", _schema, "print the JSON Schema of a baseline's file", stored=False)


def _list(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import history, store
    from pytest_ethrex_perf.baseline.schema import BaselineError

    broken = False
    lines = [("block", "kind", "machine", "epochs", "sessions", "exec", "latest")]
    for file in _files(args):
        try:
            baseline = store.load(file)
        except BaselineError as error:
            _say(str(error))
            broken = True
            continue
        lines.append(
            (
                str(baseline.block_id),
                baseline.kind,
                baseline.machine,
                str(len(baseline.epochs)),
                str(len(list(baseline.sessions()))),
                history.time_told(history.level_ns(baseline.epoch.recent, "exec")),
                baseline.epoch.sessions[-1].started[:10],
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        _say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 1 if broken else 0


def _show(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import history, store

    _say("\n".join(history.show(store.load(file), args.metric) for file in _files(args)), end="")
    return 0


def _diff(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import history

    _say(history.diff(_side(args.a, args), _side(args.b, args)), end="")
    return 0


def _side(spec: str, args: Namespace) -> Side:
    from pytest_ethrex_perf.baseline import history, store

    name, at, selector = spec.rpartition("@") if "@" in spec else (spec, "", "")
    file = Path(name) if Path(name).is_file() else _one_file(name, args)
    return history.select(store.load(file), selector if at else None, name)


def _merge(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.lock import writing
    from pytest_ethrex_perf.baseline.merge import merge, sides

    if args.theirs is None:
        try:
            ours, theirs = sides(args.ours.read_text(encoding="utf-8"), str(args.ours))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{args.ours}: cannot be read: {error}") from None
        first = store.parse(ours, f"{args.ours} (ours)")
        second = store.parse(theirs, f"{args.ours} (theirs)")
        output = args.output or args.ours
    elif args.output is None:
        raise UsageError("say where the result goes: -o OUT (it may be one of the two)")
    else:
        first, second, output = store.load(args.ours), store.load(args.theirs), args.output
    merged = merge(first, second, args.epochs)
    with writing(output):
        store.write(output, merged)
    _say(f"{output}: {len(list(merged.sessions()))} sessions in {len(merged.epochs)} epoch(s)")
    return 0


def _tag(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import history, store

    if not _TAG.fullmatch(args.name) or args.name in _RESERVED:
        raise UsageError(
            f"{args.name!r} is not a tag: use letters, digits, '.', '_', '-', and not first or last"
        )
    file = _one_file(args.block, args)

    def edit(baseline: Baseline) -> Baseline:
        owner = next((one for one in baseline.sessions() if args.name in one.tags), None)
        if args.delete:
            if owner is None:
                raise UsageError(f"{file}: no session is tagged {args.name!r}")
            return _replaced(baseline, owner, tuple(tag for tag in owner.tags if tag != args.name))
        if owner is not None:
            raise UsageError(
                f"{file}: {args.name!r} tags session {owner.id} already: take it away with --delete"
            )
        (session,) = history.select(baseline, args.session, str(file)).sessions
        return _replaced(baseline, session, tuple(sorted((*session.tags, args.name))))

    store.change(file, edit)
    _say(f"{file}: {'took the tag away' if args.delete else 'tagged'}: {args.name}")
    return 0


def _replaced(baseline: Baseline, session: Session, tags: tuple[str, ...]) -> Baseline:
    import msgspec

    def tagged(one: Session) -> Session:
        return msgspec.structs.replace(one, tags=tags) if one.id == session.id else one

    return msgspec.structs.replace(
        baseline,
        epochs=tuple(
            msgspec.structs.replace(epoch, sessions=tuple(map(tagged, epoch.sessions)))
            for epoch in baseline.epochs
        ),
    )


def _prune(args: Namespace) -> int:
    from pytest_ethrex_perf.baseline import store

    if args.keep_epochs is not None and args.keep_epochs < 1:
        raise UsageError("--keep-epochs: keep at least 1; --all deletes the whole baseline")
    for file in _files(args):
        prune = functools.partial(_pruned, args=args, file=file)
        if args.yes:
            store.change(file, prune)
        else:
            prune(store.load(file))
    if not args.yes:
        _say("nothing was deleted: this is a dry run, add --yes to delete")
    return 0


def _pruned(baseline: Baseline, args: Namespace, file: Path) -> Baseline | None:
    """What is left, None for nothing; says what goes."""
    left = _left(baseline, args, str(file))
    stays = {session.id for session in left.sessions()} if left else set()
    verb = "deleted" if args.yes else "would delete"
    for session in baseline.sessions():
        if session.id not in stays:
            what = f"session {session.id} of {session.started[:10]}, {len(session.invocations)} invocations"
            _say(f"{verb} {what}, from {file}")
    return left


def _left(baseline: Baseline, args: Namespace, name: str) -> Baseline | None:
    import msgspec

    from pytest_ethrex_perf.baseline import history

    if args.all:
        return None
    if args.keep_epochs is not None:
        return msgspec.structs.replace(baseline, epochs=baseline.epochs[-args.keep_epochs :])
    (gone,) = history.select(baseline, args.session, name).sessions
    epochs = tuple(
        msgspec.structs.replace(epoch, sessions=left)
        for epoch in baseline.epochs
        if (left := tuple(one for one in epoch.sessions if one.id != gone.id))
    )
    return msgspec.structs.replace(baseline, epochs=epochs) if epochs else None


def _verify(args: Namespace) -> int:
    files = _files(args)
    problems = [problem for file in files if (problem := _problem(file, args.baselines)) is not None]
    for problem in problems:
        _say(problem)
    _say(f"{len(files) - len(problems)} of {len(files)} baselines are sound")
    return 1 if problems else 0


def _problem(file: Path, root: Path) -> str | None:
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.schema import BaselineError

    try:
        baseline = store.load(file)
    except BaselineError as error:
        return str(error)
    home = store.path(root, baseline.block_id, baseline.kind, baseline.machine)
    return None if home == file else f"{file}: is the baseline that belongs to {home}: move it there"


def _schema(_: Namespace) -> int:
    from pytest_ethrex_perf.baseline.schema import json_schema

    _say(json_schema(), end="")
    return 0


def _files(args: Namespace) -> list[Path]:
    """The baseline files that the arguments name; raises `UsageError` when a block named has none."""
    from pytest_ethrex_perf.baseline import store

    found = [
        file
        for file in store.files(args.baselines)
        if file.name.startswith(f"{args.kind or ''}")
        and (args.machine is None or file.stem.partition("-")[2] == args.machine.lower())
    ]
    if not args.blocks:
        if not found:
            raise UsageError(
                f"no baselines{_told_limits(args)} in {args.baselines}: record with --ethrex-update-baseline"
            )
        return found
    blocks = parse_blocks(args.blocks)
    for block in blocks:
        if not any(_is_of(file, str(block)) for file in found):
            raise UsageError(f"no baseline of {block}{_told_limits(args)} in {args.baselines}")
    return [file for block in blocks for file in found if _is_of(file, str(block))]


def _one_file(block: str, args: Namespace) -> Path:
    """The one file of `block`; raises `UsageError` for several."""
    found = _files(argparse.Namespace(**vars(args) | {"blocks": [block]}))
    if len(found) > 1:
        names = ", ".join(file.stem for file in found)
        raise UsageError(f"{block} has several baselines ({names}): say which with --machine and --kind")
    return found[0]


def _is_of(file: Path, block: str) -> bool:
    return f"{file.parts[-3]}/{file.parts[-2]}" == block


def _told_limits(args: Namespace) -> str:
    return "".join(f" {word} {value}" for word, value in (("of", args.kind), ("on", args.machine)) if value)


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
