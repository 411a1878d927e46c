"""Which embedded program this is. Nothing of ethereum-execution is imported to know it."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import header, nesting, regular_file, rlp, workload

if TYPE_CHECKING:
    from collections.abc import Sequence

DISTRIBUTION = "ethereum-execution"
SHARED = (header, nesting, regular_file, rlp, workload)
"""What the program runs of the package besides its own modules."""


def available() -> bool:
    """Whether ethereum-execution is installed."""
    try:
        metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return False
    return True


def require() -> None:
    """Raise `UsageError`, with the command that helps, where the embedded program cannot run."""
    if not available():
        raise UsageError(
            "the embedded program needs the Ethereum execution specs: "
            "pip install 'pytest-ethrex-perf[embedded]' "
            f"(for Python 3.11 and 3.12; this is {sys.version_info.major}.{sys.version_info.minor})",
        )


def identity(arguments: Sequence[str] = ()) -> str:
    """Return sha256 (hex) of the program that `arguments` (as `--extra-work 15`) make of this installation.

    It covers the arguments, the sources of `pytest_ethrex_perf.embedded` and of what it shares with the rest,
    and the versions of ethereum-execution and Python. Raises as `require`.
    """
    require()
    digest = hashlib.sha256()
    sources = [*sorted(Path(__file__).parent.glob("*.py")), *(Path(str(m.__file__)) for m in SHARED)]
    parts = [
        *(argument.encode() for argument in arguments),
        *(part for source in sources for part in (source.name.encode(), source.read_bytes())),
        metadata.version(DISTRIBUTION).encode(),
        f"{platform.python_implementation()} {platform.python_version()}".encode(),
    ]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)  # lengths: no two lists of parts look the same
    return digest.hexdigest()
