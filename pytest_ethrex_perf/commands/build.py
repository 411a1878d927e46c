"""`ethrex-perf build`: what the gate builds of a revision, by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import programs
from pytest_ethrex_perf.config.parsers import REVISION
from pytest_ethrex_perf.errors import MeasurementError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_ethrex_perf.baseline.builds import Build

_TEXT = (
    "build revisions as [build] in ethrex-perf.toml says, as --ethrex-replay=git:REV does, unless they are "
    "in the archive"
)
_CODES = (
    "exit codes: 0 all are there, 1 one cannot be built (the others are built all the same), 2 there is no "
    "such revision, or no [build]"
)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    parser = subparsers.add_parser("build", help=_TEXT, description=_TEXT, epilog=_CODES)
    parser.add_argument(
        "revisions",
        metavar="REV",
        nargs="+",
        help="HEAD, origin/main, merge-base, WORKTREE, or another revision; with or without git: before it",
    )
    parser.add_argument(
        "--side",
        choices=("base", "head"),
        default="head",
        help="whose checkout and target directory are used (default: %(default)s)",
    )
    parser.add_argument("--path", action="store_true", help="print the paths alone, for scripts")
    parser.add_argument("--config", metavar="FILE", help="as --ethrex-config of pytest")
    parser.add_argument("--timeout", metavar="TIME", help="as --ethrex-build-timeout of pytest")
    parser.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    builds = programs.builds(programs.settings(config=options.config, build_timeout=options.timeout))
    specs = [f"{REVISION}{word.removeprefix(REVISION)}" for word in options.revisions]
    revisions = [builds.revision(spec, options.side, "build") for spec in specs]
    failed = 0
    for revision in revisions:
        try:
            build = builds.build(revision, options.side)
        except MeasurementError as error:
            sys.stderr.write(f"ethrex-perf: {error}\n")
            failed += 1
        else:
            path = build.program.command[0]
            sys.stdout.write("".join(f"{line}\n" for line in ([path] if options.path else _lines(build))))
            sys.stdout.flush()
    return 1 if failed else 0


def _lines(build: Build) -> Iterator[str]:
    from pytest_ethrex_perf.records import units

    yield build.revision.label
    yield f"  {build.program.command[0]}"
    origin = (
        "from the archive" if build.seconds is None else f"built in {units.duration(build.seconds * 1e9)}"
    )
    yield f"  sha256 {build.program.sha256}, {origin}"
