"""The command line of the embedded program: ethrex-replay's options, as far as they make sense here.

clap words its errors in one way and argparse in another; what matters to a caller is the shape (`error: …`,
usage, exit code 2), which is clap's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from pytest_ethrex_perf.records.workload import Workload

USAGE = "Usage: ethrex-replay block --network <NETWORK> --cached --no-zkvm <BLOCK>"
WORKLOADS = ("eth-transfer", "erc20-transfer", "keccak", "sstore-fresh")
"""The workloads that `custom block --tx` takes."""
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
    tx: str | None
    """The workload; None where a block of a network is asked for."""
    n_txs: int | None
    gas_target: int | None
    seed: int
    n_senders: int
    tx_gas: int
    cached: bool
    cache_dir: Path
    repeat: int
    extra_work: float

    @property
    def workload(self) -> Workload | None:
        """The workload that is asked for."""
        if self.tx is None:
            return None
        return Workload(
            name=self.tx,
            txs=self.n_txs,
            gas=self.gas_target,
            seed=self.seed,
            senders=self.n_senders,
            tx_gas=self.tx_gas,
        )


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
    block.set_defaults(tx=None)
    _add_replaying(block)
    custom = commands.add_parser("custom", help="replay a custom block", allow_abbrev=False)
    kinds = custom.add_subparsers(dest="kind", required=True, metavar="COMMAND", parser_class=_Parser)
    made = kinds.add_parser("block", help="replay a block of one workload, made here", allow_abbrev=False)
    made.add_argument("--tx", required=True, choices=WORKLOADS, help="kind of transactions in the block")
    size = made.add_mutually_exclusive_group(required=True)
    size.add_argument("--n-txs", type=_positive, metavar="N", help="number of transactions")
    size.add_argument("--gas-target", type=_positive, metavar="GAS", help="gas of the block, about")
    for option, usual, help_ in (
        ("--n-senders", 8, "accounts that send, in turn"),
        ("--tx-gas", 1_000_000, "gas of a transaction of keccak and sstore-fresh"),
        ("--deploy-code-size", 1_024, "taken as ethrex-replay takes it, and without use here"),
        ("--prestate-slots", 100_000, "the same"),
    ):
        made.add_argument(
            option, type=_positive, default=usual, metavar="N", help=f"{help_} (default: {usual})"
        )
    made.add_argument("--seed", type=_whole_number, default=0, help="of all that is drawn (default: 0)")
    made.add_argument("--cached", action="store_true", help="read the block that was made before")
    made.set_defaults(block=None, network="")
    _add_replaying(made)
    options, unknown = parser.parse_known_args(arguments, Options())
    if unknown:
        parser.error(f"unexpected argument '{unknown[0]}' found")
    return options


def _add_replaying(parser: argparse.ArgumentParser) -> None:
    """Add what every replay takes."""
    parser.add_argument(
        "--cache-dir",
        type=Path,
        default=Path("./replay_cache"),
        metavar="DIR",
        help="directory of the cache files (default: ./replay_cache)",
    )
    parser.add_argument(
        "--no-zkvm", action="store_true", required=True, help="execute without a zkVM: the only way"
    )
    parser.add_argument(
        "--repeat",
        type=_whole_number,
        default=1,
        metavar="R",
        help="times to prepare and execute the block (default: 1)",
    )
    parser.add_argument(
        "--extra-work",
        type=_percentage,
        default=0.0,
        metavar="PCT",
        help="execute that many percent more opcodes, on a state that is thrown away (default: 0)",
    )


def _positive(text: str) -> int:
    value = _whole_number(text)
    if value == 0:
        raise argparse.ArgumentTypeError("invalid value '0': it must be at least 1")
    return value


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
