"""The command that repeats the measurement of one block."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import OPTIONS, WRITTEN
from pytest_ethrex_perf.config.parsers import AUTO

if TYPE_CHECKING:
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
)


def command(settings: Settings, request: Request, *extra: str) -> str:
    """The pytest command that measures this block again, with the options that this run was given.

    RPC URLs hold secrets and are left out, as are files to write.
    """
    given = dict(settings.sources[0].values)
    beneath = replace(settings, sources=settings.sources[1:])  # what holds without being given
    metrics = tuple(gating.metric for gating in request.gatings)
    for name, asked, written in (
        ("repeat", request.repeat or AUTO, request.repeat or AUTO),
        ("drop", request.drop, request.drop),
        ("metrics", metrics, ",".join(metrics)),
    ):
        given[name] = None if beneath.get(name, request.block) == asked else written
    words = ["pytest", f"--ethrex-block={request.block}"]
    for name, option in OPTIONS.items():
        value = given.get(name)
        if name not in _NOT_REPEATED and value not in (None, False):
            words.append(option.flag_name if option.flag else f"{option.flag_name}={value}")
    return shlex.join([*words, *extra])
