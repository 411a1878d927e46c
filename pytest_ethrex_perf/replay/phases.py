"""Phases of block execution from ethrex's `[METRIC]` lines, where those parse; they are never gated on.

Layouts, all of `crates/blockchain/blockchain.rs` in ethrex, oldest first (values are rounded to ms or %):

1. `[METRIC] BLOCK EXECUTION THROUGHPUT: 0.1 Gigagas/s TIME SPENT: 24 msecs` – no phases
2. `… THROUGHPUT (N): 0.185 Ggas/s TIME SPENT: 24 ms. Gas Used: …, #Txs: 11. exec: 83% merkle: 8% store: 8%`
3. `… block validation: 0% exec+merkle: 92% (exec: 82% merkle: 92% max_queue_length: 1) store: 8%`
4. `… block validation: 0% | exec(w/merkle): 83% | merkle-only: 8% (max_queue_length: 1) | store: 8%`
5. `[METRIC] BLOCK N | 0.176 Ggas/s | 25 ms | 11 txs | 4 Mgas (7%)` and a line for each phase,
   `|- exec:  19 ms  (76%) << BOTTLENECK`; later with the block's hash after N, and with `25.31 ms`

In every layout `merkle` here is what merkleization adds after execution has ended, `merkle (concurrent)` what
of it ran beside execution.
"""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_ONE_LINE = re.compile(
    rf"\[METRIC\] BLOCK EXECUTION THROUGHPUT.*? TIME SPENT: (?P<total>{_NUMBER}) ?ms(?:ecs)?\b(?P<rest>.*)"
)
_SHARE = re.compile(rf"(?P<name>[a-z][a-z+/()-]*(?: validation)?): (?P<share>{_NUMBER})%")
_HEADER = re.compile(rf"\[METRIC\] BLOCK [0-9]+(?: 0x[0-9a-fA-F]+)? \| .*\b{_NUMBER} ms\b.*")
_PHASE = re.compile(rf"[|`]- (?P<name>[a-z][a-z _-]*): +(?P<ms>{_NUMBER}) ms\b(?P<rest>.*)")
_CONCURRENT = re.compile(rf"\[concurrent: (?P<ms>{_NUMBER}) ms")
_NAMES = {"block validation": "validate", "exec(w/merkle)": "exec", "merkle-only": "merkle"}
_BOTH, _CONCURRENT_NAME = "exec+merkle", "merkle (concurrent)"


def median_phases(messages: Iterable[str]) -> dict[str, float]:
    """Return the median of each phase in ms over the executions logged; empty if none parses."""
    executions: list[dict[str, float]] = []
    for message in messages:
        if one_line := _ONE_LINE.fullmatch(message):
            executions.append(_shares(float(one_line["total"]), one_line["rest"]))
        elif _HEADER.fullmatch(message):
            executions.append({})
        elif executions and (phase := _PHASE.fullmatch(message)):
            executions[-1][phase["name"]] = float(phase["ms"])
            if concurrent := _CONCURRENT.search(phase["rest"]):
                executions[-1][_CONCURRENT_NAME] = float(concurrent["ms"])
    names = dict.fromkeys(name for execution in executions for name in execution)
    return {name: median(phases[name] for phases in executions if name in phases) for name in names}


def _shares(total_ms: float, text: str) -> dict[str, float]:
    shares = {match["name"]: float(match["share"]) for match in _SHARE.finditer(text)}
    if _BOTH in shares:
        # layout 3: `merkle` is all of it, most of it beside execution
        shares[_CONCURRENT_NAME] = shares.get("merkle", 0.0)
        shares["merkle"] = max(0.0, shares.pop(_BOTH) - shares.get("exec", 0.0))
    return {_NAMES.get(name, name): round(total_ms * share / 100, 3) for name, share in shares.items()}
