"""The installed version: from git's tags when the package was built, from its metadata now."""

from __future__ import annotations

import functools

NAME = "pytest-ethrex-perf"


@functools.cache
def version() -> str:
    """`0.1.0`, or between releases `0.2.0.dev12+g1a2b3c4`; `unknown` for sources that were never installed.

    Read when first asked for: a run of pytest without blocks does not ask.
    """
    from importlib import metadata

    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "unknown"
