"""The command line of the embedded program: ethrex-replay's options, as far as they make sense here.

clap words its errors in one way and argparse in another; what matters to a caller is the shape (`error: …`,
usage, exit code 2), which is clap's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

USAGE = "Usage: ethrex-replay block --network <NETWORK> --cached --no-zkvm <BLOCK>"
_MAX_U64 = 2**64 - 1
_MAX_EXTRA_WORK = 10_000.0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"error: {message}\n\n{USAGE}\n\nFor more information, try '--help'.\n")
        sys.exit(2)


class Options(argparse.Namespace):
    """What the command line asks for."""

    block: int | None
    network: str
    cache_dir: Path
    repeat: int
    extra_work: float


def parse(arguments: list[str]) -> Options:
    """Read the arguments; prints to stderr and exits with 2 where they are wrong, as clap does."""
    parser = _Parser(
        prog="python -m pytest_ethrex_perf.embedded",
        description="Replay a cached block with the Ethereum execution specs.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    block = commands.add_parser("block", help="replay a single block", allow_abbrev=False)
    block.add_argument("block", nargs="?", type=_whole_number, metavar="BLOCK", help="number of the block")
    block.add_argument(
        "--cached", action="store_true", required=True, help="read the block from its cache file"
    )
    block.add_argument(
        "--network", required=True, help="network of the block (mainnet, sepolia, holesky, hoodi)"
    )
    block.add_argument(
        "--cache-dir",
        type=Path,
        default=Path("./replay_cache"),
        metavar="DIR",
        help="directory of the cache files (default: ./replay_cache)",
    )
    block.add_argument(
        "--no-zkvm", action="store_true", required=True, help="execute without a zkVM: the only way"
    )
    block.add_argument(
        "--repeat",
        type=_whole_number,
        default=1,
        metavar="R",
        help="times to prepare and execute the block (default: 1)",
    )
    block.add_argument(
        "--extra-work",
        type=_percentage,
        default=0.0,
        metavar="PCT",
        help="execute that many percent more opcodes, on a state that is thrown away (default: 0)",
    )
    options, unknown = parser.parse_known_args(arguments, Options())
    if unknown:
        parser.error(f"unexpected argument '{unknown[0]}' found")
    return options


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _MAX_U64:
        raise argparse.ArgumentTypeError(f"invalid value '{text}': not a number of 64 bits")
    return int(text)


def _percentage(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1
    if not 0 <= value <= _MAX_EXTRA_WORK:
        raise argparse.ArgumentTypeError(
            f"invalid value '{text}': a percentage from 0 to {_MAX_EXTRA_WORK:.0f}"
        )
    return value
