"""What options of pytest that begin like ours, and are none, were meant to be."""

from __future__ import annotations

import difflib
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX = "ethrex"


def meant(arguments: Sequence[str]) -> list[str]:
    """Return our options that mistyped `arguments` of pytest are like.

    `--ethrex-blok=1` is like `--ethrex-block`.
    The prefix may be mistyped, too; options of others are not looked at.
    """
    ours = {option.flag_name.removeprefix(f"--{_PREFIX}-"): option.flag_name for option in OPTIONS.values()}
    options: dict[str, None] = {}
    for word in takewhile(lambda word: word != "--", arguments):
        flag = word.partition("=")[0]
        prefix, _, name = flag.removeprefix("--").replace("_", "-").partition("-")
        if not flag.startswith("--e") or flag in ours.values():
            continue
        if difflib.get_close_matches(prefix, [_PREFIX]):
            options |= {ours[close]: None for close in difflib.get_close_matches(name, ours, n=1)}
    return list(options)
