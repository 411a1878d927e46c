"""The program's command line and environment: flags as in ethrex-replay's `src/cli.rs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import workload as workloads
from pytest_ethrex_perf.records.environment import Environment
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program

_SET = {
    "NO_COLOR": "1",
    # empty, not unset: a directive such as `ethrex_replay=error` would hide the lines we read
    "RUST_LOG": "",
    "LC_ALL": "C",
}
_REMOVED = (
    "SLACK_WEBHOOK_URL",  # every invocation would post to the channel
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "ETHREX_RPC_URL",  # a secret that a measured program has no use for
    "RPC_URL",
    # their changing lengths would move the child's stack, and with it its time
    "PYTEST_CURRENT_TEST",
    "PYTEST_XDIST_WORKER",
    "PYTEST_XDIST_TESTRUNUID",
)


def measure(
    program: Program, block: BlockId, *, cache_dir: Path, repeat: int, instrument: Sequence[str] = ()
) -> list[str]:
    """Return the command line of one measured invocation: always from the cache, never from the network.

    `cache_dir` holds the caches of all blocks; that of a workload has a folder of its own there. `instrument`
    (`perf stat …`) stands between the prefix and the program: it counts the program only.
    """
    if block.workload:
        folder = cache_dir / block.file_name
        arguments = [*_custom(block), "--cached", "--cache-dir", str(folder)]
    else:
        network = ["--network", block.network]
        arguments = ["block", str(block.number), "--cached", *network, "--cache-dir", str(cache_dir)]
    return _line(program, [*arguments, "--no-zkvm", "--repeat", str(repeat)], instrument)


def generate(program: Program, block: BlockId, *, folder: Path) -> list[str]:
    """Return the command line that makes the block of a workload and writes its cache file into `folder`."""
    return _line(program, [*_custom(block), "--cache-dir", str(folder), "--no-zkvm", "--repeat", "1"])


def fetch(program: Program, block: BlockId, *, cache_dir: Path, rpc_url: str) -> list[str]:
    """Return the command line that fetches a block into the cache, replaying it once on the way.

    `--network` makes the program refuse an RPC server of another network; `--cache-level` is `on` by default.
    """
    source = ["--rpc-url", rpc_url, "--network", block.network, "--cache-dir", str(cache_dir)]
    return _line(program, ["block", str(block.number), *source, "--no-zkvm"])


def child_environment(environ: Mapping[str, str]) -> Environment:
    """Return the environment of a child: plain output in one locale, no secrets, the same for every child."""
    kept = ((name, value) for name, value in environ.items() if name not in _REMOVED)
    return Environment(kept, **_SET)


def _custom(block: BlockId) -> list[str]:
    """Every parameter of a workload, those that are the program's defaults as well: they may change."""
    workload = workloads.parse(block.workload)
    size = ["--gas-target", str(workload.gas)] if workload.txs is None else ["--n-txs", str(workload.txs)]
    return [
        *("custom", "block", "--tx", workload.name, *size, "--seed", str(workload.seed)),
        *("--n-senders", str(workload.senders), "--tx-gas", str(workload.tx_gas)),
        *("--deploy-code-size", str(workload.code_size), "--prestate-slots", str(workload.slots)),
    ]


def _line(program: Program, arguments: Sequence[str], instrument: Sequence[str] = ()) -> list[str]:
    """Put the block's arguments in their place, which the kind of program knows."""
    end = KINDS[program.kind].block_at(program.command)
    return [*program.prefix, *instrument, *program.command[:end], *arguments, *program.command[end:]]
