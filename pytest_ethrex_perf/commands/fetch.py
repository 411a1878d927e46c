"""`ethrex-perf fetch`: a block's cache file over RPC, so that the gate finds it in its place."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import programs
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    import argparse


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    parser = subparsers.add_parser("fetch", help="fetch a block's cache file over RPC, by one unmeasured run")
    parser.add_argument(
        "blocks", metavar="BLOCK", nargs="+", help="24443168, hoodi:1265656, A..B, comma lists"
    )
    parser.add_argument("--rpc-url", metavar="URL", help="default: $ETHREX_RPC_URL")
    parser.add_argument("--replay", metavar="PROGRAM", help="as --ethrex-replay of pytest")
    parser.add_argument("--cache-dir", metavar="DIR", default="replay_cache", help="default: %(default)s")
    parser.add_argument("--network", metavar="NAME", default="mainnet", help="default: %(default)s")
    parser.add_argument("--log-dir", metavar="DIR", default="ethrex-perf-logs", help="default: %(default)s")
    parser.set_defaults(run=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.config.block_specs import parse_blocks
    from pytest_ethrex_perf.replay import cache

    rpc_url = options.rpc_url or os.environ.get("ETHREX_RPC_URL")
    if not rpc_url:
        raise UsageError("no RPC to fetch from: give --rpc-url URL or set ETHREX_RPC_URL")
    head = programs.resolve(options.replay, "--replay")
    cache_dir = Path(options.cache_dir)
    for block in parse_blocks(options.blocks, options.network):
        path = cache.path(cache_dir, block)
        if path.exists():
            identity, origin = cache.identify(path, block), "was there"
        else:
            origin = "fetched"
            identity = cache.fetch(
                head,
                block,
                cache_dir=cache_dir,
                rpc_url=rpc_url,
                timeout=cache.FETCH_TIMEOUT_S,
                environ=os.environ,
                log_dir=Path(options.log_dir),
            )
        sys.stdout.write(f"{block}: {path} ({origin}, block hash {identity.block_hash})\n")
    return 0
