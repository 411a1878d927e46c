"""`ethrex-perf devblock`: make a block with its witness, in ethrex-replay's cache format."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.embedded.recipe import MIXES, NETWORK, Recipe

if TYPE_CHECKING:
    import argparse


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    defaults = Recipe()
    parser = subparsers.add_parser(
        "devblock",
        help="make a block with its witness, in ethrex-replay's cache format",
        description="Make a block with its witness: byte-identical from the same arguments.",
    )
    parser.add_argument(
        "--txs", type=int, default=defaults.txs, help="number of transactions (default: %(default)s)"
    )
    parser.add_argument(
        "--mix",
        default=",".join(MIXES),
        help="kinds of transaction, taken in turn, of %(default)s (default: all)",
    )
    parser.add_argument("--seed", type=int, default=defaults.seed, help="default: %(default)s")
    parser.add_argument(
        "--number", type=int, default=defaults.number, help="block number (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("replay_cache"),
        metavar="DIR",
        help="cache directory to write to (default: %(default)s)",
    )
    parser.set_defaults(run=_devblock)


def _devblock(arguments: argparse.Namespace) -> int:
    from pytest_ethrex_perf.embedded.cachefile import cache_path
    from pytest_ethrex_perf.embedded.devblock import make

    mix = tuple(kind.strip() for kind in arguments.mix.split(","))
    recipe = Recipe(arguments.txs, mix, arguments.seed, arguments.number)
    text = make(recipe)
    path = cache_path(arguments.out, NETWORK, recipe.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    gas = int(json.loads(text)["blocks"][0]["header"]["gasUsed"], 16)
    sys.stdout.write(f"{path}: {recipe.txs} txs, {gas} gas, {len(text) / 1000:.0f} kB\n")
    return 0
