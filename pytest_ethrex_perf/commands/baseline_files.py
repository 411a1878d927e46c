"""Which baselines and sessions the arguments of a command mean, and how its output is written."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection

    from pytest_ethrex_perf.baseline.archive import Archive
    from pytest_ethrex_perf.baseline.schema import Baseline, Session
    from pytest_ethrex_perf.records.block import BlockId

BASELINES = Path("baselines")
BLOCK = "a block: 24443168, hoodi:1265656, workload:keccak"


def say(text: str, end: str = "\n") -> None:
    """Print `text`."""
    sys.stdout.write(text + end)


def archive(directory: Path | None) -> Archive:
    """Return the archive in `directory`, or the user's own."""
    from pytest_ethrex_perf.baseline.archive import Archive, default_directory
    from pytest_ethrex_perf.config import readers
    from pytest_ethrex_perf.config.options import OPTIONS

    size = readers.archive_size(OPTIONS["archive_size"].default)
    return Archive(directory or default_directory(os.environ), size)


def files(args: Namespace, optional: Collection[str] = ()) -> list[Path]:
    """Return the baseline files that the arguments name.

    Raises `UsageError` when a block that is named and not `optional` has none.
    """
    from pytest_ethrex_perf.baseline import store

    wanted = [
        file
        for file in store.files(args.baselines)
        if file.name.startswith(f"{args.kind or ''}")
        and (args.machine is None or file.stem.partition("-")[2] == args.machine.lower())
    ]
    if not args.blocks:
        if not wanted:
            raise UsageError(
                f"no baselines{_limits(args)} in {args.baselines}: record with --ethrex-update-baseline"
            )
        return wanted
    blocks = parse_blocks(args.blocks)
    for block in blocks:
        if str(block) not in optional and not any(_is_of(file, block) for file in wanted):
            raise UsageError(f"no baseline of {block}{_limits(args)} in {args.baselines}")
    return [file for block in blocks for file in wanted if _is_of(file, block)]


def one_file(block: str, args: Namespace) -> Path:
    """Return the one file of `block`; raises `UsageError` for several."""
    file, *others = files(argparse.Namespace(**vars(args) | {"blocks": [block]}))
    if others:
        names = ", ".join(file.stem for file in (file, *others))
        raise UsageError(f"{block} has several baselines ({names}): say which with --machine and --kind")
    return file


def _is_of(file: Path, block: BlockId) -> bool:
    return file.parts[-3:-1] == (block.network, block.name)


def _limits(args: Namespace) -> str:
    """` of embedded on bench`: what the files are limited to."""
    return "".join(f" {word} {value}" for word, value in (("of", args.kind), ("on", args.machine)) if value)


class Selection(NamedTuple):
    """Sessions of one baseline, and what to call them."""

    label: str
    baseline: Baseline
    sessions: tuple[Session, ...]


def select(baseline: Baseline, selector: str | None, name: str) -> Selection:
    """Return the sessions that `selector` means: `first`, `last`, a tag or the start of an id.

    Without one those of the current epoch. `name` is what the baseline is called. Raises `BaselineError`
    unless a selector means just one session.
    """
    from pytest_ethrex_perf.baseline.schema import BaselineError

    if selector is None:
        return Selection(f"{name}, epoch {len(baseline.epochs)}", baseline, baseline.epoch.recent)
    sessions = list(baseline.sessions())
    if selector in {"first", "last"}:
        matches = [baseline.epoch.sessions[0 if selector == "first" else -1]]
    else:
        matches = [session for session in sessions if selector in session.tags]
        matches = matches or [session for session in sessions if session.id.startswith(selector)]
    if len(matches) != 1:
        names = [
            *(tag for session in sessions for tag in session.tags),
            *(session.id for session in sessions),
        ]
        raise BaselineError(
            f"{name}: {'several sessions' if matches else 'no session'} for {selector!r}: say `first`, "
            f"`last`, a tag or an id: {', '.join(names)}"
        )
    return Selection(f"{name}@{matches[0].id}", baseline, (matches[0],))
