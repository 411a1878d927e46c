"""Why a block's cache file is not there: what can be seen without asking anybody."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.block import BlockId

NETWORKS = ("mainnet", "hoodi", "sepolia", "holesky")
"""Those that ethrex knows by name."""


def message(path: Path, block: BlockId) -> str:
    """Return what is said where there is no `path`: what is missing, perhaps why, and how to get it."""
    directory = _directory(path, block)
    here = directory.absolute() == Path("replay_cache").absolute()  # where the command puts it by itself
    option = "" if here else f" --cache-dir={shlex.quote(str(directory))}"
    fetched = "" if block.workload else "give --ethrex-rpc-url (or ETHREX_RPC_URL) to have it fetched, "
    why = reason(path, block)
    return (
        f"{block}: no cache file {path}{why}{' If not, ' if why.endswith('?') else '; '}{fetched}"
        f"run `ethrex-perf fetch {block}{option}`, or name the directory that has it with --ethrex-cache-dir"
    )


def _directory(path: Path, block: BlockId) -> Path:
    return path.parent.parent if block.workload else path.parent


def reason(path: Path, block: BlockId) -> str:
    """Return what goes after `no cache file PATH`: `: did you mean hoodi?`, or nothing.

    The directory may be missing, the number may be cached for another network, or the network is mistyped.
    """
    directory = _directory(path, block)
    if not directory.is_dir():
        return f": there is no directory {directory}"
    if block.workload:
        return ""
    for network in NETWORKS:
        if regular_file.exists(path.with_name(f"cache_{network}_{block.number}.json")):
            return f", but {block.number} of {network} is cached here: did you mean {network}:{block.number}?"
    close = meant(block.network)
    return f": did you mean {close}:{block.number}?" if close else ""


def meant(network: str) -> str | None:
    """Return the network that `network` is a slip of; None of one that is known, or like none."""
    close = [] if network in NETWORKS else difflib.get_close_matches(network, NETWORKS, n=1)
    return next(iter(close), None)
