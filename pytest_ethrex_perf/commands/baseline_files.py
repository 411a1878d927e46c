"""Which baselines the arguments of a command mean, and how its output is written."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection

    from pytest_ethrex_perf.baseline.archive import Archive

BASELINES = Path("baselines")
BLOCK = "a block: 24443168, hoodi:1265656"


def files(args: Namespace, optional: Collection[str] = ()) -> list[Path]:
    """The baseline files that the arguments name.

    Raises `UsageError` when a block that is named and not `optional` has none.
    """
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
        if str(block) not in optional and not any(_is_of(file, str(block)) for file in found):
            raise UsageError(f"no baseline of {block}{_told_limits(args)} in {args.baselines}")
    return [file for block in blocks for file in found if _is_of(file, str(block))]


def one_file(block: str, args: Namespace) -> Path:
    """The one file of `block`; raises `UsageError` for several."""
    found = files(argparse.Namespace(**vars(args) | {"blocks": [block]}))
    if len(found) > 1:
        names = ", ".join(file.stem for file in found)
        raise UsageError(f"{block} has several baselines ({names}): say which with --machine and --kind")
    return found[0]


def _is_of(file: Path, block: str) -> bool:
    return f"{file.parts[-3]}/{file.parts[-2]}" == block


def _told_limits(args: Namespace) -> str:
    return "".join(f" {word} {value}" for word, value in (("of", args.kind), ("on", args.machine)) if value)


def say(text: str, end: str = "\n") -> None:
    """Print `text`."""
    sys.stdout.write(text + end)


def archive(directory: Path | None) -> Archive:
    """The archive in `directory`, or the user's own."""
    from pytest_ethrex_perf.baseline.archive import Archive, default_directory
    from pytest_ethrex_perf.config.options import OPTIONS

    return Archive(directory or default_directory(os.environ), OPTIONS["archive_size"].default)
