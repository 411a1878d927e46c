"""What a person sees while a run measures: one line that is written over, on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report import terminal

if TYPE_CHECKING:
    from pytest_ethrex_perf.gate.run import Status


def line(status: Status, room: int) -> str:
    """Block, pair k/n, running estimate and its 95 % interval, time left; cut to `room` cells."""
    block = status.block
    decision = block.estimate
    parts = [f"{block} {block.samples_taken}/{block.samples_planned}"]
    if decision is not None and decision.estimate is not None:
        reach = decision.half_width
        within = f" ± {units.percent(reach)}" if reach is not None else ""
        parts.append(units.log_percent(decision.estimate) + within)
    if status.blocks > 1:
        parts.append(f"{status.decided}/{status.blocks} blocks")
    parts.append(f"at most {units.clock(status.left_s)} left")
    told = " · ".join(parts)
    while terminal.width(told) > room:
        told = told[:-1]
    return told
