"""The verbs of `ethrex-perf baseline` that change something: accept, merge, tag, prune."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands.baseline_files import BLOCK, archive, files, one_file, say, select
from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from pytest_ethrex_perf.baseline.schema import Baseline, Session

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_RESERVED = {"first", "last"}


def accept(args: Namespace) -> int:
    """Record the sessions of a results file; 1 if one of them was not taken."""
    from pytest_ethrex_perf.baseline import acceptance
    from pytest_ethrex_perf.records import results_file

    run = results_file.load(args.results)
    wanted = [str(block) for block in parse_blocks(args.block)] or list(
        dict.fromkeys(block.block for block in run.blocks)
    )
    if not run.blocks:
        raise UsageError(f"{args.results}: the run measured no block: there is nothing to accept")
    there = {block.block for block in run.blocks}
    for name in wanted:
        if name not in there:
            raise UsageError(f"{args.results}: no block {name}: there are {', '.join(sorted(there))}")
    failed = False
    for block in (block for block in run.blocks if block.block in wanted):
        try:
            done = acceptance.accept(args.baselines, run, block, args.reason)
        except MeasurementError as error:
            failed = True
            say(f"{block.block}: {error}")
        else:
            say(f"{block.block}: {'; '.join(done)}")
    return 1 if failed else 0


def merge(args: Namespace) -> int:
    """Join two files, or the two sides of one in conflict."""
    from pytest_ethrex_perf.baseline import stacks as profiles
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.merge import merge as joined
    from pytest_ethrex_perf.baseline.merge import sides
    from pytest_ethrex_perf.baseline.schema import KEPT
    from pytest_ethrex_perf.host.lock import writing

    if args.theirs is None:
        try:
            ours, theirs = sides(regular_file.content(args.ours).decode(), str(args.ours))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{args.ours}: cannot be read: {error}") from None
        first = store.parse(ours, f"{args.ours} (ours)")
        second = store.parse(theirs, f"{args.ours} (theirs)")
        output = args.output or args.ours
    elif args.output is None:
        raise UsageError("say where the result goes: -o OUT (it may be one of the two)")
    else:
        first, second, output = store.load(args.ours), store.load(args.theirs), args.output
    merged = joined(first, second, args.epochs)
    newest = merged.epoch.sessions[-1].program.sha256
    with writing(output):
        store.write(output, merged)
        carried = profiles.carry([file for file in (args.ours, args.theirs) if file], output, newest)
    say(f"{output}: {len(list(merged.sessions()))} sessions in {len(merged.epochs)} epoch(s)")
    left = {session.id for session in merged.sessions()}
    both = {session.id: session for side in (first, second) for session in side.sessions()}
    gone = ", ".join(f"{id_} of {session.started[:10]}" for id_, session in both.items() if id_ not in left)
    if gone:
        say(f"{output}: no longer kept, {KEPT} are: session {gone}")
    if carried is not None:
        say(f"{profiles.path(output)}: its newest session's stacks, from {carried}")
    return 0


def tag(args: Namespace) -> int:
    """Name a session, or take its name away."""
    from pytest_ethrex_perf.baseline import store

    if not _TAG.fullmatch(args.name) or args.name in _RESERVED:
        raise UsageError(
            f"{args.name!r} is not a tag: use letters, digits, '.', '_', '-', and not first or last"
        )
    file = one_file(args.block, args)

    def edit(baseline: Baseline) -> Baseline:
        owner = next((session for session in baseline.sessions() if args.name in session.tags), None)
        if args.delete:
            if owner is None:
                raise UsageError(f"{file}: no session is tagged {args.name!r}")
            return _tagged(baseline, owner, tuple(tag for tag in owner.tags if tag != args.name))
        if owner is not None:
            raise UsageError(
                f"{file}: {args.name!r} tags session {owner.id} already: take it away with --delete"
            )
        (session,) = select(baseline, args.session, str(file)).sessions
        return _tagged(baseline, session, tuple(sorted((*session.tags, args.name))))

    store.change(file, edit)
    say(f"{file}: {'took the tag away' if args.delete else 'tagged'}: {args.name}")
    return 0


def _tagged(baseline: Baseline, owner: Session, tags: tuple[str, ...]) -> Baseline:
    """The baseline with `tags` on `owner`, in the place of its own."""
    import msgspec

    def edited(session: Session) -> Session:
        return msgspec.structs.replace(session, tags=tags) if session.id == owner.id else session

    return msgspec.structs.replace(
        baseline,
        epochs=tuple(
            msgspec.structs.replace(epoch, sessions=tuple(map(edited, epoch.sessions)))
            for epoch in baseline.epochs
        ),
    )


def prune(args: Namespace) -> int:
    """Delete what is named; without --yes only say what would go."""
    from pytest_ethrex_perf.baseline import store

    if args.unused_programs is not None:
        return _prune_programs(args)
    if not args.blocks:
        raise UsageError(f"name what to prune: {BLOCK}")
    if args.keep_epochs is not None and args.keep_epochs < 1:
        raise UsageError("--keep-epochs: keep at least 1; --all deletes the whole baseline")
    for file in files(args):
        pruned = functools.partial(_pruned, args=args, file=file)
        left = store.change(file, pruned) if args.yes else pruned(store.load(file))
        _prune_stacks(file, left, delete=args.yes)
    return _dry(args)


def _prune_stacks(file: Path, left: Baseline | None, *, delete: bool) -> None:
    """Delete the stacks beside a baseline that has gone, or no longer names their program."""
    from pytest_ethrex_perf.baseline import stacks as profiles

    stacks = profiles.path(file)
    programs = {session.program.sha256 for session in left.sessions()} if left else set()
    if stacks.exists() and (left is None or profiles.unused(file, programs)):
        if delete:
            profiles.remove(file)
        say(f"{'deleted' if delete else 'would delete'} {stacks}")


def _dry(args: Namespace) -> int:
    if not args.yes:
        say("nothing was deleted: this is a dry run, add --yes to delete")
    return 0


def _prune_programs(args: Namespace) -> int:
    from pytest_ethrex_perf.records import units

    if args.blocks:
        raise UsageError("--unused-programs is about the archive: it takes no block")
    programs = archive(args.archive)
    unused = programs.unused(args.unused_programs)
    if args.yes:
        programs.remove(unused)
    for entry in unused:
        day = datetime.fromtimestamp(entry.used, UTC).date()
        verb = "deleted" if args.yes else "would delete"
        say(f"{verb} {entry.path}, {units.size(entry.size)}, last used {day}")
    return _dry(args)


def _pruned(baseline: Baseline, args: Namespace, file: Path) -> Baseline | None:
    """What is left, None for nothing; says what goes."""
    left = _left(baseline, args, str(file))
    stays = {session.id for session in left.sessions()} if left else set()
    verb = "deleted" if args.yes else "would delete"
    for session in baseline.sessions():
        if session.id not in stays:
            what = f"session {session.id} of {session.started[:10]}, {len(session.invocations)} invocations"
            say(f"{verb} {what}, from {file}")
    return left


def _left(baseline: Baseline, args: Namespace, name: str) -> Baseline | None:
    import msgspec

    if args.all:
        return None
    if args.keep_epochs is not None:
        return msgspec.structs.replace(baseline, epochs=baseline.epochs[-args.keep_epochs :])
    (gone,) = select(baseline, args.session, name).sessions
    epochs = tuple(
        msgspec.structs.replace(epoch, sessions=left)
        for epoch in baseline.epochs
        if (left := tuple(session for session in epoch.sessions if session.id != gone.id))
    )
    return msgspec.structs.replace(baseline, epochs=epochs) if epochs else None
