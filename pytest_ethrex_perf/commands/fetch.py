"""`ethrex-perf fetch`: a block's cache file, over RPC or made, so that the gate finds it in its place."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import programs
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program


_LOCK_TIMEOUT_S = 1800.0


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = "fetch a block's cache file over RPC, by one unmeasured run, or make the block of a workload"
    parser = subparsers.add_parser("fetch", help=text, description=text)
    parser.add_argument(
        "blocks",
        metavar="BLOCK",
        nargs="+",
        help="24443168, hoodi:1265656, A..B, comma lists; workload:keccak, without RPC",
    )
    parser.add_argument("--rpc-url", metavar="URL", help="default: $ETHREX_RPC_URL")
    parser.add_argument("--replay", metavar="PROGRAM", help="as --ethrex-replay of pytest")
    parser.add_argument("--cache-dir", metavar="DIR", default="replay_cache", help="default: %(default)s")
    parser.add_argument("--network", metavar="NAME", default="mainnet", help="default: %(default)s")
    parser.add_argument("--log-dir", metavar="DIR", default="ethrex-perf-logs", help="default: %(default)s")
    parser.set_defaults(run=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.config.block_specs import parse_blocks
    from pytest_ethrex_perf.replay.program_kinds import KINDS

    rpc_url = options.rpc_url or os.environ.get("ETHREX_RPC_URL")
    if not rpc_url and not all(block.workload for block in parse_blocks(options.blocks, options.network)):
        raise UsageError("no RPC to fetch from: give --rpc-url URL or set ETHREX_RPC_URL")
    head = programs.resolve(options.replay, "--replay")
    for block in parse_blocks(options.blocks, options.network, lambda: KINDS[head.kind].workloads):
        path, origin, block_hash = (
            _made(block, head, options) if block.workload else _fetched(block, head, rpc_url or "", options)
        )
        sys.stdout.write(f"{block}: {path} ({origin}, block hash {block_hash})\n")
    return 0


def _fetched(
    block: BlockId, head: Program, rpc_url: str, options: argparse.Namespace
) -> tuple[Path, str, str]:
    """Fetch a block unless it is there; return its file, where that is from, and the block's hash."""
    from pytest_ethrex_perf.replay import cache, missing_cache

    cache_dir = Path(options.cache_dir)
    path = cache.path(cache_dir, block)
    if path.exists():
        return path, "was there", cache.identify(path, block).block_hash
    if (network := missing_cache.meant(block.network)) is not None:
        raise UsageError(
            f"{block}: there is no network {block.network}: did you mean {network}:{block.number}?"
        )
    identity = cache.fetch(
        head,
        block,
        cache_dir=cache_dir,
        rpc_url=rpc_url,
        timeout=cache.FETCH_TIMEOUT_S,
        environ=os.environ,
        log_dir=Path(options.log_dir),
    )
    return path, "fetched", identity.block_hash


def _made(block: BlockId, head: Program, options: argparse.Namespace) -> tuple[Path, str, str]:
    """Make the block of a workload unless it is there; return the same."""
    from pytest_ethrex_perf.host import lock
    from pytest_ethrex_perf.replay import cache, generation

    said: list[str] = []
    with ExitStack() as held:
        generator = generation.Generator(
            program=head,
            cache_dir=generation.directory(options.cache_dir, block),
            environ=os.environ,
            log_dir=Path(options.log_dir),
            timeout=cache.FETCH_TIMEOUT_S,
            hold=lambda: held.enter_context(
                lock.measuring(f"ethrex-perf fetch {block}", timeout=_LOCK_TIMEOUT_S, waiting=_say)
            ),
            say=said.append,
        )
        file = generator.provide(block)
    return file.path, "made" if said else "was there", file.identity.block_hash


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
