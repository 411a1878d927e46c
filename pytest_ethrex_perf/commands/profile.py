"""`ethrex-perf profile`: where a block's time goes, and with a base what changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import programs
from pytest_ethrex_perf.commands.arguments import whole
from pytest_ethrex_perf.errors import MeasurementError, UsageError

if TYPE_CHECKING:
    import argparse

    from pytest_ethrex_perf.profile.sampling import Profiler
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program, Side

_LOCK_TIMEOUT_S = 1800.0


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = (
        "profile a block's execution: hotspots, folded stacks, a flamegraph; with --base, what changed from "
        "base to head, function by function"
    )
    parser = subparsers.add_parser("profile", help=text, description=text)
    parser.add_argument("block", metavar="BLOCK", help="24443168, hoodi:1265656, workload:keccak")
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
        "--repeat", metavar="R", type=whole, default=10, help="per invocation (default: %(default)s)"
    )
    parser.add_argument(
        "--invocations",
        metavar="N",
        type=whole,
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
        type=whole,
        default=997,
        help="samples per second of CPU time (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=whole,
        default=300,
        help="of one invocation (default: %(default)s)",
    )
    parser.add_argument(
        "--max-size", metavar="MIB", type=whole, default=512, help="of one recording (default: %(default)s)"
    )
    parser.add_argument("--log-dir", metavar="DIR", default="ethrex-perf-logs", help="default: %(default)s")
    parser.set_defaults(run=_profile)


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _profile(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.host import lock
    from pytest_ethrex_perf.profile import artifacts, differential, record, tables
    from pytest_ethrex_perf.profile.sampling import Limits, Sampling

    block = _one_block(args.block, args.network)
    sides = programs.sides(args.replay, args.base, prefix=args.prefix)
    limits = Limits(timeout_s=args.timeout, mib=args.max_size)
    profiles: dict[Side, list[Profile]] = {"head": [], "base": []}
    with lock.measuring(f"ethrex-perf profile {block}", timeout=_LOCK_TIMEOUT_S, waiting=_say):
        profiler = _profiler(block)
        if block.workload:
            _make(block, sides.get("base") or sides["head"], args)
        recorder = record.Recorder(
            profiler,
            block,
            cache_dir=_cache_dir(args.cache_dir),
            environ=os.environ,
            log_dir=Path(args.log_dir),
            repeat=args.repeat,
        )
        for side, profile in recorder.in_turns(
            sides,
            args.invocations or (record.INVOCATIONS if args.base else 1),
            lambda frequency: Sampling(args.frames, frequency, limits),
            frequency=args.frequency,
        ):
            profiles[side].append(profile)
    head, base = profiles["head"], profiles["base"]
    _say(*tables.profile(head))
    if base:
        _say("", *tables.explanation(differential.explain(base, head)))
    folder = args.out or Path("ethrex-perf-profile") / block.file_name
    _say("", *(f"wrote {path}" for path in artifacts.write(folder, head, base)))
    return 0


def _make(block: BlockId, program: Program, args: argparse.Namespace) -> None:
    """Have the block of a workload made, unless it is there."""
    from pytest_ethrex_perf.replay import cache, generation

    generation.Generator(
        program=program,
        cache_dir=generation.directory(args.cache_dir, block),
        environ=os.environ,
        log_dir=Path(args.log_dir),
        timeout=cache.FETCH_TIMEOUT_S,
        say=_say,
    ).provide(block)


def _profiler(block: BlockId) -> Profiler:
    from pytest_ethrex_perf.profile import record
    from pytest_ethrex_perf.replay import command

    try:
        return record.find(command.child_environment(os.environ))
    except MeasurementError as error:
        raise MeasurementError(f"{block}: not profiled: {error}") from None


def _one_block(spec: str, network: str) -> BlockId:
    from pytest_ethrex_perf.config.block_specs import parse_blocks

    blocks = parse_blocks([spec], network)
    if len(blocks) != 1:
        raise UsageError(f"{spec!r} is {len(blocks)} blocks: profile one at a time")
    return blocks[0]


def _cache_dir(text: str) -> Path:
    from pytest_ethrex_perf.replay import cache

    return cache.directory(text)
