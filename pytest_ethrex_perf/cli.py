"""`ethrex-perf …`: what is done by hand, beside the gate."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf import __version__
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_FAILED, EXIT_USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code, 2 for wrong usage, 1 for what could not be done."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except UsageError as error:
        print(f"ethrex-perf: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return EXIT_USAGE
    except EthrexPerfError as error:
        print(f"ethrex-perf: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_FAILED
    except BrokenPipeError:  # `ethrex-perf … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code


def parser() -> argparse.ArgumentParser:
    """Every command, with what its module registers."""
    from pytest_ethrex_perf.commands import baseline as baseline_commands
    from pytest_ethrex_perf.commands import compare, explain, plan
    from pytest_ethrex_perf.commands import profile as profile_commands
    from pytest_ethrex_perf.commands import report as report_commands
    from pytest_ethrex_perf.embedded import devblock

    parser = argparse.ArgumentParser(prog="ethrex-perf", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ethrex-perf {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    fetch = commands.add_parser("fetch", help="fetch a block's cache file over RPC, by one unmeasured run")
    fetch.add_argument(
        "blocks", metavar="BLOCK", nargs="+", help="24443168, hoodi:1265656, A..B, comma lists"
    )
    fetch.add_argument("--rpc-url", metavar="URL", help="default: $ETHREX_RPC_URL")
    fetch.add_argument("--replay", metavar="PROGRAM", help="as --ethrex-replay of pytest")
    fetch.add_argument("--cache-dir", metavar="DIR", default="replay_cache", help="default: %(default)s")
    fetch.add_argument("--network", metavar="NAME", default="mainnet", help="default: %(default)s")
    fetch.add_argument("--log-dir", metavar="DIR", default="ethrex-perf-logs", help="default: %(default)s")
    fetch.set_defaults(run=_fetch)
    baseline_commands.add_commands(commands)
    report_commands.add_commands(commands)
    devblock.add_commands(commands)
    profile_commands.add_commands(commands)
    for module in (explain, compare, plan):
        module.add_commands(commands)
    return parser


def _fetch(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.gate.planner import FETCH_TIMEOUT_S
    from pytest_ethrex_perf.records.block import parse_blocks
    from pytest_ethrex_perf.replay import cache, program

    rpc_url = options.rpc_url or os.environ.get("ETHREX_RPC_URL")
    if not rpc_url:
        raise UsageError("no RPC to fetch from: give --rpc-url URL or set ETHREX_RPC_URL")
    head = program.resolve(options.replay, cwd=Path.cwd(), environ=os.environ, option="--replay")
    for block in parse_blocks(options.blocks, options.network):
        path = cache.path(Path(options.cache_dir), block)
        known = path.exists()
        identity = (
            cache.identify(path, block)
            if known
            else cache.fetch(
                head,
                block,
                cache_dir=Path(options.cache_dir),
                rpc_url=rpc_url,
                timeout=FETCH_TIMEOUT_S,
                environ=os.environ,
                log_dir=Path(options.log_dir),
            )
        )
        print(f"{block}: {path} ({'was there' if known else 'fetched'}, block hash {identity.block_hash})")  # noqa: T201
    return 0
