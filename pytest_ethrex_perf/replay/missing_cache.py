"""Why a block's cache file is not there: what can be seen without asking anybody."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.block import BlockId

NETWORKS = ("mainnet", "hoodi", "sepolia", "holesky")
"""Those that ethrex knows by name."""


def reason(path: Path, block: BlockId) -> str:
    """Return what goes after `no cache file PATH`: `: did you mean hoodi?`, or nothing.

    The directory may be missing, the number may be cached for another network, or the network is mistyped.
    """
    directory = path.parent.parent if block.workload else path.parent
    if not directory.is_dir():
        return f": there is no directory {directory}"
    if block.workload:
        return ""
    for network in NETWORKS:
        if regular_file.exists(path.with_name(f"cache_{network}_{block.number}.json")):
            return f", but {block.number} of {network} is cached here: did you mean {network}:{block.number}?"
    close = [] if block.network in NETWORKS else difflib.get_close_matches(block.network, NETWORKS, n=1)
    return f": did you mean {close[0]}:{block.number}?" if close else ""
