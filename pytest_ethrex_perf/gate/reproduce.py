"""The command that repeats the measurement of one block."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import WRITTEN
from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.config.settings import BlockSettings

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.records.request import Request

_NOT_REPEATED = (
    "block",
    "network",
    "rpc_url",
    *WRITTEN,
    "update_baseline",
    "update_baseline_new_only",
    "accept_baseline",
    "shard",  # of a block alone there are none
)


def command(settings: Settings, request: Request, *extra: str, without: Collection[str] = ()) -> str:
    """The pytest command that measures this block again, with the options that this run was given.

    RPC URLs hold secrets and are left out, as are files to write, and the options named in `without`.
    """
    metrics = tuple(gating.metric for gating in request.gatings)
    asked = BlockSettings(request.repeat or AUTO, request.drop, metrics)
    options = settings.arguments(request.block, asked, without=(*_NOT_REPEATED, *without))
    return shlex.join(["pytest", f"--ethrex-block={request.block}", *options, *extra])
